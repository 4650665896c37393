// SPDX-License-Identifier: Apache-2.0
#include "base/config/schema.hpp"

#include <cmath>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "base/config/quantity.hpp"
#include "base/config/writer.hpp"

namespace loom::config {
namespace {

std::string json_string(std::string_view text) {
    std::string out = "\"";
    for (const char c : text) {
        if (c == '"' || c == '\\') {
            out += '\\';
            out += c;
        } else if (static_cast<unsigned char>(c) < 0x20) {
            out += fmt::format("\\u{:04x}", static_cast<unsigned>(c));
        } else {
            out += c;
        }
    }
    return out + '"';
}

std::string json_list(const std::string& elements) {
    return fmt::format("[{}]", elements);
}

std::string json_member(std::string_view name, const std::string& value) {
    return json_string(name) + ": " + value;
}

/// `"name": value` members of a JSON object on lines of their own.
std::string json_object(const std::vector<std::string>& members, std::size_t indent) {
    if (members.empty()) return "{}";
    const std::string pad(indent, ' ');
    std::string out = "{";
    for (std::size_t i = 0; i < members.size(); ++i) {
        out += (i > 0 ? ",\n" : "\n") + pad + "  " + members[i];
    }
    return out + "\n" + pad + "}";
}

/// "minimum"/"maximum" members of the range, if any.
void json_range(const Field& field, std::vector<std::string>& members) {
    if (std::isfinite(field.min)) members.push_back(json_member("minimum", fmt::format("{}", field.min)));
    if (std::isfinite(field.max)) members.push_back(json_member("maximum", fmt::format("{}", field.max)));
}

/// Members for a value with a unit: a text with unit, zero, or (cycles) a whole number.
void json_quantity(const Field& field, std::vector<std::string>& members) {
    const std::string text =
        fmt::format("{{\"type\": \"string\", \"pattern\": {}}}", json_string(quantity_pattern(field.unit)));
    std::string number = "{\"const\": 0}";
    if (field.unit == Unit::CycleCount) {
        std::string range = "\"type\": \"integer\", \"minimum\": ";
        range += fmt::format("{}", field.min);
        if (std::isfinite(field.max)) range += fmt::format(", \"maximum\": {}", field.max);
        number = fmt::format("{{{}}}", range);
    }
    if (bare_number(field.unit) && field.unit != Unit::CycleCount) {
        number = "{\"type\": \"number\", \"minimum\": 0}";
    }
    members.push_back(json_member("anyOf", json_list(text + ", " + number)));
}

/// The forms of an EnergyPrice.
std::string json_price() {
    return json_list(fmt::format("{{\"type\": \"string\", \"pattern\": {}}}, {{\"const\": 0}}",
                                 json_string(price_pattern())));
}

/// What the schema of one value is made of.
struct Shown {
    const void* value;
    const ValueType& type;
    const Field& field;
};

std::string schema_of(const Shown& shown, const SchemaOptions& options, std::size_t indent, bool root);

/// The properties of a struct.
class SchemaVisitor final : public FieldVisitor {
  public:
    SchemaVisitor(const SchemaOptions& options, std::size_t indent) : options_(options), indent_(indent) {}
    std::vector<std::string> properties;
    std::string required;

  protected:
    void member(std::string_view name, void* value, const ValueType& type, const Field& field) override {
        properties.push_back(
            json_member(name, schema_of({value, type, field}, options_, indent_ + 4, false)));
        if (!field.required) return;
        if (!required.empty()) required += ", ";
        required += json_string(name);
    }
    void list(std::string_view name, void* value, const ValueType& type, const void* start,
              const Field& field) override;
    void section(std::string_view name, void*, const ValueType& type, const Field& field) override {
        type.item->with_default([&](void* item) { member(name, item, *type.item, field); });
    }

  private:
    const SchemaOptions& options_;
    std::size_t indent_;
};

/// The schema of a value inside another, which has no text and no default of its own.
std::string inner_schema(const ValueType& type, const Field& outer, const SchemaOptions& options,
                         std::size_t indent) {
    Field field = outer;
    field.doc = {};
    field.required = true;
    std::string text;
    type.with_default([&](void* item) { text = schema_of({item, type, field}, options, indent + 2, false); });
    return text;
}

/// Of the items of a list that start from a value of their own: what they know when the program runs goes on.
std::string item_schema(const void* start, const ValueType& type, const Field& outer,
                        const SchemaOptions& options, std::size_t indent) {
    Field field = outer;
    field.doc = {};
    field.required = true;
    return schema_of({start, type, field}, options, indent + 2, false);
}

void SchemaVisitor::list(std::string_view name, void*, const ValueType& type, const void* start,
                         const Field& field) {
    std::vector<std::string> members{json_member("description", json_string(field.doc)),
                                     json_member("type", json_string("array"))};
    members.push_back(json_member("items", item_schema(start, *type.item, field, options_, indent_ + 4)));
    properties.push_back(json_member(name, json_object(members, indent_ + 4)));
}

void number_members(const Shown& s, std::vector<std::string>& members) {
    const bool is_whole = s.type.kind != ValueType::Kind::Double;
    std::string text = write_described(s.value, s.type, s.field).scalar;
    if (s.field.unit == Unit::None) {
        members.push_back(json_member("type", json_string(is_whole ? "integer" : "number")));
        json_range(range_of(s.field, s.type), members);
    } else {
        json_quantity(range_of(s.field, s.type), members);
        text = json_string(text);
    }
    if (!s.field.required) members.push_back(json_member("default", text));
}

void struct_members(const Shown& s, const SchemaOptions& options, std::size_t indent, bool root,
                    std::vector<std::string>& members) {
    SchemaVisitor visitor(options, indent);
    s.type.fields(visitor, const_cast<void*>(s.value));  // descriptions take T&; this visitor only reads
    if (options.includes) {
        visitor.properties.push_back(json_member("file", "{\"type\": \"string\"}"));
        if (root) visitor.properties.push_back(json_member("base", "{\"type\": \"string\"}"));
    }
    members.push_back(json_member("type", json_string("object")));
    members.push_back(json_member("additionalProperties", "false"));
    if (!visitor.required.empty() && !options.includes)
        members.push_back(json_member("required", json_list(visitor.required)));
    members.push_back(json_member("properties", json_object(visitor.properties, indent + 2)));
}

/// A type of one word (or several), and the default.
void plain_members(const Shown& s, const std::string& type, const std::string& value,
                   std::vector<std::string>& members) {
    members.push_back(type);
    if (!s.field.required) members.push_back(json_member("default", value));
}

std::string enum_schema(const Shown& s) {
    std::string names;
    for (const auto name : s.type.names()) {
        if (!names.empty()) names += ", ";
        names += json_string(name);
    }
    return json_member("enum", json_list(names));
}

void type_members(const Shown& s, const SchemaOptions& options, std::size_t indent, bool root,
                  std::vector<std::string>& members) {
    using Kind = ValueType::Kind;
    const auto text = [&] { return write_described(s.value, s.type, s.field).scalar; };
    switch (s.type.kind) {
        case Kind::Bool:
            return plain_members(s, json_member("type", json_string("boolean")), text(), members);
        case Kind::String:
            return plain_members(s, json_member("type", "[\"string\", \"number\", \"boolean\"]"),
                                 json_string(text()), members);
        case Kind::Double:
        case Kind::Unsigned:
        case Kind::Signed:
            return number_members(s, members);
        case Kind::Price:
            return plain_members(s, json_member("anyOf", json_price()), json_string(text()), members);
        case Kind::Enum:
            return plain_members(s, enum_schema(s), json_string(text()), members);
        case Kind::Optional: {
            const std::string inner = inner_schema(*s.type.item, s.field, options, indent);
            members.push_back(json_member("anyOf", "[{\"type\": \"null\"}, " + inner + ']'));
            return;
        }
        case Kind::ShortList: {
            const std::string one = inner_schema(*s.type.item->item, s.field, options, indent);
            const std::string many = inner_schema(*s.type.item, s.field, options, indent);
            members.push_back(json_member("anyOf", json_list(one + ", " + many)));
            return;
        }
        case Kind::Vector:
        case Kind::Map: {
            const bool list = s.type.kind == Kind::Vector;
            const std::string items = inner_schema(*s.type.item, s.field, options, indent);
            members.push_back(json_member("type", json_string(list ? "array" : "object")));
            members.push_back(json_member(list ? "items" : "additionalProperties", items));
            return;
        }
        case Kind::Struct:
            return struct_members(s, options, indent, root, members);
    }
}

std::string schema_of(const Shown& shown, const SchemaOptions& options, std::size_t indent, bool root) {
    std::vector<std::string> members;
    if (root) {
        members.push_back(json_member("$schema", json_string("http://json-schema.org/draft-07/schema#")));
        if (!options.title.empty()) members.push_back(json_member("title", json_string(options.title)));
    }
    if (!shown.field.doc.empty()) members.push_back(json_member("description", json_string(shown.field.doc)));
    type_members(shown, options, indent, root, members);
    return json_object(members, indent);
}

}  // namespace

std::string schema_of_described(const void* value, const ValueType& type, const SchemaOptions& options) {
    return schema_of({value, type, Field{}}, options, 0, true) + "\n";
}

}  // namespace loom::config
