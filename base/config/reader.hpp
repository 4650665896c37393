// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "base/config/located_yaml.hpp"
#include "base/described.hpp"

namespace loom::config {

/// The candidate closest to `word` if it is close enough to be meant; empty otherwise.
std::string nearest_spelling(std::string_view word, std::span<const std::string_view> candidates);

/// Reads a tree into a value of a described type; see read_into.
void read_described(const Node& node, const std::string& key_path, void* value, const ValueType& type);

/// Reads a tree over the values `value` has already. Members that the tree does not name keep
/// their value; vectors and maps are replaced. All errors (up to 20) come in one ConfigError, a line
/// each: "file:line:col: key.path: problem". `key_path` is the path of the root in the messages.
template <class T>
void read_into(const Node& node, const std::string& key_path, T& value) {
    T result = value;
    read_described(node, key_path, &result, type_of<T>());
    value = std::move(result);
}

/// Reads a tree over a default-constructed T.
template <class T>
T read(const Node& node, const std::string& key_path = "") {
    T value{};
    read_described(node, key_path, &value, type_of<T>());
    return value;
}

}  // namespace loom::config
