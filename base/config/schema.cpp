// SPDX-License-Identifier: Apache-2.0
#include "base/config/schema.hpp"

#include <cmath>

#include <fmt/format.h>

#include "base/config/quantity.hpp"

namespace loom::config::detail {

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

std::string json_object(const std::vector<std::string>& members, std::size_t indent) {
    if (members.empty()) return "{}";
    const std::string pad(indent, ' ');
    std::string out = "{";
    for (std::size_t i = 0; i < members.size(); ++i) {
        out += (i > 0 ? ",\n" : "\n") + pad + "  " + members[i];
    }
    return out + "\n" + pad + "}";
}

void json_range(const Field& field, std::vector<std::string>& members) {
    if (std::isfinite(field.min)) members.push_back(json_member("minimum", fmt::format("{}", field.min)));
    if (std::isfinite(field.max)) members.push_back(json_member("maximum", fmt::format("{}", field.max)));
}

void json_quantity(const Field& field, std::vector<std::string>& members) {
    const std::string text =
        fmt::format("{{\"type\": \"string\", \"pattern\": {}}}", json_string(quantity_pattern(field.unit)));
    std::string number = "{\"const\": 0}";
    if (field.unit == Unit::CycleCount) {
        std::string range = "\"type\": \"integer\", \"minimum\": ";
        range += fmt::format("{}", field.min > 0.0 ? field.min : 0.0);
        if (std::isfinite(field.max)) range += fmt::format(", \"maximum\": {}", field.max);
        number = fmt::format("{{{}}}", range);
    }
    if (bare_number(field.unit) && field.unit != Unit::CycleCount) {
        number = "{\"type\": \"number\", \"minimum\": 0}";
    }
    members.push_back(json_member("anyOf", json_list(text + ", " + number)));
}

std::string json_price() {
    return json_list(fmt::format("{{\"type\": \"string\", \"pattern\": {}}}, {{\"const\": 0}}",
                                 json_string(price_pattern())));
}

}  // namespace loom::config::detail
