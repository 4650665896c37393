// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cctype>

#include <fmt/format.h>

#include "base/config/located_yaml.hpp"

namespace loom::config {
namespace {

std::string quote(std::string_view text) {
    std::string out = "\"";
    for (const char c : text) {
        switch (c) {
            case '"':
                out += "\\\"";
                break;
            case '\\':
                out += "\\\\";
                break;
            case '\n':
                out += "\\n";
                break;
            case '\t':
                out += "\\t";
                break;
            case '\r':
                out += "\\r";
                break;
            default:
                if (static_cast<unsigned char>(c) < 0x20) {
                    out += fmt::format("\\x{:02x}", static_cast<unsigned>(c));
                } else {
                    out += c;
                }
        }
    }
    return out + '"';
}

/// Plain text is safe in block and flow style: starts with a letter, digit or dot-like sign and
/// holds nothing that YAML gives a meaning.
bool plain(std::string_view text) {
    if (text.empty() || text.back() == ' ') return false;
    const auto first = static_cast<unsigned char>(text.front());
    const bool negative = text.size() > 1 && first == '-' && text[1] != ' ' && text[1] != '-';
    if (std::isalnum(first) == 0 && first != '/' && first != '.' && first != '_' && !negative) {
        return false;
    }
    if (text.starts_with("...")) return false;
    return std::all_of(text.begin(), text.end(), [](unsigned char c) {
        return std::isalnum(c) != 0 || c == ' ' || c == '.' || c == '_' || c == '-' || c == '/' || c == '+' ||
               c == '(' || c == ')';
    });
}

bool looks_typed(std::string_view text) {
    return text == "null" || text == "Null" || text == "NULL" || text == "true" || text == "false" ||
           std::isdigit(static_cast<unsigned char>(text.front())) != 0 || text.front() == '-' ||
           text.front() == '.';
}

std::string scalar_text(const std::string& text, bool is_string) {
    if (!plain(text) || (is_string && looks_typed(text))) return quote(text);
    return text;
}

std::string flow(const Node& node) {
    return node.is_null() ? "~" : scalar_text(node.scalar, node.quoted);
}

bool is_leaf(const Node& node) {
    return node.is_null() || node.is_scalar();
}

void write(const Node& node, std::size_t indent, std::string& out);

/// What follows "key:" or "-".
void write_value(const Node& node, std::size_t indent, std::string& out) {
    if (is_leaf(node)) {
        out += ' ';
        out += flow(node);
        out += '\n';
    } else if (node.is_map() && node.map.empty()) {
        out += " {}\n";
    } else if (node.is_sequence() && std::all_of(node.sequence.begin(), node.sequence.end(), is_leaf)) {
        out += " [";
        for (std::size_t i = 0; i < node.sequence.size(); ++i) {
            if (i > 0) out += ", ";
            out += flow(node.sequence[i]);
        }
        out += "]\n";
    } else {
        out += '\n';
        write(node, indent, out);
    }
}

void write(const Node& node, std::size_t indent, std::string& out) {
    const std::string pad(indent, ' ');
    for (const auto& entry : node.map) {
        out += pad + scalar_text(entry.key, true) + ':';
        write_value(entry.value, indent + 2, out);
    }
    for (const auto& item : node.sequence) {
        out += pad + '-';
        write_value(item, indent + 2, out);
    }
}

}  // namespace

std::string emit(const Node& node) {
    std::string out;
    const bool block =
        (node.is_map() && !node.map.empty()) ||
        (node.is_sequence() && !std::all_of(node.sequence.begin(), node.sequence.end(), is_leaf));
    if (block) {
        write(node, 0, out);
    } else {
        write_value(node, 0, out);
        out.erase(0, 1);  // the space after "key:"
    }
    return out;
}

}  // namespace loom::config
