// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <limits>
#include <string_view>

namespace loom {

/// The dimension of a configuration value. Dimensional values carry a unit in YAML; the member
/// holds the canonical unit named here.
enum class Unit {
    None,         ///< plain number, string or bool
    Time,         ///< double or uint64, in picoseconds ("2 ns", "100 us")
    Energy,       ///< double, in picojoules ("0.9 pJ", "3 nJ")
    Power,        ///< double, in milliwatts ("104 mW", "3 uW")
    Memory,       ///< uint64, in bits ("64 bit", "64 bits", "16 KiB", "2 Mib", "4 kB")
    CycleCount,   ///< uint64, in cycles ("3 cycles"; a bare integer is cycles too)
    Length,       ///< double, in millimetres ("240 um", "1 mm")
    Frequency,    ///< double, in MHz ("250 MHz"; a bare number is MHz)
    Voltage,      ///< double, in V ("200 mV"; a bare number is V)
    Conductance,  ///< double, in uS ("40 uS"; a bare number is uS)
    Resistance,   ///< double, in ohm ("1.5 ohm"; a bare number is ohm)
    Area,         ///< double, in um2 ("0.74 um2", "2 mm2"; a bare number is um2)
};

/// Field::max of an integer that is not a count, such as a seed: all 64 bits.
inline constexpr double kAnyWhole = 0x1p64;

/// What a reader, a schema writer or a documentation writer needs to know of one field.
struct Field {
    std::string_view doc;
    Unit unit = Unit::None;
    double min = -std::numeric_limits<double>::infinity();
    double max = std::numeric_limits<double>::infinity();  ///< integers: see range_of()
    bool required = false;
};

// A struct S is described once, by a free function found by argument-dependent lookup:
//
//     template <class V> void fields(V& v, S& s) {
//         v("rows", s.rows, {.doc = "word lines", .min = 1});
//         v("period", s.period, {.doc = "clock period", .unit = Unit::Time});
//     }
//
// Member types a visitor handles: bool, int64_t, uint64_t, uint32_t, double, EnergyPrice, std::string, enums
// with an `enum_names` overload, nested described structs, std::optional, std::vector, ShortList
// and std::map<std::string, T> of those. The default is the value the struct was constructed with.
//
// An enum E is described by a free function returning its spellings, in enumerator order:
//     inline std::span<const std::string_view> enum_names(E*);

/// What readers, writers and schemas know of a described type: base/described.hpp. The header of a large struct says
/// `extern template` and one source makes it, since every file that reads the struct would make it again.
struct ValueType;
template <class T>
const ValueType& type_of();

}  // namespace loom
