// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <concepts>
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "base/energy_price.hpp"
#include "base/fields.hpp"
#include "base/short_list.hpp"
#include "base/config/located_yaml.hpp"

namespace loom::config {

/// The candidate closest to `word` if it is close enough to be meant; empty otherwise.
std::string nearest_spelling(std::string_view word, std::span<const std::string_view> candidates);

namespace detail {

template <class T>
inline constexpr bool is_vector = false;
template <class T>
inline constexpr bool is_vector<std::vector<T>> = true;
template <class T>
inline constexpr bool is_optional = false;
template <class T>
inline constexpr bool is_optional<std::optional<T>> = true;
template <class T>
inline constexpr bool is_short_list = false;
template <class T>
inline constexpr bool is_short_list<ShortList<T>> = true;
template <class T>
inline constexpr bool is_map = false;
template <class T>
inline constexpr bool is_map<std::map<std::string, T>> = true;
template <class T>
concept Integer = std::integral<T> && !std::same_as<T, bool>;

/// Collects the errors of one read().
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

std::string join(const std::string& path, std::string_view key);
std::string join(const std::string& path, std::size_t index);

// The scalar readers return false after adding an error.
bool read_bool(Errors& errors, const Node& node, const std::string& path, bool& out);
bool read_string(Errors& errors, const Node& node, const std::string& path, std::string& out);
bool read_double(Errors& errors, const Node& node, const std::string& path, const Field& field, double& out);
bool read_price(Errors& errors, const Node& node, const std::string& path, EnergyPrice& out);
bool read_unsigned(Errors& errors, const Node& node, const std::string& path, const Field& field,
                   std::uint64_t type_max, std::uint64_t& out);
bool read_signed(Errors& errors, const Node& node, const std::string& path, const Field& field,
                 std::int64_t& out);
bool read_enum(Errors& errors, const Node& node, const std::string& path,
               std::span<const std::string_view> names, std::size_t& out);
bool expect_map(Errors& errors, const Node& node, const std::string& path);
bool expect_sequence(Errors& errors, const Node& node, const std::string& path);
/// Unknown and duplicate keys of a struct.
void check_keys(Errors& errors, const Node& node, const std::string& path,
                std::span<const std::string_view> known);

template <class T>
void read_value(Errors& errors, const Node& node, const std::string& path, const Field& field, T& out);
/// A list whose items start as copies of `start`.
template <class T>
void read_list(Errors& errors, const Node& node, const std::string& path, const Field& field, const T& start,
               std::vector<T>& out);

class ReadVisitor {
  public:
    ReadVisitor(Errors& errors, const Node& node, const std::string& path)
        : errors_(errors), node_(node), path_(path) {}

    template <class T>
    void operator()(std::string_view name, T& member, const Field& field) {
        known_.push_back(name);
        if (const Node* value = node_.find(name)) {
            read_value(errors_, *value, join(path_, name), field, member);
        } else if (field.required) {
            errors_.add(node_.at, join(path_, name), "required key is missing");
        }
    }
    /// A list of T, each item of which starts from `base`, a base of T.
    template <class T, class Base>
    void list_over(std::string_view name, std::vector<T>& member, const Base& base, const Field& field) {
        known_.push_back(name);
        const Node* value = node_.find(name);
        if (value == nullptr) return;
        T start{};
        static_cast<Base&>(start) = base;
        read_list(errors_, *value, join(path_, name), field, start, member);
    }
    /// A section that most configurations do without.
    template <class T>
    void optional_section(std::string_view name, std::optional<T>& member, const Field& field) {
        (*this)(name, member, field);
    }
    std::span<const std::string_view> known() const { return known_; }

  private:
    Errors& errors_;
    const Node& node_;
    const std::string& path_;
    std::vector<std::string_view> known_;
};

template <class T>
void read_value(Errors& errors, const Node& node, const std::string& path, const Field& field, T& out) {
    if constexpr (std::same_as<T, bool>) {
        read_bool(errors, node, path, out);
    } else if constexpr (std::same_as<T, std::string>) {
        read_string(errors, node, path, out);
    } else if constexpr (std::same_as<T, double>) {
        read_double(errors, node, path, field, out);
    } else if constexpr (std::same_as<T, EnergyPrice>) {
        read_price(errors, node, path, out);
    } else if constexpr (Integer<T> && std::is_unsigned_v<T>) {
        std::uint64_t value = 0;
        if (read_unsigned(errors, node, path, field, std::numeric_limits<T>::max(), value)) {
            out = static_cast<T>(value);
        }
    } else if constexpr (Integer<T>) {
        static_assert(sizeof(T) == sizeof(std::int64_t), "signed members are int64_t");
        std::int64_t value = 0;
        if (read_signed(errors, node, path, field, value)) out = static_cast<T>(value);
    } else if constexpr (std::is_enum_v<T>) {
        std::size_t index = 0;
        if (read_enum(errors, node, path, enum_names(static_cast<T*>(nullptr)), index)) {
            out = static_cast<T>(index);
        }
    } else if constexpr (is_optional<T>) {
        if (node.is_null()) return out.reset();
        if (!out) out.emplace();
        read_value(errors, node, path, field, *out);
    } else if constexpr (is_vector<T>) {
        read_list(errors, node, path, field, typename T::value_type{}, out);
    } else if constexpr (is_short_list<T>) {
        if (node.is_sequence()) return read_value(errors, node, path, field, out.values);
        out.values.resize(1);
        read_value(errors, node, path, field, out.values[0]);
    } else if constexpr (is_map<T>) {
        if (!expect_map(errors, node, path)) return;
        out.clear();
        for (const auto& entry : node.map) {
            typename T::mapped_type item{};
            read_value(errors, entry.value, join(path, entry.key), field, item);
            if (!out.emplace(entry.key, std::move(item)).second) {
                errors.add(entry.at, join(path, entry.key), "duplicate key");
            }
        }
    } else {
        if (!expect_map(errors, node, path)) return;
        ReadVisitor visitor(errors, node, path);
        fields(visitor, out);
        check_keys(errors, node, path, visitor.known());
    }
}

template <class T>
void read_list(Errors& errors, const Node& node, const std::string& path, const Field& field, const T& start,
               std::vector<T>& out) {
    if (!expect_sequence(errors, node, path)) return;
    out.clear();
    for (std::size_t i = 0; i < node.sequence.size(); ++i) {
        T item = start;
        read_value(errors, node.sequence[i], join(path, i), field, item);
        out.push_back(std::move(item));
    }
}

}  // namespace detail

/// Reads a tree over the values `value` has already. Members that the tree does not name keep
/// their value; vectors and maps are replaced. All errors (up to 20) come in one ConfigError, a line
/// each: "file:line:col: key.path: problem". `key_path` is the path of the root in the messages.
template <class T>
void read_into(const Node& node, const std::string& key_path, T& value) {
    detail::Errors errors;
    T result = value;
    detail::read_value(errors, node, key_path, Field{}, result);
    errors.throw_if_any();
    value = std::move(result);
}

/// Reads a tree over a default-constructed T.
template <class T>
T read(const Node& node, const std::string& key_path = "") {
    T value{};
    read_into(node, key_path, value);
    return value;
}

}  // namespace loom::config
