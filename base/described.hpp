// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <concepts>
#include <cstdint>
#include <functional>
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

namespace loom {

/// What can be done with a member of a described struct without knowing its C++ type.
///
/// One table per type, made by the compiler (`type_of<T>()`). Readers, writers and schemas work on these
/// tables: they are compiled once and not once per struct. Nothing here is for a place where speed matters.
struct ValueType {
    enum class Kind {
        Bool,
        String,
        Double,
        Price,
        Unsigned,
        Signed,
        Enum,
        Optional,
        Vector,
        ShortList,
        Map,
        Struct
    };
    using Visit = std::function<void(void* item)>;

    Kind kind = Kind::Struct;
    std::uint64_t max = 0;            ///< Unsigned: largest value of the member
    const ValueType* item = nullptr;  ///< Optional, Vector, ShortList, Map: of what is in it

    /// Unsigned, Signed and Enum (index of the enumerator) as 64 bits.
    std::uint64_t (*get)(const void*) = nullptr;
    void (*set)(void*, std::uint64_t) = nullptr;
    std::span<const std::string_view> (*names)() = nullptr;  ///< Enum: spellings, in enumerator order

    void* (*content)(void*) = nullptr;  ///< Optional: what is in it, or null. ShortList: its vector
    void* (*emplace)(void*) = nullptr;  ///< Optional: puts a default value in
    void (*clear)(void*) = nullptr;     ///< Optional, Vector, Map
    /// Vector: appends a copy of `start` (a default value when null) after `fill` has seen it.
    void (*append)(void*, const void* start, const Visit& fill) = nullptr;
    /// Map: `fill` sees a default value, which is then put in; false when the key was there.
    bool (*insert)(void*, const std::string& key, const Visit& fill) = nullptr;
    /// Vector, Map: every item with its key ("" in vectors).
    void (*each)(void*, const std::function<void(const std::string& key, void* item)>&) = nullptr;
    /// Struct: shows every field to a visitor.
    void (*fields)(class FieldVisitor&, void*) = nullptr;
    /// Calls `use` with a default value of the type.
    void (*with_default)(const Visit& use) = nullptr;
};

template <class T>
const ValueType& type_of();

/// A field with the range of its values. Integers whose description names no end have one all the same: models keep
/// counts in 32 bits, and sums of cycles must not wrap.
inline Field range_of(Field field, const ValueType& type) {
    constexpr double kMostCount = 0xffffffffu, kMostCycles = 1e12, kMostExact = 0x1p53;
    const bool open = field.max == std::numeric_limits<double>::infinity();
    if (type.kind == ValueType::Kind::Unsigned) {
        if (field.min < 0) field.min = 0;
        if (open)
            field.max = field.unit == Unit::None         ? kMostCount
                        : field.unit == Unit::CycleCount ? kMostCycles
                                                         : kMostExact;
    } else if (type.kind == ValueType::Kind::Signed) {
        if (open) field.max = 0x7fffffff;
        if (field.min == -std::numeric_limits<double>::infinity()) field.min = -0x7fffffff;
    }
    return field;
}

/// What a struct's `fields` function shows its members to. One virtual call per member.
class FieldVisitor {
  public:
    virtual ~FieldVisitor() = default;

    template <class T>
    void operator()(std::string_view name, T& value, const Field& field) {
        member(name, const_cast<std::remove_const_t<T>*>(&value), type_of<std::remove_const_t<T>>(), field);
    }
    /// A list of T, each item of which starts from `base`, a base of T.
    template <class T, class Base>
    void list_over(std::string_view name, std::vector<T>& value, const Base& base, const Field& field) {
        T start{};
        static_cast<Base&>(start) = base;
        list(name, &value, type_of<std::vector<T>>(), &start, field);
    }
    /// A section that most configurations do without.
    template <class T>
    void optional_section(std::string_view name, std::optional<T>& value, const Field& field) {
        section(name, &value, type_of<std::optional<T>>(), field);
    }
    /// A section of a type that is chosen when the program runs. value: what `type`, of kind Optional, works
    /// on.
    void erased_section(std::string_view name, void* value, const ValueType& type, const Field& field) {
        section(name, value, type, field);
    }

  protected:
    virtual void member(std::string_view name, void* value, const ValueType& type, const Field& field) = 0;
    /// `start`: what an item is before it is read.
    virtual void list(std::string_view name, void* value, const ValueType& type, const void* start,
                      const Field& field) = 0;
    virtual void section(std::string_view name, void* value, const ValueType& type, const Field& field) = 0;
};

namespace described {

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
T& as(void* object) {
    return *static_cast<T*>(object);
}

template <class T>
void numbers(ValueType& t) {
    t.get = [](const void* p) { return static_cast<std::uint64_t>(*static_cast<const T*>(p)); };
    t.set = [](void* p, std::uint64_t v) { as<T>(p) = static_cast<T>(v); };
}

template <class T>
void optionals(ValueType& t) {
    t.kind = ValueType::Kind::Optional;
    t.item = &type_of<typename T::value_type>();
    t.content = [](void* p) -> void* { return as<T>(p) ? &*as<T>(p) : nullptr; };
    t.emplace = [](void* p) -> void* { return &as<T>(p).emplace(); };
    t.clear = [](void* p) { as<T>(p).reset(); };
}

template <class T>
void vectors(ValueType& t) {
    using Item = typename T::value_type;
    t.kind = ValueType::Kind::Vector;
    t.item = &type_of<Item>();
    t.clear = [](void* p) { as<T>(p).clear(); };
    t.append = [](void* p, const void* start, const ValueType::Visit& fill) {
        Item item = start != nullptr ? *static_cast<const Item*>(start) : Item{};
        fill(&item);
        as<T>(p).push_back(std::move(item));
    };
    t.each = [](void* p, const std::function<void(const std::string&, void*)>& use) {
        for (Item& item : as<T>(p)) use("", &item);
    };
}

template <class T>
void maps(ValueType& t) {
    using Item = typename T::mapped_type;
    t.kind = ValueType::Kind::Map;
    t.item = &type_of<Item>();
    t.clear = [](void* p) { as<T>(p).clear(); };
    t.insert = [](void* p, const std::string& key, const ValueType::Visit& fill) {
        Item item{};
        fill(&item);
        return as<T>(p).emplace(key, std::move(item)).second;
    };
    t.each = [](void* p, const std::function<void(const std::string&, void*)>& use) {
        for (auto& [key, item] : as<T>(p)) use(key, &item);
    };
}

template <class T>
ValueType make_type() {
    using Kind = ValueType::Kind;
    ValueType t;
    t.with_default = [](const ValueType::Visit& use) {
        T value{};
        use(&value);
    };
    if constexpr (std::same_as<T, bool>) {
        t.kind = Kind::Bool;
    } else if constexpr (std::same_as<T, std::string>) {
        t.kind = Kind::String;
    } else if constexpr (std::same_as<T, double>) {
        t.kind = Kind::Double;
    } else if constexpr (std::same_as<T, EnergyPrice>) {
        t.kind = Kind::Price;
    } else if constexpr (std::unsigned_integral<T>) {
        t.kind = Kind::Unsigned;
        t.max = std::numeric_limits<T>::max();
        numbers<T>(t);
    } else if constexpr (std::signed_integral<T>) {
        static_assert(sizeof(T) == sizeof(std::int64_t), "signed members are int64_t");
        t.kind = Kind::Signed;
        numbers<T>(t);
    } else if constexpr (std::is_enum_v<T>) {
        t.kind = Kind::Enum;
        t.names = [] { return std::span<const std::string_view>(enum_names(static_cast<T*>(nullptr))); };
        numbers<T>(t);
    } else if constexpr (is_optional<T>) {
        optionals<T>(t);
    } else if constexpr (is_vector<T>) {
        vectors<T>(t);
    } else if constexpr (is_short_list<T>) {
        t.kind = Kind::ShortList;
        t.item = &type_of<decltype(T::values)>();
        t.content = [](void* p) -> void* { return &as<T>(p).values; };
    } else if constexpr (is_map<T>) {
        maps<T>(t);
    } else {
        t.fields = [](FieldVisitor& v, void* p) { fields(v, as<T>(p)); };
    }
    return t;
}

}  // namespace described

template <class T>
const ValueType& type_of() {
    static const ValueType type = described::make_type<T>();
    return type;
}

}  // namespace loom
