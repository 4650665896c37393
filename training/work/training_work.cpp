// SPDX-License-Identifier: Apache-2.0
#include "training/work/training_work.hpp"

namespace loom::arch {

std::uint64_t LinearShape::synapses() const {
    std::uint64_t row_taps = 0, column_taps = 0;
    for (std::size_t y = 0; y < in_h; ++y) row_taps += window.rows.taps(y, out_h);
    for (std::size_t x = 0; x < in_w; ++x) column_taps += window.columns.taps(x, out_w);
    return row_taps * column_taps * in_c * group_outputs();
}

void ElementWork::add(const ElementWork& more) {
    forward += more.forward, backward += more.backward;
    forward_sums += more.forward_sums, forward_statistics += more.forward_statistics;
    backward_sums += more.backward_sums, backward_statistics += more.backward_statistics;
}

}  // namespace loom::arch
