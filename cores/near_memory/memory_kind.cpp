// SPDX-License-Identifier: Apache-2.0
#include "cores/near_memory/memory_kind.hpp"

namespace loom::cores {

void MemoryKind::add_area(arch::AreaParts& to, const arch::CoreSpec& core,
                          const arch::EnergySpec& prices) const {
    const auto* bit = arch::area_figure(prices, "sram_cell");
    const double sums = static_cast<double>(core.soma.max_neurons * core.dendrite.accumulator_bits);
    add_part(to, "synapse_memory", static_cast<double>(core.synapse.memory), bit);
    add_part(to, "accumulators", static_cast<double>(core.dendrite.max_delay + 1) * sums, bit);
}

}  // namespace loom::cores
