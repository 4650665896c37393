// SPDX-License-Identifier: Apache-2.0
#include "base/key_error.hpp"

#include <utility>

namespace loom {
namespace {

std::string message(const std::string& key, const std::string& problem, const std::string& place) {
    return (place.empty() ? "" : place + ": ") + (key.empty() ? "" : key + ": ") + problem;
}

}  // namespace

KeyError::KeyError(std::string key, std::string problem, std::string place)
    : ConfigError(message(key, problem, place)),
      key_(std::move(key)),
      problem_(std::move(problem)),
      place_(std::move(place)) {}

KeyError KeyError::below(const std::string& section) const {
    return {key_.empty() ? section : section + "." + key_, problem_, place_};
}

}  // namespace loom
