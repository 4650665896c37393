// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <algorithm>
#include <cstdint>
#include <memory>
#include <utility>

#include "base/fields.hpp"
#include "cores/near_memory/one_packet_core.hpp"

/// A core without a pipeline: the smallest kind, and the one to copy.
///
/// **What it is.** One adder and one memory port. A packet is looked up in the axon table, then its synapses
/// are worked off one after the other; only when the last one is done is the next packet taken from the input
/// FIFO. Spikes, sums and neurons are those of near_memory: the same program gives the same spikes.
///
/// **Its law of time.** A packet that is at the head of the FIFO in cycle t, with s synapses on this core,
/// holds the core for
///
///     axon_in.lookup + max(s * serial.cycles, 1)
///
/// cycles, and the next one enters in that cycle. n packets with s synapses each that wait together are done
/// n * (lookup + s * serial.cycles) cycles after the first. Sweep and axon-out are the common ones
/// (docs/concepts/timing-model.md) and go on beside it.
///
/// **What it counts.** axon_in.packets and axon_in.lookups once a packet; dendrite.ac (graded input:
/// dendrite.mac) and its own serial.steps once a synapse. There are no words and no groups of accumulators,
/// so synapse.word_reads and dendrite.accesses never happen.
namespace loom::cores {

/// The section `serial` of a core.
struct SerialSpec {
    std::uint64_t cycles = 1;
};
template <class V>
void fields(V& v, SerialSpec& s) {
    v("cycles", s.cycles, {.doc = "cycles per synapse", .unit = Unit::CycleCount, .min = 1});
}

/// Events that only serial cores count.
struct SerialCounters {
    std::uint64_t steps = 0;
    std::uint64_t busy = 0;
};
template <class V>
void fields(V&& v, SerialCounters& c) {
    v("serial.steps", c.steps, true, "synapses worked off one by one: weight read, sum read and written");
    v("serial.busy_cycles", c.busy, false, "cycles in which a packet held the core");
}

class SerialCore final : public OnePacketCore<SerialCounters> {
  public:
    SerialCore(const arch::ChipSpec& chip, std::shared_ptr<const arch::CoreImage> image, CoreContext context,
               CoreSchedule schedule)
        : OnePacketCore(chip, std::move(image), context, schedule),
          cycles_(spec().section<SerialSpec>().cycles) {}

  protected:
    Cycles work_off(std::uint64_t synapses, SerialCounters& own) override {
        const Cycles time = spec().axon_in.lookup + std::max<Cycles>(synapses * cycles_, 1);
        own.steps += synapses;
        own.busy += time;
        return time;
    }

  private:
    Cycles cycles_;
};

}  // namespace loom::cores
