// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <algorithm>
#include <bit>
#include <cstdint>
#include <vector>

#include "cores/near_memory/synapse_rows.hpp"

namespace loom::cores {

/// Integer accumulators per neuron and future timestep. Sums do not depend on the order of arrival.
template <class Acc>
class DelayRing {
  public:
    DelayRing(std::uint32_t depth, std::uint32_t neurons)
        : depth_(depth), neurons_(neurons), sums_(std::size_t{depth} * neurons), dirty_(depth, 0) {}

    void deliver(const arch::AxonGroup& g, std::uint32_t axon, std::int64_t payload, Step step) {
        const std::size_t slot = step % depth_;
        dirty_[slot] = 1;
        add_row<Acc>(g, axon, static_cast<Acc>(payload * (std::int64_t{1} << g.shift)),
                     &sums_[slot * neurons_ + g.neuron_first]);
    }
    /// The sums of a timestep, to be read and then cleared by close().
    Acc* open(Step step) { return &sums_[(step % depth_) * neurons_]; }
    bool dirty(Step step) const { return dirty_[step % depth_] != 0; }
    void close(Step step) {
        if (!dirty(step)) return;
        dirty_[step % depth_] = 0;
        std::fill_n(open(step), neurons_, Acc{0});
    }
    void reset() {
        for (Step s = 0; s < depth_; ++s) close(s);
    }

  private:
    std::uint32_t depth_, neurons_;
    std::vector<Acc> sums_;
    std::vector<std::uint8_t> dirty_;
};

/// float64: arrivals are kept and summed in the order of their axons when the timestep is read, so that
/// rounding does not depend on the order of arrival.
template <>
class DelayRing<double> {
  public:
    DelayRing(std::uint32_t depth, std::uint32_t neurons) : arrivals_(depth), sums_(neurons) {}

    void deliver(const arch::AxonGroup& g, std::uint32_t axon, std::int64_t payload, Step step) {
        arrivals_[step % arrivals_.size()].push_back({&g, axon, payload});
    }
    double* open(Step step) {
        auto& list = arrivals_[step % arrivals_.size()];
        std::sort(list.begin(), list.end(), [](const Arrival& a, const Arrival& b) {
            const std::uint32_t x = a.group->first + a.axon, y = b.group->first + b.axon;
            return x != y ? x < y : a.payload < b.payload;
        });
        for (const Arrival& a : list) {
            const double factor =
                a.group->real_payload ? std::bit_cast<double>(a.payload) : static_cast<double>(a.payload);
            add_row<double>(*a.group, a.axon, factor, &sums_[a.group->neuron_first]);
        }
        return sums_.data();
    }
    bool dirty(Step step) const { return !arrivals_[step % arrivals_.size()].empty(); }
    void close(Step step) {
        arrivals_[step % arrivals_.size()].clear();
        std::fill(sums_.begin(), sums_.end(), 0.0);
    }
    void reset() {
        for (auto& list : arrivals_) list.clear();
        std::fill(sums_.begin(), sums_.end(), 0.0);
    }

  private:
    struct Arrival {
        const arch::AxonGroup* group;
        std::uint32_t axon;
        std::int64_t payload;
    };
    std::vector<std::vector<Arrival>> arrivals_;
    std::vector<double> sums_;
};

}  // namespace loom::cores
