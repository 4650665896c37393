// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <optional>
#include <string>

#include "base/json/json.hpp"

/// manifest.json: the marker by which the program knows its own results. It names the program, the verb that wrote
/// the result, and every file of it with its SHA-1 (null for a file whose contents are not the same twice).
namespace loom::app {

inline constexpr const char* kManifest = "manifest.json";

/// What every manifest begins with: program, commit, verb.
Json new_manifest(const std::string& verb);

/// The manifest of a directory that this program wrote; nothing when it has another or none.
std::optional<Json> read_manifest(const std::string& directory);

/// The verb that wrote a result.
std::string verb_of(const Json& manifest);

/// Whether a file of the directory is listed and still has the contents that were written.
bool is_as_written(const Json& manifest, const std::string& directory, const std::string& name);

/// Where a manifest has the hash of all that a result depends on beside the program; empty when it has none.
std::string configuration_of(const Json& manifest);

/// Whether a manifest is of this program and its commit.
bool is_of_this_program(const Json& manifest);

/// Whether all files that a manifest lists are there, and its stats.json is what was written.
bool is_whole(const Json& manifest, const std::string& directory);

/// A name that is free: path, path-2, path-3, ...
std::string free_name(const std::string& path);

}  // namespace loom::app
