// SPDX-License-Identifier: Apache-2.0
#include "app/config_file.hpp"

#include <filesystem>

#include "base/config/shipped.hpp"
#include "base/error.hpp"

namespace loom::app {
namespace fs = std::filesystem;
namespace {

/// The value at a key path, or the nearest section around it that was written down; null: there is none.
const config::Node* nearest_node(const config::Node& root, std::string path) {
    while (!path.empty()) {
        if (const config::Node* node = config::get(root, path)) return node;
        const auto dot = path.rfind('.');
        path.resize(dot == std::string::npos ? 0 : dot);
    }
    return nullptr;
}

}  // namespace

std::string resolve(const config::Node& root, std::string_view key, const std::string& value) {
    const config::Node* node = config::get(root, key);
    const fs::path folder =
        node != nullptr && node->at.line > 0 ? fs::path(node->at.file).parent_path() : fs::path();
    return fs::absolute(config::path_from(folder.string(), value)).lexically_normal().string();
}

void apply_sets(config::Node& root, const std::vector<std::string>& sets) {
    for (const std::string& s : sets) {
        const auto eq = s.find('=');
        if (eq == std::string::npos || eq == 0)
            throw Error(ExitCode::Usage, "--set " + s + ": expected key.path=value");
        config::set(root, s.substr(0, eq), s.substr(eq + 1));
    }
}

KeyError as_key_error(const ConfigError& e) {
    if (const auto* keyed = dynamic_cast<const KeyError*>(&e)) return *keyed;
    const std::string text = e.what();
    const auto colon = text.find(": ");
    if (colon == std::string::npos || text.find(' ') < colon) return {"", text};
    return {text.substr(0, colon), text.substr(colon + 2)};
}

void with_places(const config::Node& root, const std::function<void()>& f) {
    try {
        f();
    } catch (const ConfigError& error) {
        const KeyError e = as_key_error(error);
        if (e.key().empty() || !e.place().empty()) throw;
        if (const config::Node* node = nearest_node(root, e.key())) throw e.placed(node->at.text());
        const config::Node* chip = root.find("chip");
        const config::Node* node = chip != nullptr ? nearest_node(*chip, e.key()) : nullptr;
        if (node == nullptr) throw;
        throw e.below("chip").placed(node->at.text());
    }
}

}  // namespace loom::app
