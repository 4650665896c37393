// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/config/located_yaml.hpp"
#include "base/key_error.hpp"

/// What every reader of a configuration file needs.
namespace loom::app {

/// Absolute path of the file that `key` names: relative to the file that says it, --set values to the working
/// directory.
std::string resolve(const config::Node& root, std::string_view key, const std::string& value);

/// Applies "key.path=value" of the command line; Usage error for what has no `=`.
void apply_sets(config::Node& root, const std::vector<std::string>& sets);

/// An error as one with its key as data. Code that still throws "key.path: problem" as text gets it cut out.
KeyError as_key_error(const ConfigError& e);

/// Runs f. A ConfigError about a key of `root`, or of its section `chip`, gets the place where the key is
/// written, or where the nearest section around it is; one about another key goes through as it is.
void with_places(const config::Node& root, const std::function<void()>& f);

}  // namespace loom::app
