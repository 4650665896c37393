// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <vector>

#include "cores/core_counters.hpp"
#include "arch/program.hpp"
#include "base/clocking/link.hpp"
#include "base/clocking/packet.hpp"

namespace loom::cores {

/// Walks the fan-out table of every spike of a sweep and sends one packet per entry. Spikes pass a FIFO;
/// when it is full the soma stalls, and all later spikes come later by the same time.
class AxonOut {
  public:
    struct Spike {
        Cycle ready = 0;  ///< when the soma offers it, without stalls
        std::uint32_t neuron = 0;
        std::int64_t payload = 1;
        std::uint16_t tag = 0;
        std::uint16_t flits = 1;
        std::uint16_t layer_slot = 0;  ///< index into the core's counters
        bool queued = true;            ///< takes a place of the FIFO; else it waits where it comes from
    };

    AxonOut(const arch::CoreSpec& spec, const arch::FanoutTable& table, EndpointId self, Link<Packet>& out,
            Activity& activity)
        : interval_(spec.axon_out.entry_interval),
          table_(table),
          self_(self),
          out_(out),
          activity_(activity),
          left_(spec.axon_out.fifo, 0) {}

    bool has_fanout(std::uint32_t neuron) const { return table_.row[neuron + 1] != table_.row[neuron]; }

    void begin_sweep() {
        spikes_.clear();
        current_ = 0;
        shift_ = 0;
        open_ = false;
        std::fill(left_.begin(), left_.end(), 0);
        free_at_ = 0;
    }
    /// Spikes in order of `ready`; only those with fan-out.
    void add(const Spike& s) { spikes_.push_back(s); }

    /// Sends what is due; returns the next cycle with work, kNever when done or blocked by the network.
    Cycle evaluate(Cycle now, std::vector<CoreCounters>& counters) {
        while (current_ < spikes_.size()) {
            const Spike& s = spikes_[current_];
            if (!open_) open(s, counters);
            if (now < due_) return due_;
            if (!out_.can_send(now)) return kNever;  // the returned credit wakes the core
            CoreCounters& c = counters[s.layer_slot];
            c.axon_out_stalls += now - due_;
            ++c.fanout_reads;
            ++c.packets_out;
            const arch::FanoutEntry& e = table_.entries[entry_];
            activity_.raise();
            out_.send(now, {Destination::endpoint(e.core), self_, e.axon, s.tag, s.flits, s.payload});
            free_at_ = now;
            if (++entry_ == table_.row[s.neuron + 1]) {
                ++current_;
                open_ = false;
            } else {
                due_ = now + interval_;
            }
        }
        return kNever;
    }
    bool done() const { return current_ == spikes_.size(); }
    /// How much later than planned the sweep ends because of full FIFOs.
    Cycles shift() const { return shift_; }

  private:
    void open(const Spike& s, std::vector<CoreCounters>& counters) {
        // left_[k % size]: when spike k left the FIFO; its place is free for spike k + size
        Cycle& place = left_[current_ % left_.size()];
        Cycle enters = s.ready + shift_;
        if (s.queued && current_ >= left_.size() && place > enters) {
            counters[s.layer_slot].soma_stalls += place - enters;
            shift_ += place - enters;
            enters = place;
        }
        const Cycle start = std::max(enters, free_at_);
        place = start;
        entry_ = table_.row[s.neuron];
        due_ = start + interval_;
        open_ = true;
    }

    Cycles interval_;
    const arch::FanoutTable& table_;
    EndpointId self_;
    Link<Packet>& out_;
    Activity& activity_;
    std::vector<Cycle> left_;
    std::vector<Spike> spikes_;
    std::size_t current_ = 0;
    std::uint32_t entry_ = 0;
    Cycle due_ = 0, free_at_ = 0;
    Cycles shift_ = 0;
    bool open_ = false;
};

}  // namespace loom::cores
