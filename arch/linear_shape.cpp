// SPDX-License-Identifier: Apache-2.0
#include "arch/linear_shape.hpp"

namespace loom::arch {

std::uint64_t LinearShape::synapses() const {
    std::uint64_t row_taps = 0, column_taps = 0;
    for (std::size_t y = 0; y < in_h; ++y) row_taps += window.rows.taps(y, out_h);
    for (std::size_t x = 0; x < in_w; ++x) column_taps += window.columns.taps(x, out_w);
    return row_taps * column_taps * in_c * group_outputs();
}

}  // namespace loom::arch
