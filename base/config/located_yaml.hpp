// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstddef>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace loom::config {

/// Where a value was written. line and column start at 1; line 0: not from a file ("--set a.b").
struct Location {
    std::string file;
    int line = 0;
    int column = 0;

    /// "file:line:col", or just "file" when there is no line.
    std::string text() const;
};

/// A YAML value that knows where it was written. Maps keep the order of the file.
class Node {
  public:
    enum class Kind { Null, Scalar, Sequence, Map };
    struct Entry;

    Kind kind = Kind::Null;
    std::string scalar;          ///< text of a scalar
    bool quoted = false;         ///< the scalar is a string whatever it looks like
    std::vector<Entry> map;      ///< entries when this is a map
    std::vector<Node> sequence;  ///< items when this is a sequence
    Location at;

    static Node make_null();
    static Node make_scalar(std::string text, bool is_string = false);
    static Node make_map();
    static Node make_sequence();

    bool is_null() const { return kind == Kind::Null; }
    bool is_scalar() const { return kind == Kind::Scalar; }
    bool is_map() const { return kind == Kind::Map; }
    bool is_sequence() const { return kind == Kind::Sequence; }

    /// The value of a map's key; null when this is no map or has no such key.
    const Node* find(std::string_view key) const;
    Node* find(std::string_view key);
    /// Adds or replaces a key (makes this a map when it is Null).
    Node& put(std::string key, Node value);
    /// Removes a key if it is there.
    void erase(std::string_view key);
    /// "a map", "a sequence", "nothing", "'text'": for messages.
    std::string describe() const;
};

/// One key of a map.
struct Node::Entry {
    std::string key;
    Location at;
    Node value;
};

/// Same kinds, texts and keys in the same order; places are not compared.
bool same_value(const Node& a, const Node& b);

/// Values of a tree, itself included.
std::size_t count_nodes(const Node& node);

/// Reads one YAML document. IoError when the file cannot be read; ConfigError "file:line:col: problem"
/// for malformed YAML, duplicate keys, keys that are not scalars, tags, several documents.
Node load(const std::string& path);
/// Reads a text like a file; `name` stands for the file name.
Node load_text(std::string_view text, const std::string& name);

/// overlay over base: maps key by key, anything else is replaced. A map with only numbers as keys
/// over a sequence replaces those elements (how --set reaches into a file included later).
Node merge(const Node& base, const Node& overlay);

/// --set: puts a YAML text at "a.b.c". Maps on the way are created, a number indexes a sequence;
/// a key with dots is matched when it exists or is written in quotes: actions."noc.link_x".value.
void set(Node& root, std::string_view path, std::string_view yaml_text);

/// The node at a path as in set(); null when there is none.
const Node* get(const Node& root, std::string_view path);

/// Loads a file and, for `base: other.yaml` at its root, the file it is based on (recursively),
/// merged. Paths are relative to the file that names them; a path that begins with "configs/" and is not
/// there names a file that comes with the program (shipped.hpp). Cycles are a ConfigError.
Node load_with_base(const std::string& path);

/// Replaces every map with a key `file` inside the named sections (paths as in set(); "" is the
/// whole tree) by that file's tree (with its base) merged with the map's other keys.
/// check(key, file's tree): refuses a file in the place of a key.
using CheckPart = std::function<void(const std::string& key, const Node& part)>;
void include_files(Node& root, std::span<const std::string> sections, const CheckPart& check = {});

/// load_with_base() and include_files() of the whole tree: how a chip file is read.
Node load_tree(const std::string& path, const CheckPart& check = {});

/// YAML text of a tree; load_text(emit(x)) has the same value.
std::string emit(const Node& node);

}  // namespace loom::config
