// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <memory>
#include <utility>

#include "base/fields.hpp"
#include "cores/near_memory/one_packet_core.hpp"

/// A core with an adder for every neuron: all synapses of a packet are worked off at once, however many there
/// are. It bounds from above what more lanes can bring. Spikes, sums and neurons are those of near_memory.
///
/// A packet holds the core for axon_in.lookup + wide.cycles cycles, whatever its synapses.
namespace example {
using namespace loom;

/// The section `wide` of a core, with its documentation, unit and bounds.
struct WideSpec {
    std::uint64_t cycles = 1;
};
template <class V>
void fields(V& v, WideSpec& s) {
    v("cycles", s.cycles, {.doc = "cycles of a packet", .unit = Unit::CycleCount, .min = 1});
}

/// What only this kind counts: the name of each event, whether it needs a price, what it is.
struct WideCounters {
    std::uint64_t rows = 0;
};
template <class V>
void fields(V&& v, WideCounters& c) {
    v("wide.rows", c.rows, true,
      "packets worked off: a whole row of weights read, all sums read and written");
}

class WideCore final : public cores::OnePacketCore<WideCounters> {
  public:
    WideCore(const arch::ChipSpec& chip, std::shared_ptr<const arch::CoreImage> image,
             cores::CoreContext context, cores::CoreSchedule schedule)
        : OnePacketCore(chip, std::move(image), context, schedule),
          cycles_(spec().section<WideSpec>().cycles) {}

  protected:
    /// Called once a packet: how long it holds the core.
    Cycles work_off(std::uint64_t, WideCounters& own) override {
        ++own.rows;
        return spec().axon_in.lookup + cycles_;
    }

  private:
    Cycles cycles_;
};

}  // namespace example
