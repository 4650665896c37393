// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "base/config/located_yaml.hpp"
#include "base/described.hpp"

namespace loom::config {

/// The node of a value of a described type; see to_node.
Node write_described(const void* value, const ValueType& type, const Field& field = {});

/// The whole of a described struct, defaults included, dimensional values with units.
/// read<T>(to_node(x)) has the members of x.
template <class T>
Node to_node(const T& value) {
    return write_described(&value, type_of<T>());
}

}  // namespace loom::config
