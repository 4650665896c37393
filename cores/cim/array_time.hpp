// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

#include "cores/cim/array.hpp"
#include "cores/cim/row_sets.hpp"
#include "cores/cim/stages.hpp"

namespace loom::cores {

/// When an array does what: the spike register, the stages of every row block, the tree that joins row
/// blocks, and the one stage of digital arrays. Keeps references to its arguments.
class ArrayTime {
  public:
    ArrayTime(const arch::CimSpec& spec, const CimShape& shape)
        : spec_(spec), shape_(shape), spike_register_(spec.rows.double_buffer) {}

    void reset() {
        stages_.assign(shape_.row_blocks, CimStages(shape_, spec_.timing.sample_hold));
        spike_register_ = CimRegister(spec_.rows.double_buffer);
        tree_free_ = digital_free_ = 0;
    }

    /// A vector of n active rows in these sets, from `now` on. conducts: cells draw current while they are
    /// driven.
    CimTimes schedule(std::span<const CimRowSet> sets, std::size_t n_active, bool conducts, Cycle now,
                      CimCounters& counters) {
        const Cycle ready = spike_register_.fetch(now, shape_.fetch);
        counters.fetch_busy += shape_.fetch;
        if (spec_.array.event_row()) return schedule_events(sets, n_active, ready, counters);
        if (spec_.array.type == arch::CimType::SramDigital) return schedule_adder_tree(sets, ready, counters);
        return schedule_converters(sets, conducts, ready, counters);
    }
    /// Event row: one row that is there at `at`. Returns when it starts to be added, and when it is.
    CimArray::RowAdd add_row(Cycle at, CimCounters& counters) {
        const Cycle begin = hold(at, spec_.timing.c_spk, counters);
        return {begin, digital_free_};
    }
    /// Event row: the sweep of a timestep from `now` on; returns its end.
    Cycle sweep(Cycle now, CimCounters& counters) {
        counters.array_busy += spec_.timing.c_step;
        return digital_free_ = std::max(now, digital_free_) + spec_.timing.c_step;
    }

  private:
    CimTimes schedule_converters(std::span<const CimRowSet> sets, bool conducts, Cycle ready,
                                 CimCounters& counters) {
        CimTimes t;
        Cycle released = ready, end = ready;
        std::uint64_t in_block = 0;
        for (std::size_t i = 0; i < sets.size(); ++i) {
            in_block = i > 0 && sets[i].block == sets[i - 1].block ? in_block + 1 : 1;
            const CimStages::Pass p = stages_[sets[i].block].enter(ready, counters);
            if (conducts) counters.cell_conductance += sets[i].row_sum * p.conducting;
            released = std::max(released, p.begin);
            end = std::max(end, p.end);
            t.sets = std::max(t.sets, in_block);
        }
        spike_register_.release(released);
        t.fetched = spike_register_.free();
        t.done = join(!sets.empty(), end, counters);
        return t;
    }
    CimTimes schedule_adder_tree(std::span<const CimRowSet> sets, Cycle ready, CimCounters& counters) {
        CimTimes t;
        std::vector<std::uint64_t> of_block(shape_.row_blocks, 0);
        for (const CimRowSet& s : sets) t.sets = std::max(t.sets, ++of_block[s.block]);
        const Cycles busy = t.sets * spec_.timing.serial;
        const Cycle begin = hold(ready, busy, counters);
        spike_register_.release(digital_free_);
        t.fetched = spike_register_.free();
        t.done = busy == 0 ? begin : join(!sets.empty(), digital_free_ + shape_.adder_pipe, counters);
        return t;
    }
    CimTimes schedule_events(std::span<const CimRowSet> sets, std::size_t n_active, Cycle ready,
                             CimCounters& counters) {
        CimTimes t;
        hold(ready, n_active * spec_.timing.c_spk, counters);
        spike_register_.release(digital_free_);
        t.sets = sets.size();
        t.fetched = spike_register_.free();
        t.done = digital_free_;
        return t;
    }
    /// Holds the one stage of a digital array for so many cycles; returns when that begins.
    Cycle hold(Cycle ready, Cycles busy, CimCounters& counters) {
        const Cycle begin = std::max(ready, digital_free_);
        digital_free_ = begin + busy;
        counters.array_busy += busy;
        counters.stalls += begin - ready;
        return begin;
    }
    /// The tree behind the row blocks takes a vector per cycle.
    Cycle join(bool any, Cycle end, CimCounters& counters) {
        if (shape_.tree == 0 || !any) return end;
        const Cycle begin = std::max(end, tree_free_);
        tree_free_ = begin + 1;
        counters.tree_busy += 1;
        return begin + shape_.tree;
    }

    const arch::CimSpec& spec_;
    const CimShape& shape_;
    CimRegister spike_register_;
    std::vector<CimStages> stages_;  ///< [row blocks]
    Cycle tree_free_ = 0, digital_free_ = 0;
};

}  // namespace loom::cores
