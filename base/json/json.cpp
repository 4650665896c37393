// SPDX-License-Identifier: Apache-2.0
#include "base/json/json.hpp"

#include <algorithm>
#include <istream>
#include <iterator>
#include <ostream>

#include <nlohmann/json.hpp>

namespace loom {

using Library = nlohmann::ordered_json;

/// Between our values and the library's, which reads and writes texts.
struct JsonText {
    static Library to_library(const Json& j) {
        const auto convert = [](const auto& v) -> Library {
            using T = std::remove_cvref_t<decltype(v)>;
            if constexpr (std::same_as<T, std::monostate>) {
                return nullptr;
            } else if constexpr (std::same_as<T, Json::Whole>) {
                if (v.is_signed) return static_cast<std::int64_t>(v.bits);
                return v.bits;
            } else if constexpr (std::same_as<T, Json::Array>) {
                Library out = Library::array();
                for (const Json& item : v) out.push_back(to_library(item));
                return out;
            } else if constexpr (std::same_as<T, Json::Object>) {
                Library out = Library::object();
                for (const Json::Member& m : v) out.emplace(m.key, to_library(m.value));
                return out;
            } else {
                return v;
            }
        };
        return std::visit(convert, j.value_);
    }

    static Json from_library(const Library& j) {
        if (j.is_null()) return nullptr;
        if (j.is_boolean()) return j.get<bool>();
        if (j.is_number_unsigned()) return j.get<std::uint64_t>();
        if (j.is_number_integer()) return j.get<std::int64_t>();
        if (j.is_number_float()) return j.get<double>();
        if (j.is_string()) return j.get<std::string>();
        Json out = j.is_array() ? Json::array() : Json::object();
        if (j.is_array()) {
            for (const Library& item : j) out.push_back(from_library(item));
        } else {
            for (const auto& [key, value] : j.items()) out[key] = from_library(value);
        }
        return out;
    }
};

Json::Json() = default;
Json::Json(std::nullptr_t) {}
Json::Json(bool value) : value_(value) {}
Json::Json(double value) : value_(value) {}
Json::Json(const char* value) : value_(std::string(value)) {}
Json::Json(std::string_view value) : value_(std::string(value)) {}
Json::Json(std::string value) : value_(std::move(value)) {}
Json::Json(Whole value) : value_(value) {}
Json::Json(const Json&) = default;
Json::Json(Json&&) noexcept = default;
Json& Json::operator=(const Json&) = default;
Json& Json::operator=(Json&&) noexcept = default;
Json::~Json() = default;

Json::Json(std::initializer_list<Json> list) {
    const bool members = std::all_of(list.begin(), list.end(), [](const Json& item) {
        return item.is_array() && item.size() == 2 && item.elements()[0].is_string();
    });
    if (!members) {
        value_ = Array(list);
        return;
    }
    value_ = Object();
    for (const Json& item : list) (*this)[item.elements()[0].as_string()] = item.elements()[1];
}

Json Json::array() {
    Json out;
    out.value_ = Array();
    return out;
}

Json Json::array(std::initializer_list<Json> list) {
    Json out;
    out.value_ = Array(list);
    return out;
}

Json Json::object() {
    Json out;
    out.value_ = Object();
    return out;
}

Json Json::parse(const std::string& text) {
    try {
        return JsonText::from_library(Library::parse(text));
    } catch (const Library::exception& e) {
        throw JsonError(e.what());
    }
}

Json Json::parse(std::istream& in) {
    return parse(std::string(std::istreambuf_iterator<char>(in), {}));
}

std::optional<Json> Json::try_parse(const std::string& text) {
    const Library j = Library::parse(text, nullptr, false);
    if (j.is_discarded()) return std::nullopt;
    return JsonText::from_library(j);
}

std::string Json::dump(int indent) const {
    return JsonText::to_library(*this).dump(indent);
}

bool Json::is_null() const { return std::holds_alternative<std::monostate>(value_); }
bool Json::is_bool() const { return std::holds_alternative<bool>(value_); }
bool Json::is_whole() const { return std::holds_alternative<Whole>(value_); }
bool Json::is_number() const { return is_whole() || std::holds_alternative<double>(value_); }
bool Json::is_string() const { return std::holds_alternative<std::string>(value_); }
bool Json::is_array() const { return std::holds_alternative<Array>(value_); }
bool Json::is_object() const { return std::holds_alternative<Object>(value_); }

bool Json::as_bool() const {
    if (!is_bool()) throw JsonError("not true or false");
    return std::get<bool>(value_);
}

double Json::as_double() const {
    if (!is_number()) throw JsonError("not a number");
    if (const double* d = std::get_if<double>(&value_)) return *d;
    const Whole w = std::get<Whole>(value_);
    return w.is_signed ? static_cast<double>(static_cast<std::int64_t>(w.bits)) : static_cast<double>(w.bits);
}

std::uint64_t Json::as_whole() const {
    if (const Whole* w = std::get_if<Whole>(&value_)) return w->bits;
    const double d = as_double();
    return d < 0 ? static_cast<std::uint64_t>(static_cast<std::int64_t>(d)) : static_cast<std::uint64_t>(d);
}

const std::string& Json::as_string() const {
    if (!is_string()) throw JsonError("not a text");
    return std::get<std::string>(value_);
}

std::size_t Json::size() const {
    if (is_array()) return elements().size();
    if (is_object()) return items().size();
    return is_null() ? 0 : 1;
}

Json& Json::operator[](std::string_view key) {
    if (is_null()) value_ = Object();
    if (!is_object()) throw JsonError("not an object");
    if (Json* found = find(key)) return *found;
    auto& members = std::get<Object>(value_);
    members.push_back({std::string(key), Json()});
    return members.back().value;
}

Json& Json::element(std::size_t index) {
    if (!is_array() || index >= elements().size())
        throw JsonError("no element " + std::to_string(index));
    return std::get<Array>(value_)[index];
}

std::size_t Json::n_values() const {
    return elements().size() + items().size();
}

Json& Json::nth(std::size_t index) {
    return is_object() ? items()[index].value : element(index);
}

const Json& Json::at(std::string_view key) const {
    const Json* found = find(key);
    if (found == nullptr) throw JsonError("no member '" + std::string(key) + "'");
    return *found;
}

const Json* Json::find(std::string_view key) const {
    for (const Member& m : items()) {
        if (m.key == key) return &m.value;
    }
    return nullptr;
}

void Json::push_back(Json value) {
    if (is_null()) value_ = Array();
    if (!is_array()) throw JsonError("not an array");
    std::get<Array>(value_).push_back(std::move(value));
}

Json& Json::back() {
    return element(size() - 1);
}

bool Json::operator==(const Json& other) const {
    if (!is_number() || !other.is_number()) return value_ == other.value_;
    const Whole *a = std::get_if<Whole>(&value_), *b = std::get_if<Whole>(&other.value_);
    if (a == nullptr || b == nullptr) return as_double() == other.as_double();
    return a->bits == b->bits && (a->is_signed == b->is_signed || a->bits >> 63 == 0);
}

const Json::Array& Json::elements() const {
    static const Array none;
    const Array* found = std::get_if<Array>(&value_);
    return found != nullptr ? *found : none;
}

const Json::Object& Json::items() const {
    static const Object none;
    const Object* found = std::get_if<Object>(&value_);
    return found != nullptr ? *found : none;
}

std::ostream& operator<<(std::ostream& out, const Json& value) {
    return out << value.dump();
}

}  // namespace loom
