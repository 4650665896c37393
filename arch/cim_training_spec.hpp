// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <array>
#include <cstdint>
#include <span>
#include <string_view>

#include "base/fields.hpp"

namespace loom::arch {

/// How products with weights in cells are computed.
enum class CimProducts { Converters, Float32 };
inline std::span<const std::string_view> enum_names(CimProducts*) {
    static constexpr std::array<std::string_view, 2> names{"converters", "float32"};
    return names;
}

/// Arrays that train in place: a weight is a pair of analogue cells, w = w_range (g+ - g-) with g from 0
/// (Gmin) to 1 (Gmax); updates are pulses, errors are read through the same cells.
struct CimTrainingSpec {
    double w_range = 1;
    bool carry = true;
    bool transposable = true;
    std::uint64_t error_bits = 8;
    CimProducts arithmetic = CimProducts::Converters;
};
template <class V>
void fields(V& v, CimTrainingSpec& s) {
    v("w_range", s.w_range,
      {.doc = "largest weight of a pair of cells; a pulse is w_range / Pmax", .min = 1e-9});
    v("carry", s.carry,
      {.doc = "what is less than a pulse is kept in memory and added to the next update; false: it is lost"});
    v("transposable", s.transposable,
      {.doc = "a second set of converters at the rows: errors drive the columns. false: rows are read one by "
              "one and "
              "multiplied on the lanes"});
    v("error_bits", s.error_bits,
      {.doc = "bit planes of an error's magnitude; every error that is not zero is driven in each",
       .min = 1,
       .max = 32});
    v("arithmetic", s.arithmetic,
      {.doc =
           "products with weights in cells: what converters deliver (inputs and errors in bit planes, sums "
           "rounded and clipped, read noise), or float32 (the ideal)"});
}

}  // namespace loom::arch
