// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "base/config/reader.hpp"
#include "base/config/writer.hpp"

namespace loom::config {

/// For editors: `includes` allows `file:` in every map and `base:` at the root and requires no key,
/// as files may be parts of a whole. Without it the schema is that of a resolved configuration.
struct SchemaOptions {
    std::string title;
    bool includes = false;
};

namespace detail {

std::string json_string(std::string_view text);
/// `"name": value` members of a JSON object on lines of their own.
std::string json_object(const std::vector<std::string>& members, std::size_t indent);
/// [elements]
std::string json_list(const std::string& elements);
std::string json_member(std::string_view name, const std::string& value);
/// "minimum"/"maximum" members of the range, if any.
void json_range(const Field& field, std::vector<std::string>& members);
/// Members for a value with a unit: a text with unit, zero, or (cycles) a whole number.
void json_quantity(const Field& field, std::vector<std::string>& members);
/// The forms of an EnergyPrice.
std::string json_price();

template <class T>
std::string schema_of(const T& value, const Field& field, const SchemaOptions& options, std::size_t indent,
                      bool root);

class SchemaVisitor {
  public:
    SchemaVisitor(const SchemaOptions& options, std::size_t indent) : options_(options), indent_(indent) {}
    template <class T>
    void operator()(std::string_view name, const T& member, const Field& field) {
        properties.push_back(json_member(name, schema_of(member, field, options_, indent_ + 4, false)));
        if (!field.required) return;
        if (!required.empty()) required += ", ";
        required += json_string(name);
    }
    template <class T, class Base>
    void list_over(std::string_view name, const std::vector<T>& member, const Base&, const Field& field) {
        (*this)(name, member, field);
    }
    template <class T>
    void optional_section(std::string_view name, const std::optional<T>&, const Field& field) {
        (*this)(name, T{}, field);
    }
    std::vector<std::string> properties;
    std::string required;

  private:
    const SchemaOptions& options_;
    std::size_t indent_;
};

template <class T>
std::string schema_of(const T& value, const Field& field, const SchemaOptions& options, std::size_t indent,
                      bool root) {
    std::vector<std::string> members;
    if (root) {
        members.push_back(json_member("$schema", json_string("http://json-schema.org/draft-07/schema#")));
        if (!options.title.empty()) members.push_back(json_member("title", json_string(options.title)));
    }
    if (!field.doc.empty()) members.push_back(json_member("description", json_string(field.doc)));
    const auto add_default = [&](const std::string& text) {
        if (!field.required) members.push_back(json_member("default", text));
    };
    if constexpr (std::same_as<T, bool>) {
        members.push_back(json_member("type", json_string("boolean")));
        add_default(value ? "true" : "false");
    } else if constexpr (std::same_as<T, std::string>) {
        members.push_back(json_member("type", "[\"string\", \"number\", \"boolean\"]"));
        add_default(json_string(value));
    } else if constexpr (std::same_as<T, double> || Integer<T>) {
        if (field.unit == Unit::None) {
            members.push_back(json_member("type", json_string(Integer<T> ? "integer" : "number")));
            Field range = field;
            if constexpr (std::is_unsigned_v<T>) range.min = range.min > 0.0 ? range.min : 0.0;
            json_range(range, members);
            add_default(write_value(value, field).scalar);
        } else {
            json_quantity(field, members);
            add_default(json_string(write_value(value, field).scalar));
        }
    } else if constexpr (std::same_as<T, EnergyPrice>) {
        members.push_back(json_member("anyOf", json_price()));
        add_default(json_string(format_price(value)));
    } else if constexpr (std::is_enum_v<T>) {
        std::string names;
        for (const auto name : enum_names(static_cast<T*>(nullptr))) {
            if (!names.empty()) names += ", ";
            names += json_string(name);
        }
        members.push_back(json_member("enum", json_list(names)));
        add_default(json_string(write_value(value, field).scalar));
    } else if constexpr (is_optional<T>) {
        typename T::value_type item{};
        Field inner = field;
        inner.doc = {};
        inner.required = true;  // no default to show
        std::string choices = "[{\"type\": \"null\"}, ";
        choices += schema_of(item, inner, options, indent + 2, false);
        choices += ']';
        members.push_back(json_member("anyOf", choices));
    } else if constexpr (is_short_list<T>) {
        Field inner = field;
        inner.doc = {};
        inner.required = true;
        typename decltype(T::values)::value_type item{};
        std::string choices = "[" + schema_of(item, inner, options, indent + 2, false) + ", ";
        choices += schema_of(value.values, inner, options, indent + 2, false) + "]";
        members.push_back(json_member("anyOf", choices));
    } else if constexpr (is_vector<T> || is_map<T>) {
        Field inner = field;
        inner.doc = {};
        inner.required = true;
        std::string items;
        if constexpr (is_vector<T>) {
            typename T::value_type item{};
            items = schema_of(item, inner, options, indent + 2, false);
        } else {
            typename T::mapped_type item{};
            items = schema_of(item, inner, options, indent + 2, false);
        }
        members.push_back(json_member("type", json_string(is_vector<T> ? "array" : "object")));
        members.push_back(json_member(is_vector<T> ? "items" : "additionalProperties", items));
    } else {
        SchemaVisitor visitor(options, indent);
        fields(visitor, const_cast<T&>(value));  // descriptions take T&; this visitor only reads
        if (options.includes) {
            visitor.properties.push_back(json_member("file", "{\"type\": \"string\"}"));
            if (root) visitor.properties.push_back(json_member("base", "{\"type\": \"string\"}"));
        }
        members.push_back(json_member("type", json_string("object")));
        members.push_back(json_member("additionalProperties", "false"));
        if (!visitor.required.empty() && !options.includes) {
            members.push_back(json_member("required", json_list(visitor.required)));
        }
        members.push_back(json_member("properties", json_object(visitor.properties, indent + 2)));
    }
    return json_object(members, indent);
}

}  // namespace detail

/// JSON Schema (draft-07) of a described struct; defaults are those of T{}.
template <class T>
std::string json_schema(const SchemaOptions& options = {}) {
    T value{};
    return detail::schema_of(value, Field{}, options, 0, true) + "\n";
}

}  // namespace loom::config
