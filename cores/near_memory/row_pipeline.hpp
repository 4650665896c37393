// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <algorithm>
#include <cstdint>

#include "cores/near_memory/synapse_rows.hpp"
#include "arch/chip_spec.hpp"
#include "base/ids.hpp"

namespace loom::cores {

/// The two stages that a row passes: axon look-up and fetch from the synapse memory, then
/// accumulation. A row is fetched while the one before accumulates, not further ahead.
class RowPipeline {
  public:
    explicit RowPipeline(const arch::CoreSpec& s)
        : lookup_(s.axon_in.lookup),
          ports_(s.synapse.ports),
          latency_(s.synapse.read_latency),
          interval_(s.dendrite.interval * (s.dendrite.ports == 1 ? 2 : 1)),
          single_port_(s.dendrite.ports == 1) {}

    struct Timing {
        Cycles fetch = 0;       ///< look-up and memory occupancy
        Cycles accumulate = 0;  ///< accumulator occupancy
        Cycles waited = 0;      ///< cycles the row waited for the accumulators
        Cycle end = 0;          ///< the row is in the accumulators
    };
    /// A row enters at `now` (>= next_entry()).
    Timing enter(Cycle now, const RowCost& cost) {
        Timing t;
        const Cycles words = (cost.words + ports_ - 1) / ports_;
        t.fetch = lookup_ + words;
        t.accumulate = std::max(words, cost.groups * interval_);
        const Cycle ready = now + lookup_ + (cost.words == 0 ? 0 : latency_);
        const Cycle begin = std::max({ready, accumulators_free_, single_port_ ? sweep_end_ : Cycle{0}});
        t.waited = begin - ready;
        t.end = begin + t.accumulate;
        if (t.end <= now) t.end = now + 1;  // an axon without synapses and without look-up
        accumulators_free_ = t.end;
        next_entry_ = std::max({now + std::max<Cycles>(t.fetch, 1), begin});
        return t;
    }
    Cycle next_entry() const { return next_entry_; }
    /// With one port, rows wait until the sweep has left the accumulators.
    void sweep_until(Cycle end) { sweep_end_ = end; }

  private:
    Cycles lookup_, ports_, latency_, interval_;
    bool single_port_;
    Cycle accumulators_free_ = 0, next_entry_ = 0, sweep_end_ = 0;
};

}  // namespace loom::cores
