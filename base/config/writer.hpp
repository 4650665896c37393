// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>
#include <type_traits>

#include "base/config/located_yaml.hpp"
#include "base/config/quantity.hpp"
#include "base/config/reader.hpp"

namespace loom::config {

namespace detail {

template <class T>
Node write_value(const T& value, const Field& field);

class WriteVisitor {
  public:
    template <class T>
    void operator()(std::string_view name, const T& member, const Field& field) {
        node.put(std::string(name), write_value(member, field));
    }
    /// Lists that most configurations do without: an empty one is left out.
    template <class T, class Base>
    void list_over(std::string_view name, const std::vector<T>& member, const Base&, const Field& field) {
        if (!member.empty()) (*this)(name, member, field);
    }
    template <class T>
    void optional_section(std::string_view name, const std::optional<T>& member, const Field& field) {
        if (member) (*this)(name, *member, field);
    }
    Node node = Node::make_map();
};

template <class T>
Node write_value(const T& value, const Field& field) {
    if constexpr (std::same_as<T, bool>) {
        return Node::make_scalar(value ? "true" : "false");
    } else if constexpr (std::same_as<T, std::string>) {
        return Node::make_scalar(value, true);
    } else if constexpr (std::same_as<T, double>) {
        return Node::make_scalar(format_quantity(value, field.unit));
    } else if constexpr (std::same_as<T, EnergyPrice>) {
        return Node::make_scalar(format_price(value));
    } else if constexpr (Integer<T>) {
        if (field.unit == Unit::None) return Node::make_scalar(std::to_string(value));
        return Node::make_scalar(format_quantity(static_cast<double>(value), field.unit));
    } else if constexpr (std::is_enum_v<T>) {
        const auto names = enum_names(static_cast<T*>(nullptr));
        return Node::make_scalar(std::string(names[static_cast<std::size_t>(value)]));
    } else if constexpr (is_optional<T>) {
        return value ? write_value(*value, field) : Node::make_null();
    } else if constexpr (is_vector<T>) {
        Node node = Node::make_sequence();
        for (const typename T::value_type& item : value) {
            node.sequence.push_back(write_value(item, field));
        }
        return node;
    } else if constexpr (is_short_list<T>) {
        return value.values.size() == 1 ? write_value(value.values[0], field)
                                        : write_value(value.values, field);
    } else if constexpr (is_map<T>) {
        Node node = Node::make_map();
        for (const auto& [key, item] : value) node.put(key, write_value(item, field));
        return node;
    } else {
        WriteVisitor visitor;
        fields(visitor, const_cast<T&>(value));  // descriptions take T&; this visitor only reads
        return std::move(visitor.node);
    }
}

}  // namespace detail

/// The whole of a described struct, defaults included, dimensional values with units.
/// read<T>(to_node(x)) has the members of x.
template <class T>
Node to_node(const T& value) {
    return detail::write_value(value, Field{});
}

}  // namespace loom::config
