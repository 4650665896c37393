// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <algorithm>

#include "training/many_core/bits.hpp"
#include "training/many_core/destinations.hpp"
#include "training/many_core/step_runner.hpp"

namespace loom::training {

/// What all passes over a chip work with: the step of training, what multiplies in a core, ways for packets,
/// and the chip's step that collects jobs and packets.
struct CoresAtWork {
    TrainingView& view;
    CoreArithmetic& arithmetic;
    const Destinations& ways;
    StepRunner& runner;

    /// Sends one message from a core to a set of cores (a number of Destinations).
    template <class Message>
    void send(std::uint32_t from, std::uint32_t set, const Message& message,
              std::uint64_t payload_bits) const {
        const Destinations::Way& way = ways.way(from, set);
        runner.send(from, way.to, way.copies, message.encode(), payload_bits);
    }
    /// Sends `message.values` values of so many bits, as many to a packet as fit.
    template <class Message>
    void send_values(std::uint32_t from, std::uint32_t set, Message message, std::uint64_t value_bits) const {
        const std::uint64_t all = message.values, fit = runner.values_that_fit(value_bits);
        for (std::uint64_t first = 0; first < all; first += fit) {
            message.values = std::min(fit, all - first);
            send(from, set, message, message.values * value_bits);
        }
    }
    void add_job(std::uint32_t core, CoreJob job, std::uint32_t item) const {
        runner.add_job(core, job, item);
    }
};

/// Calls f(element, zero) for every bit among first .. last - 1 that is sent: the set ones, or all.
template <class F>
void each_sent(const TrainingView& view, std::span<const std::uint64_t> bits, std::size_t first,
               std::size_t last, F f) {
    if (view.sparsity.spikes == arch::ZeroRule::Skip)
        each_one(bits, first, last, [&](std::size_t i) { f(i, false); });
    else
        for (std::size_t i = first; i < last; ++i) f(i, (bits[i / 64] >> i % 64 & 1) == 0);
}

}  // namespace loom::training
