// SPDX-License-Identifier: Apache-2.0
#include "cores/near_memory/synapse_rows.hpp"

#include "base/counter_math.hpp"

namespace loom::cores {

RowCost row_cost(const arch::AxonGroup& group, std::uint32_t axon, const arch::CoreSpec& spec) {
    RowCost cost;
    if (const auto* s = std::get_if<arch::SparseRows>(&group.rows)) {
        cost.synapses = s->row[axon + 1] - s->row[axon];
        cost.words =
            ceil_div(cost.synapses * (spec.synapse.weight_bits + spec.synapse.index_bits), spec.synapse.word);
        cost.groups = ceil_div(cost.synapses, spec.dendrite.lanes);
        return cost;
    }
    for_each_run(group, axon, [&](std::uint32_t, std::size_t, std::uint32_t n) {
        cost.synapses += n;
        cost.words += ceil_div(n * spec.synapse.weight_bits, spec.synapse.word);
        cost.groups += ceil_div(n, spec.dendrite.lanes);
    });
    return cost;
}

}  // namespace loom::cores
