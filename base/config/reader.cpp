// SPDX-License-Identifier: Apache-2.0
#include "base/config/reader.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <set>
#include <tuple>

#include <fmt/format.h>

#include "base/config/quantity.hpp"
#include "base/error.hpp"
#include "base/nearest.hpp"

namespace loom::config {
namespace {

/// Collects the errors of one read.
class Errors {
  public:
    static constexpr std::size_t limit = 20;
    void add(const Location& at, const std::string& path, const std::string& problem);
    /// Throws one ConfigError with a line for each error, in the order of the files' lines.
    void throw_if_any() const;

  private:
    struct Item {
        Location at;
        std::string line;
    };
    std::vector<Item> items_;
};

std::string list(std::span<const std::string_view> names) {
    std::string text;
    for (const auto name : names) {
        if (!text.empty()) text += ", ";
        text += name;
    }
    return text;
}

std::string kind_of(Unit unit) {
    return fmt::format("{} {}", unit == Unit::Energy ? "an" : "a", unit_noun(unit));
}

std::string bound(double value, Unit unit) {
    return value == 0.0 || unit == Unit::None || unit == Unit::CycleCount ? fmt::format("{}", value)
                                                                          : format_quantity(value, unit);
}

/// Adds an error and returns false when the value is out of the field's range.
bool in_range(Errors& errors, const Node& node, const std::string& path, const Field& field,
              double value) {
    if (value < field.min) {
        errors.add(node.at, path,
                   fmt::format("must be >= {} (got {})", bound(field.min, field.unit), node.scalar));
        return false;
    }
    if (value > field.max) {
        errors.add(node.at, path,
                   fmt::format("must be <= {} (got {})", bound(field.max, field.unit), node.scalar));
        return false;
    }
    return true;
}

bool expect_scalar(Errors& errors, const Node& node, const std::string& path, std::string_view what) {
    if (node.is_scalar()) return true;
    errors.add(node.at, path, fmt::format("expected {}, got {}", what, node.describe()));
    return false;
}

/// A whole number; on failure adds the error and returns false.
template <class I>
bool parse_whole(Errors& errors, const Node& node, const std::string& path, I& out) {
    const std::string& text = node.scalar;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
    const bool complete = end == text.data() + text.size();
    if (error == std::errc::result_out_of_range && complete) {
        errors.add(node.at, path, fmt::format("{} is out of range", text));
        return false;
    }
    if (error != std::errc{} || !complete) {
        errors.add(node.at, path, fmt::format("expected a whole number, got '{}'", text));
        return false;
    }
    return true;
}

bool is_negative_whole(const std::string& text) {
    return text.size() > 1 && text[0] == '-' &&
           std::all_of(text.begin() + 1, text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

void Errors::add(const Location& at, const std::string& path, const std::string& problem) {
    std::string line = at.file.empty() ? std::string() : at.text() + ": ";
    if (!path.empty()) line += path + ": ";
    items_.push_back({at, line + problem});
}

void Errors::throw_if_any() const {
    if (items_.empty()) return;
    auto items = items_;
    std::stable_sort(items.begin(), items.end(), [](const Item& a, const Item& b) {
        return std::tie(a.at.file, a.at.line, a.at.column) < std::tie(b.at.file, b.at.line, b.at.column);
    });
    std::string message;
    for (std::size_t i = 0; i < std::min(items.size(), limit); ++i) {
        if (i > 0) message += '\n';
        message += items[i].line;
    }
    if (items.size() > limit) {
        message += fmt::format("\nand {} more errors", items.size() - limit);
    }
    throw ConfigError(message);
}

std::string join(const std::string& path, std::string_view key) {
    return path.empty() ? std::string(key) : path + '.' + std::string(key);
}

std::string join(const std::string& path, std::size_t index) {
    return join(path, std::string_view(std::to_string(index)));
}

bool read_bool(Errors& errors, const Node& node, const std::string& path, bool& out) {
    if (!expect_scalar(errors, node, path, "true or false")) return false;
    if (node.scalar != "true" && node.scalar != "false") {
        errors.add(node.at, path, fmt::format("expected true or false, got '{}'", node.scalar));
        return false;
    }
    out = node.scalar == "true";
    return true;
}

bool read_string(Errors& errors, const Node& node, const std::string& path, std::string& out) {
    if (!expect_scalar(errors, node, path, "a text")) return false;
    out = node.scalar;
    return true;
}

bool read_double(Errors& errors, const Node& node, const std::string& path, const Field& field, double& out) {
    if (!expect_scalar(errors, node, path, kind_of(field.unit))) return false;
    try {
        const double value = parse_quantity(node.scalar, field.unit);
        if (!in_range(errors, node, path, field, value)) return false;
        out = value;
        return true;
    } catch (const ConfigError& e) {
        errors.add(node.at, path, e.what());
        return false;
    }
}

bool read_price(Errors& errors, const Node& node, const std::string& path, EnergyPrice& out) {
    if (!expect_scalar(errors, node, path, kind_of(Unit::Energy))) return false;
    try {
        out = parse_price(node.scalar);
        return true;
    } catch (const ConfigError& e) {
        errors.add(node.at, path, e.what());
        return false;
    }
}

bool read_unsigned(Errors& errors, const Node& node, const std::string& path, const Field& field,
                   std::uint64_t type_max, std::uint64_t& out) {
    if (!expect_scalar(errors, node, path, kind_of(field.unit))) return false;
    std::uint64_t value = 0;
    if (field.unit == Unit::None) {
        if (is_negative_whole(node.scalar)) {
            errors.add(node.at, path,
                       fmt::format("must be >= {} (got {})", std::fmax(field.min, 0.0), node.scalar));
            return false;
        }
        if (!parse_whole(errors, node, path, value)) return false;
    } else {
        try {
            value = parse_whole_quantity(node.scalar, field.unit);
        } catch (const ConfigError& e) {
            errors.add(node.at, path, e.what());
            return false;
        }
    }
    if (value > type_max) {
        errors.add(node.at, path, fmt::format("{} is out of range", node.scalar));
        return false;
    }
    if (!in_range(errors, node, path, field, static_cast<double>(value))) return false;
    out = value;
    return true;
}

bool read_signed(Errors& errors, const Node& node, const std::string& path, const Field& field,
                 std::int64_t& out) {
    if (!expect_scalar(errors, node, path, "a number")) return false;
    std::int64_t value = 0;
    if (!parse_whole(errors, node, path, value)) return false;
    if (!in_range(errors, node, path, field, static_cast<double>(value))) return false;
    out = value;
    return true;
}

bool read_enum(Errors& errors, const Node& node, const std::string& path,
               std::span<const std::string_view> names, std::size_t& out) {
    if (!expect_scalar(errors, node, path, fmt::format("one of {}", list(names)))) return false;
    const auto found = std::find(names.begin(), names.end(), node.scalar);
    if (found == names.end()) {
        const std::string meant = nearest_spelling(node.scalar, names);
        errors.add(node.at, path,
                   fmt::format("'{}' is not one of {}{}", node.scalar, list(names),
                               meant.empty() ? std::string() : fmt::format("; did you mean '{}'?", meant)));
        return false;
    }
    out = static_cast<std::size_t>(found - names.begin());
    return true;
}

bool expect_map(Errors& errors, const Node& node, const std::string& path) {
    if (node.is_map()) return true;
    errors.add(node.at, path, fmt::format("expected a map, got {}", node.describe()));
    return false;
}

bool expect_sequence(Errors& errors, const Node& node, const std::string& path) {
    if (node.is_sequence()) return true;
    errors.add(node.at, path, fmt::format("expected a sequence, got {}", node.describe()));
    return false;
}

void check_keys(Errors& errors, const Node& node, const std::string& path,
                std::span<const std::string_view> known) {
    std::set<std::string_view> seen;
    for (const auto& entry : node.map) {
        if (!seen.insert(entry.key).second) {
            errors.add(entry.at, join(path, entry.key), "duplicate key");
        } else if (std::find(known.begin(), known.end(), entry.key) == known.end()) {
            const std::string meant = nearest_spelling(entry.key, known);
            errors.add(entry.at, join(path, entry.key),
                       meant.empty() ? fmt::format("unknown key; known: {}", list(known))
                                     : fmt::format("unknown key; did you mean '{}'?", meant));
        }
    }
}

void read_value(Errors& errors, const Node& node, const std::string& path, const Field& field, void* out,
                const ValueType& type);

/// A list whose items start as copies of `start`, or as default values when it is null.
void read_list(Errors& errors, const Node& node, const std::string& path, const Field& field,
               const void* start, void* out, const ValueType& type) {
    if (!expect_sequence(errors, node, path)) return;
    type.clear(out);
    for (std::size_t i = 0; i < node.sequence.size(); ++i) {
        type.append(out, start, [&](void* item) {
            read_value(errors, node.sequence[i], join(path, i), field, item, *type.item);
        });
    }
}

class ReadVisitor final : public FieldVisitor {
  public:
    ReadVisitor(Errors& errors, const Node& node, const std::string& path)
        : errors_(errors), node_(node), path_(path) {}
    std::span<const std::string_view> known() const { return known_; }

  protected:
    void member(std::string_view name, void* value, const ValueType& type, const Field& field) override {
        known_.push_back(name);
        if (const Node* found = node_.find(name)) {
            read_value(errors_, *found, join(path_, name), field, value, type);
        } else if (field.required) {
            errors_.add(node_.at, join(path_, name), "required key is missing");
        }
    }
    void list(std::string_view name, void* value, const ValueType& type, const void* start,
              const Field& field) override {
        known_.push_back(name);
        const Node* found = node_.find(name);
        if (found != nullptr) read_list(errors_, *found, join(path_, name), field, start, value, type);
    }
    void section(std::string_view name, void* value, const ValueType& type, const Field& field) override {
        member(name, value, type, field);
    }

  private:
    Errors& errors_;
    const Node& node_;
    const std::string& path_;
    std::vector<std::string_view> known_;
};

void read_map(Errors& errors, const Node& node, const std::string& path, const Field& field, void* out,
              const ValueType& type) {
    if (!expect_map(errors, node, path)) return;
    type.clear(out);
    for (const auto& entry : node.map) {
        const bool is_new = type.insert(out, entry.key, [&](void* item) {
            read_value(errors, entry.value, join(path, entry.key), field, item, *type.item);
        });
        if (!is_new) errors.add(entry.at, join(path, entry.key), "duplicate key");
    }
}

void read_value(Errors& errors, const Node& node, const std::string& path, const Field& field, void* out,
                const ValueType& type) {
    using Kind = ValueType::Kind;
    switch (type.kind) {
        case Kind::Bool: read_bool(errors, node, path, *static_cast<bool*>(out)); return;
        case Kind::String: read_string(errors, node, path, *static_cast<std::string*>(out)); return;
        case Kind::Double: read_double(errors, node, path, field, *static_cast<double*>(out)); return;
        case Kind::Price: read_price(errors, node, path, *static_cast<EnergyPrice*>(out)); return;
        case Kind::Unsigned: {
            std::uint64_t value = 0;
            if (read_unsigned(errors, node, path, range_of(field, type), type.max, value)) type.set(out, value);
            return;
        }
        case Kind::Signed: {
            std::int64_t value = 0;
            if (read_signed(errors, node, path, range_of(field, type), value)) type.set(out, static_cast<std::uint64_t>(value));
            return;
        }
        case Kind::Enum: {
            std::size_t index = 0;
            if (read_enum(errors, node, path, type.names(), index)) type.set(out, index);
            return;
        }
        case Kind::Optional: {
            if (node.is_null()) return type.clear(out);
            void* content = type.content(out);
            return read_value(errors, node, path, field, content != nullptr ? content : type.emplace(out), *type.item);
        }
        case Kind::Vector: return read_list(errors, node, path, field, nullptr, out, type);
        case Kind::ShortList: {
            const ValueType& vector = *type.item;
            void* values = type.content(out);
            if (node.is_sequence()) return read_value(errors, node, path, field, values, vector);
            vector.clear(values);
            vector.append(values, nullptr,
                          [&](void* item) { read_value(errors, node, path, field, item, *vector.item); });
            return;
        }
        case Kind::Map: return read_map(errors, node, path, field, out, type);
        case Kind::Struct: {
            if (!expect_map(errors, node, path)) return;
            ReadVisitor visitor(errors, node, path);
            type.fields(visitor, out);
            check_keys(errors, node, path, visitor.known());
            return;
        }
    }
}

}  // namespace

std::string nearest_spelling(std::string_view word, std::span<const std::string_view> candidates) {
    std::size_t best = std::max<std::size_t>(2, word.size() / 3) + 1;
    best = std::min(best, std::max<std::size_t>(word.size(), 1));
    std::string_view nearest;
    for (const auto candidate : candidates) {
        const std::size_t d = edit_distance(word, candidate, false);
        if (d < best) {
            best = d;
            nearest = candidate;
        }
    }
    return std::string(nearest);
}

void read_described(const Node& node, const std::string& key_path, void* value, const ValueType& type) {
    Errors errors;
    read_value(errors, node, key_path, Field{}, value, type);
    errors.throw_if_any();
}

}  // namespace loom::config
