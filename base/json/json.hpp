// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <iosfwd>
#include <map>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

namespace loom {

/// A JSON text, or an access to a value, that is not as expected.
class JsonError : public std::runtime_error {
  public:
    using std::runtime_error::runtime_error;
};

/// A JSON value. Objects keep the order in which their members were added; whole numbers stay exact (64 bits).
///
/// Reports are made of these. Reading and writing texts is nlohmann's library in json.cpp; its header alone costs
/// a file of the program two seconds of compilation, which is why it is included nowhere else.
/// As in that library, `{{"a", 1}, {"b", 2}}` is an object and any other braced list an array.
class Json {
  public:
    using Array = std::vector<Json>;
    struct Member;
    using Object = std::vector<Member>;

    Json();
    Json(std::nullptr_t);
    Json(bool value);
    Json(double value);
    Json(const char* value);
    Json(std::string_view value);
    Json(std::string value);
    template <std::integral T>
        requires(!std::same_as<T, bool>)
    Json(T value) : Json(Whole{static_cast<std::uint64_t>(value), std::is_signed_v<T>}) {}
    Json(std::initializer_list<Json> list);
    template <class T>
    Json(const std::vector<T>& values) : Json(std::span<const T>(values)) {}
    template <class T, std::size_t n>
    Json(const std::array<T, n>& values) : Json(std::span<const T>(values)) {}
    template <class T>
    Json(std::span<const T> values) : Json(array()) {
        for (const T& v : values) push_back(Json(v));
    }
    template <class T>
    Json(const std::map<std::string, T>& values) : Json(object()) {
        for (const auto& [key, v] : values) (*this)[key] = Json(v);
    }
    Json(const Json&);
    Json(Json&&) noexcept;
    Json& operator=(const Json&);
    Json& operator=(Json&&) noexcept;
    ~Json();

    static Json array();
    static Json array(std::initializer_list<Json> list);
    static Json object();
    /// Throws JsonError with the place of the fault.
    static Json parse(const std::string& text);
    /// The whole of a stream.
    static Json parse(std::istream& in);
    /// Nothing when the text is not JSON.
    static std::optional<Json> try_parse(const std::string& text);
    /// One line when `indent` is negative. Numbers that are not finite become null.
    std::string dump(int indent = -1) const;

    bool is_null() const;
    bool is_bool() const;
    bool is_number() const;
    bool is_whole() const;
    bool is_string() const;
    bool is_array() const;
    bool is_object() const;

    /// The value as T: bool, a number, std::string, or a std::vector of these. Throws JsonError when it is of another
    /// kind.
    template <class T>
    T get() const {
        if constexpr (std::same_as<T, bool>) {
            return as_bool();
        } else if constexpr (std::same_as<T, std::string>) {
            return as_string();
        } else if constexpr (std::floating_point<T>) {
            return static_cast<T>(as_double());
        } else if constexpr (requires { typename T::value_type; }) {
            if (!is_array()) throw JsonError("not an array");
            T values;
            for (const Json& v : *this) values.push_back(v.get<typename T::value_type>());
            return values;
        } else {
            static_assert(std::integral<T>, "no such value in JSON");
            return static_cast<T>(as_whole());
        }
    }
    /// As get(), where a number, a truth value or a text is wanted.
    template <class T>
        requires(std::is_arithmetic_v<T> || std::same_as<T, std::string>)
    operator T() const {
        return get<T>();
    }
    template <class T>
    void get_to(T& out) const {
        out = get<T>();
    }
    /// The member's value as T, or `otherwise` where there is none.
    template <class T>
    T value(std::string_view key, T otherwise) const {
        const Json* found = find(key);
        return found != nullptr ? found->get<T>() : otherwise;
    }

    /// Elements, members; 0 for null, 1 for others.
    std::size_t size() const;
    bool empty() const { return size() == 0; }
    /// Adds the member, and makes an object of null.
    Json& operator[](std::string_view key);
    Json& operator[](const char* key) { return (*this)[std::string_view(key)]; }
    Json& operator[](const std::string& key) { return (*this)[std::string_view(key)]; }
    /// Throws JsonError when there is no such member or element.
    const Json& operator[](std::string_view key) const { return at(key); }
    const Json& operator[](const char* key) const { return at(std::string_view(key)); }
    const Json& operator[](const std::string& key) const { return at(std::string_view(key)); }
    template <std::integral I>
    Json& operator[](I index) {
        return element(static_cast<std::size_t>(index));
    }
    template <std::integral I>
    const Json& operator[](I index) const {
        return const_cast<Json*>(this)->element(static_cast<std::size_t>(index));
    }
    const Json& at(std::string_view key) const;
    Json& at(std::string_view key) { return const_cast<Json&>(std::as_const(*this).at(key)); }
    const Json& at(std::size_t index) const { return (*this)[index]; }
    /// Null when there is none.
    const Json* find(std::string_view key) const;
    Json* find(std::string_view key) { return const_cast<Json*>(std::as_const(*this).find(key)); }
    bool contains(std::string_view key) const { return find(key) != nullptr; }
    /// Makes an array of null.
    void push_back(Json value);
    Json& back();
    /// Numbers are equal when their values are.
    bool operator==(const Json&) const;

    /// The elements of an array or the members of an object: {key, value}. Empty for others.
    const Array& elements() const;
    Array& elements() { return const_cast<Array&>(std::as_const(*this).elements()); }
    const Object& items() const;
    Object& items() { return const_cast<Object&>(std::as_const(*this).items()); }
    /// Over the values: the elements of an array, or what the members of an object hold.
    template <class J>
    class Values {
      public:
        using value_type = Json;
        using difference_type = std::ptrdiff_t;
        Values() = default;
        Values(J* of, std::size_t at) : of_(of), at_(at) {}
        J& operator*() const { return of_->nth(at_); }
        J* operator->() const { return &of_->nth(at_); }
        Values& operator++() {
            ++at_;
            return *this;
        }
        Values operator++(int) {
            Values old = *this;
            ++at_;
            return old;
        }
        bool operator==(const Values&) const = default;

      private:
        J* of_ = nullptr;
        std::size_t at_ = 0;
    };
    Values<Json> begin() { return {this, 0}; }
    Values<Json> end() { return {this, n_values()}; }
    Values<const Json> begin() const { return {this, 0}; }
    Values<const Json> end() const { return {this, n_values()}; }

  private:
    struct Whole {
        std::uint64_t bits = 0;
        bool is_signed = false;
        bool operator==(const Whole&) const = default;
    };
    explicit Json(Whole value);
    bool as_bool() const;
    double as_double() const;
    std::uint64_t as_whole() const;
    const std::string& as_string() const;
    Json& element(std::size_t index);
    /// Of an array or an object; 0 for others.
    std::size_t n_values() const;
    Json& nth(std::size_t index);
    const Json& nth(std::size_t index) const { return const_cast<Json*>(this)->nth(index); }

    std::variant<std::monostate, bool, Whole, double, std::string, Array, Object> value_;
    friend struct JsonText;
};

struct Json::Member {
    std::string key;
    Json value;
    bool operator==(const Member&) const = default;
};

/// Prints the value in one line.
std::ostream& operator<<(std::ostream& out, const Json& value);

}  // namespace loom
