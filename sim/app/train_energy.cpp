// SPDX-License-Identifier: Apache-2.0
#include "sim/app/train_energy.hpp"

namespace loom::app {

TrainPrices::TrainPrices(const arch::TrainingChip& chip) {
    for (std::size_t e = 0; e < training::kEvents; ++e) {
        const auto name = "train." + std::string(training::event_name(static_cast<training::Event>(e)));
        const auto it = chip.energy.actions.find(name);
        if (it != chip.energy.actions.end()) pj_[e] = it->second.value.pj;
    }
    for (const auto& [part, l] : chip.energy.leakage) {
        // mW x ps = 1e-3 pJ
        leakage_per_cycle_ += l.per_cycle + l.value * chip.clock_period * 1e-3;
    }
}

double TrainPrices::energy(const training::Counts& counts) const {
    double pj = 0;
    for (std::size_t e = 0; e < training::kEvents; ++e) pj += static_cast<double>(counts[e]) * pj_[e];
    return pj;
}

EventGroup group_of(training::Event e) {
    using enum training::Event;
    if (e <= Divide) return EventGroup::Arithmetic;
    if (e == LutRead || e == LutWrite) return EventGroup::Table;
    if (e == PadRead || e == PadWrite) return EventGroup::Register;
    if (e >= WeightRead && e < DramRead) return EventGroup::Buffer;
    if (e == DramRead || e == DramWrite) return EventGroup::Dram;
    return EventGroup::Other;
}

}  // namespace loom::app
