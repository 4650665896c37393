// SPDX-License-Identifier: Apache-2.0
// Cores with event-row arrays: every spike adds its rows when it arrives, during the timestep before the one
// in which it counts; that one begins with the sweep. No vector is ever read.
#include "cores/cim/cim_core.hpp"

namespace loom::cores {

void CimCore::sweep_membranes(Cycle now) {
    const Cycle start = std::max(now, write_end_);
    for (std::size_t a = 0; a < units_.size(); ++a) {
        const bool active = active_[target_[a]] != 0;
        if (active && start > now) units_[a].count_refusal();
        const bool any =
            units_[a].sweep(step_, start, active ? &sums_[image_->axons[a].neuron_first] : nullptr);
        CimCounters& c = own_of_axons(a).arrays;
        units_[a].collect(c);
        // sums of further matrices are added to those of the first
        if (active && any && a != into_[target_[a]].front()) c.tree_adds += units_[a].shape().outputs;
    }
    // what came long ago for the next timestep
    auto& early = early_[(step_ + 1) % early_.size()];
    for (const Early& e : early) add_rows(e.group, e.axon, e.payload, start);
    early.clear();
    if (adding_) context_.scheduler->wake(id_, added_);
}

Cycle CimCore::add_rows(std::size_t group, std::uint32_t axon, std::int64_t payload, Cycle at) {
    const CimArray::RowAdd add = units_[group].add(axon, payload, step_ + 1, at);
    added_ = std::max(added_, add.end);
    if (!adding_) context_.activity->raise();
    adding_ = true;
    return add.begin;
}

void CimCore::take_event(std::size_t group, std::uint32_t axon, std::int64_t payload) {
    const std::uint32_t delay = image_->axons[group].delay;
    if (delay > 1) {
        early_[(step_ + delay) % early_.size()].push_back({group, axon, payload});
        return;
    }
    // the next spike may come in when the last row of this one is in the array
    taken_ = add_rows(group, axon, payload, taken_);
}

}  // namespace loom::cores
