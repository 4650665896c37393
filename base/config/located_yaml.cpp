// SPDX-License-Identifier: Apache-2.0
#include "base/config/located_yaml.hpp"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "base/config/shipped.hpp"
#include "base/error.hpp"

namespace loom::config {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void fail(const Location& at, const std::string& problem) {
    throw ConfigError(at.text() + ": " + problem);
}

std::optional<std::size_t> as_index(std::string_view text) {
    std::size_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return value;
}

struct Segment {
    std::string text;
    bool quoted = false;
};

/// Splits a."b.c".d; `who` names the option in messages.
std::vector<Segment> split_path(std::string_view path, const std::string& who) {
    std::vector<Segment> segments;
    std::size_t i = 0;
    while (true) {
        Segment segment;
        if (i < path.size() && (path[i] == '"' || path[i] == '\'')) {
            const std::size_t end = path.find(path[i], i + 1);
            if (end == std::string_view::npos) throw ConfigError(who + ": quote is not closed");
            segment = {std::string(path.substr(i + 1, end - i - 1)), true};
            i = end + 1;
            if (i < path.size() && path[i] != '.') {
                throw ConfigError(who + ": expected '.' after the closing quote");
            }
        } else {
            const std::size_t end = std::min(path.find('.', i), path.size());
            segment.text = std::string(path.substr(i, end - i));
            i = end;
        }
        if (segment.text.empty()) throw ConfigError(who + ": empty name in the path");
        segments.push_back(std::move(segment));
        if (i >= path.size()) return segments;
        ++i;  // the dot
    }
}

/// The longest run of segments from `first` on that together are a key of the map; 0: none.
std::size_t match_key(const Node& node, const std::vector<Segment>& path, std::size_t first,
                      std::string& key) {
    std::size_t matched = 0;
    std::string joined;
    for (std::size_t i = first; i < path.size(); ++i) {
        if (i > first) joined += '.';
        joined += path[i].text;
        if (node.find(joined) != nullptr) {
            matched = i - first + 1;
            key = joined;
        }
        if (path[i].quoted) break;
    }
    return matched;
}

void relocate(Node& node, const Location& at) {
    node.at = at;
    for (auto& entry : node.map) {
        entry.at = at;
        relocate(entry.value, at);
    }
    for (auto& item : node.sequence) relocate(item, at);
}

std::string beside(const Location& from, const std::string& path) {
    return path_from(fs::path(from.file).parent_path().string(), path);
}

/// A file named on the command line: as it was written where there is such a file, else a shipped one.
std::string found(const std::string& path) {
    std::error_code ignored;
    return fs::exists(path, ignored) ? path : path_from("", path);
}

/// What one reading includes: files that name each other many times over must not fill the memory.
struct Included {
    static constexpr std::size_t kMaxFiles = 1000, kMaxNodes = 1'000'000;
    std::vector<std::string> open;  ///< canonical names of the files being read
    std::size_t files = 0, nodes = 0;
    CheckPart check = {};
};

void enter(Included& stack, const std::string& path, const Location& at, const char* what) {
    std::error_code ignored;
    std::string name = fs::weakly_canonical(path, ignored).string();
    if (std::find(stack.open.begin(), stack.open.end(), name) != stack.open.end()) {
        fail(at, fmt::format("{}: {} comes back to a file that is being read (cycle)", what, path));
    }
    stack.open.push_back(std::move(name));
}

Node load_named(const Node& name, const char* what, Included& included) {
    const std::string path = beside(name.at, name.scalar);
    std::error_code ignored;
    if (fs::exists(path, ignored) && !fs::is_regular_file(path, ignored) && !fs::is_directory(path, ignored))
        throw IoError(fmt::format("{}: {}: {}: is not a regular file", name.at.text(), what, path));
    try {
        Node node = load(path);
        included.files += 1;
        included.nodes += count_nodes(node);
        if (included.files > Included::kMaxFiles)
            fail(name.at,
                 fmt::format("{}: {}: more than {} files are included", what, path, Included::kMaxFiles));
        if (included.nodes > Included::kMaxNodes)
            fail(name.at,
                 fmt::format("{}: {}: included files make the configuration too large (more than {} values)",
                             what, path, Included::kMaxNodes));
        return node;
    } catch (const IoError& e) {
        throw IoError(fmt::format("{}: {}: {}", name.at.text(), what, e.what()));
    }
}

Node apply_base(Node node, Included& stack) {
    if (node.is_null()) node.kind = Node::Kind::Map;
    const Node* base = node.find("base");
    if (base == nullptr) return node;
    if (!base->is_scalar())
        fail(base->at, fmt::format("base: expected a file name, got {}", base->describe()));
    enter(stack, beside(base->at, base->scalar), base->at, "base");
    const Node below = apply_base(load_named(*base, "base", stack), stack);
    node.erase("base");
    return merge(below, node);
}

/// key: the one whose value the node is.
void expand(Node& node, const std::string& key, Included& stack) {
    const std::size_t depth = stack.open.size();
    while (const Node* file = node.find("file")) {
        if (!file->is_scalar()) {
            fail(file->at, fmt::format("file: expected a file name, got {}", file->describe()));
        }
        enter(stack, beside(file->at, file->scalar), file->at, "file");
        Node included = apply_base(load_named(*file, "file", stack), stack);
        if (!included.is_map()) {
            fail(included.at, fmt::format("expected a map in an included file, got {}", included.describe()));
        }
        if (stack.check) stack.check(key, included);
        node.erase("file");
        node = merge(included, node);
    }
    for (auto& entry : node.map) expand(entry.value, entry.key, stack);
    for (auto& item : node.sequence) expand(item, key, stack);
    stack.open.resize(depth);
}

}  // namespace

std::string Location::text() const {
    return line > 0 ? fmt::format("{}:{}:{}", file, line, column) : file;
}

Node Node::make_null() {
    return {};
}

Node Node::make_scalar(std::string text, bool is_string) {
    Node node;
    node.kind = Kind::Scalar;
    node.scalar = std::move(text);
    node.quoted = is_string;
    return node;
}

Node Node::make_map() {
    Node node;
    node.kind = Kind::Map;
    return node;
}

Node Node::make_sequence() {
    Node node;
    node.kind = Kind::Sequence;
    return node;
}

const Node* Node::find(std::string_view key) const {
    for (const auto& entry : map) {
        if (entry.key == key) return &entry.value;
    }
    return nullptr;
}

Node* Node::find(std::string_view key) {
    return const_cast<Node*>(std::as_const(*this).find(key));
}

Node& Node::put(std::string key, Node value) {
    if (kind == Kind::Null) kind = Kind::Map;
    if (kind != Kind::Map) throw InternalError("Node::put on " + describe());
    if (Node* old = find(key)) return *old = std::move(value);
    Location where = value.at;
    map.push_back({std::move(key), std::move(where), std::move(value)});
    return map.back().value;
}

void Node::erase(std::string_view key) {
    std::erase_if(map, [&](const Entry& entry) { return entry.key == key; });
}

std::string Node::describe() const {
    switch (kind) {
        case Kind::Null:
            return "nothing";
        case Kind::Scalar:
            return fmt::format("'{}'", scalar);
        case Kind::Sequence:
            return "a sequence";
        case Kind::Map:
            return "a map";
    }
    return "nothing";
}

bool same_value(const Node& a, const Node& b) {
    return a.kind == b.kind && a.scalar == b.scalar &&
           std::equal(a.sequence.begin(), a.sequence.end(), b.sequence.begin(), b.sequence.end(),
                      same_value) &&
           std::equal(a.map.begin(), a.map.end(), b.map.begin(), b.map.end(),
                      [](const Node::Entry& x, const Node::Entry& y) {
                          return x.key == y.key && same_value(x.value, y.value);
                      });
}

Node merge(const Node& base, const Node& overlay) {
    if (base.is_sequence() && overlay.is_map() && !overlay.map.empty() &&
        std::all_of(overlay.map.begin(), overlay.map.end(),
                    [](const Node::Entry& e) { return as_index(e.key).has_value(); })) {
        Node result = base;
        for (const auto& entry : overlay.map) {
            const std::size_t i = *as_index(entry.key);
            if (i >= result.sequence.size()) {
                fail(entry.at,
                     fmt::format("index {} is past the end of a sequence of {}", i, result.sequence.size()));
            }
            result.sequence[i] = merge(result.sequence[i], entry.value);
        }
        return result;
    }
    if (!base.is_map() || !overlay.is_map()) return overlay;
    Node result = base;
    for (const auto& entry : overlay.map) {
        const auto found = std::find_if(result.map.begin(), result.map.end(),
                                        [&](const Node::Entry& e) { return e.key == entry.key; });
        if (found == result.map.end()) {
            result.map.push_back(entry);
        } else {
            *found = {entry.key, entry.at, merge(found->value, entry.value)};
        }
    }
    return result;
}

void set(Node& root, std::string_view path, std::string_view yaml_text) {
    const Location at{fmt::format("--set {}", path), 0, 0};
    const auto segments = split_path(path, at.file);
    Node value;
    try {
        value = load_text(yaml_text, at.file);
    } catch (const ConfigError& e) {
        throw ConfigError(fmt::format("{} (in the value '{}')", e.what(), yaml_text));
    }
    relocate(value, at);
    Node* node = &root;
    for (std::size_t i = 0; i < segments.size();) {
        if (node->is_sequence()) {
            const auto index = as_index(segments[i].text);
            if (!index) fail(at, fmt::format("'{}' is no index of a sequence", segments[i].text));
            if (*index >= node->sequence.size()) {
                fail(at, fmt::format("index {} is past the end of a sequence of {}", *index,
                                     node->sequence.size()));
            }
            node = &node->sequence[*index];
            ++i;
            continue;
        }
        if (node->is_scalar()) {
            fail(at, fmt::format("cannot set '{}' below the value {}", segments[i].text, node->describe()));
        }
        std::string key = segments[i].text;
        std::size_t used = match_key(*node, segments, i, key);
        if (used == 0) {
            Node fresh;
            fresh.at = at;
            node->put(key, std::move(fresh));
            used = 1;
        }
        node = node->find(key);
        i += used;
    }
    *node = std::move(value);
}

const Node* get(const Node& root, std::string_view path) {
    if (path.empty()) return &root;
    const auto segments = split_path(path, std::string(path));
    const Node* node = &root;
    for (std::size_t i = 0; i < segments.size();) {
        if (node->is_sequence()) {
            const auto index = as_index(segments[i].text);
            if (!index || *index >= node->sequence.size()) return nullptr;
            node = &node->sequence[*index];
            ++i;
            continue;
        }
        std::string key;
        const std::size_t used = match_key(*node, segments, i, key);
        if (used == 0) return nullptr;
        node = node->find(key);
        i += used;
    }
    return node;
}

Node load_with_base(const std::string& name) {
    const std::string path = found(name);
    Included stack;
    enter(stack, path, {path, 0, 0}, "file");
    return apply_base(load(path), stack);
}

void include_files(Node& root, std::span<const std::string> sections, const CheckPart& check) {
    for (const auto& section : sections) {
        Included stack;
        if (!root.at.file.empty() && root.at.line > 0) {
            enter(stack, root.at.file, root.at, "file");
        }
        stack.check = check;
        if (const Node* node = get(root, section))
            expand(const_cast<Node&>(*node), section.substr(section.rfind('.') + 1), stack);
    }
}

Node load_tree(const std::string& name, const CheckPart& check) {
    const std::string path = found(name);
    Node root = load_with_base(path);
    Included stack;
    enter(stack, path, {path, 0, 0}, "file");
    stack.check = check;
    expand(root, "", stack);
    return root;
}

}  // namespace loom::config
