// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <algorithm>
#include <cstdint>
#include <vector>

#include "arch/program.hpp"
#include "arch/psum_packets.hpp"
#include "base/error.hpp"

namespace loom::cores {

/// The partial sums that a core's neurons get from other cores: which packets a timestep still waits for.
class PsumInputs {
  public:
    PsumInputs(const arch::PsumPackets& format, const arch::CoreImage& image)
        : image_(image),
          format_(format),
          waiting_(image.neurons.size(), 0),
          expected_(image.neurons.size(), 0) {
        for (const arch::PsumInput& in : image.psums_in) {
            group_.push_back(group_of(in));
            expected_[group_.back()] += format.packets(in.count);
        }
    }

    /// Does a group of neurons get any?
    bool expects(std::size_t group) const { return expected_[group] != 0; }
    /// A timestep in which the group is active: all its packets are to come.
    void begin(std::size_t group) { waiting_[group] = expected_[group]; }
    bool complete(std::size_t group) const { return waiting_[group] == 0; }

    struct Packet {
        std::uint32_t group = 0;
        std::uint32_t neuron = 0, count = 0;  ///< neurons of the core that its sums are for
    };
    /// The packet of that number has come. Throws ModelError when nobody waits for it.
    Packet take(std::uint32_t axon) {
        std::size_t i = image_.psums_in.size();
        while (i != 0 && image_.psums_in[i - 1].axon > axon) --i;
        if (i == 0) throw ModelError("a packet for an axon that the core does not have");
        const arch::PsumInput& in = image_.psums_in[--i];
        const std::uint64_t first = (axon - in.axon) * format_.per_packet();
        if (first >= in.count) throw ModelError("a packet for an axon that the core does not have");
        std::uint64_t& waiting = waiting_[group_[i]];
        if (waiting == 0) throw ModelError("a packet of partial sums that nobody waits for");
        --waiting;
        return {group_[i], static_cast<std::uint32_t>(in.neuron_first + first),
                static_cast<std::uint32_t>(std::min(format_.per_packet(), in.count - first))};
    }

  private:
    std::uint32_t group_of(const arch::PsumInput& in) const {
        for (std::uint32_t k = 0; k < image_.neurons.size(); ++k) {
            if (image_.neurons[k].first == in.neuron_first && image_.neurons[k].count == in.count) return k;
        }
        throw ModelError("partial sums for no group of neurons");
    }

    const arch::CoreImage& image_;
    arch::PsumPackets format_;
    std::vector<std::uint32_t> group_;               ///< [inputs] group of neurons
    std::vector<std::uint64_t> waiting_, expected_;  ///< [groups of neurons] packets
};

}  // namespace loom::cores
