// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/config/located_yaml.hpp"
#include "base/config/schema.hpp"

namespace loom::app {

/// A kind of configuration file: all that the program knows of kinds.
struct FileKind {
    std::string_view name;  ///< "run", as in `spikeloom schema run` and in messages
    std::string_view use;   ///< what reads such a file: "`spikeloom run` and `spikeloom map`"
    /// Whether a file with these keys at its root is of this kind. At most one kind says so of a right file.
    bool (*recognises)(const config::Node& root);
    /// Reads and checks a file; sets: "key.path=value". Throws ConfigError, IoError; Error(Usage) for a
    /// malformed --set.
    void (*validate)(const std::string& file, const std::vector<std::string>& sets);
    std::string (*schema)(const config::SchemaOptions& options);  ///< JSON schema
};

std::span<const FileKind> file_kinds();

/// The kind of a name; InternalError for others.
const FileKind& file_kind(std::string_view name);

/// "run, train, sweep, ..."
std::string file_kind_names();

/// The kind of a tree, null when none or several recognise it.
const FileKind* kind_of(const config::Node& root);

/// The kind of a file. Throws ConfigError when it cannot be told, IoError.
const FileKind& kind_of_file(const std::string& file);

/// Throws ConfigError when a tree is clearly of another kind than the named one.
void expect_kind(const config::Node& root, const std::string& file, std::string_view kind);

/// A file that is included as the value of `chip`, `noc` or `energy` must not be of another kind: its keys
/// would all be unknown. Throws KeyError.
void expect_part(const std::string& key, const config::Node& part);

}  // namespace loom::app
