// SPDX-License-Identifier: Apache-2.0
#include "app/manifest.hpp"

#include <fmt/format.h>

#include <filesystem>

#include "app/build_commit.hpp"
#include "base/error.hpp"
#include "base/input_file.hpp"
#include "base/version.hpp"

namespace loom::app {
namespace fs = std::filesystem;

Json new_manifest(const std::string& verb) {
    const std::string commit = build_commit();
    return {{"spikeloom", kVersion}, {"commit", commit.empty() ? Json() : Json(commit)}, {"verb", verb}};
}

std::optional<Json> read_manifest(const std::string& directory) {
    std::error_code ec;
    const std::string path = directory + "/" + kManifest;
    if (!fs::is_regular_file(path, ec)) return std::nullopt;
    std::optional<Json> manifest = Json::try_parse(file_text(path));
    if (!manifest || !manifest->is_object()) return std::nullopt;
    for (const char* key : {"spikeloom", "verb"})
        if (const Json* found = manifest->find(key); found == nullptr || !found->is_string()) return std::nullopt;
    const Json* files = manifest->find("files");
    return files != nullptr && files->is_object() ? manifest : std::nullopt;
}

std::string verb_of(const Json& manifest) {
    return manifest["verb"].get<std::string>();
}

bool is_as_written(const Json& manifest, const std::string& directory, const std::string& name) {
    if (name == kManifest) return true;
    const Json* hash = manifest["files"].find(name);
    const std::string path = directory + "/" + name;
    std::error_code ec;
    if (hash == nullptr || fs::is_symlink(path, ec) || !fs::is_regular_file(path, ec)) return false;
    return hash->is_null() || *hash == Json(file_hash(path));
}

std::string configuration_of(const Json& manifest) {
    const Json* sha1 = manifest.find("sha1");
    const Json* found = sha1 != nullptr ? sha1->find("configuration") : nullptr;
    return found != nullptr && found->is_string() ? found->get<std::string>() : "";
}

bool is_of_this_program(const Json& manifest) {
    const Json ours = new_manifest(verb_of(manifest));
    for (const Json::Member& m : ours.items())
        if (const Json* found = manifest.find(m.key); found == nullptr || *found != m.value) return false;
    return true;
}

bool is_whole(const Json& manifest, const std::string& directory) {
    std::error_code ec;
    for (const Json::Member& m : manifest["files"].items())
        if (!fs::exists(directory + "/" + m.key, ec)) return false;
    return is_as_written(manifest, directory, "stats.json");
}

std::string free_name(const std::string& path) {
    std::error_code ec;
    std::string name = path;
    for (int i = 2; fs::symlink_status(name, ec).type() != fs::file_type::not_found; ++i)
        name = fmt::format("{}-{}", path, i);
    return name;
}

}  // namespace loom::app
