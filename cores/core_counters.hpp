// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/counter_math.hpp"

namespace loom::cores {

/// Events of the stages that kinds of cores have in common, of one core on behalf of one layer. Exact
/// integers; energy is computed from them later. The field list is the only list: prices, reports and
/// documentation are made from it. What only one kind counts is in a struct of its own beside that kind
/// (Core::add_own).
struct CoreCounters {
    std::uint64_t packets_in = 0;
    std::uint64_t axon_lookups = 0;
    std::uint64_t words_read = 0;
    std::uint64_t ac = 0;
    std::uint64_t mac = 0;
    std::uint64_t accumulator_accesses = 0;
    std::uint64_t updates_active = 0;
    std::uint64_t updates_inactive = 0;
    std::uint64_t spikes = 0;
    std::uint64_t fanout_reads = 0;
    std::uint64_t packets_out = 0;
    std::uint64_t state_resets = 0;
    std::uint64_t accumulator_saturations = 0;
    std::uint64_t state_saturations = 0;
    std::uint64_t synapse_busy = 0;
    std::uint64_t dendrite_busy = 0;
    std::uint64_t dendrite_stalls = 0;
    std::uint64_t soma_busy = 0;
    std::uint64_t soma_stalls = 0;
    std::uint64_t axon_out_stalls = 0;
    std::uint64_t axon_in_stalled = 0;
    std::uint64_t axon_in_stalls = 0;
};

/// v(name, member, priced, doc): `priced` events need a price or an explicit `unpriced` entry.
template <class V, class C>
void fields(V&& v, C& c) {
    v("axon_in.packets", c.packets_in, true, "packets taken from the input FIFO");
    v("axon_in.lookups", c.axon_lookups, true, "axon table reads");
    v("synapse.word_reads", c.words_read, true, "words read from the synapse memory");
    v("dendrite.ac", c.ac, true, "synaptic operations on plain spikes (accumulate)");
    v("dendrite.mac", c.mac, true, "synaptic operations on graded input (multiply-accumulate)");
    v("dendrite.accesses", c.accumulator_accesses, true, "read-modify-writes of a group of accumulators");
    v("soma.updates_active", c.updates_active, true, "neuron updates with input or spike");
    v("soma.updates_inactive", c.updates_inactive, true, "neuron updates without");
    v("soma.spikes", c.spikes, true, "spikes fired");
    v("axon_out.fanout_reads", c.fanout_reads, true, "fan-out table entries read");
    v("axon_out.packets", c.packets_out, true, "packets sent");
    v("soma.state_resets", c.state_resets, true, "neuron states cleared between samples");
    v("dendrite.saturations", c.accumulator_saturations, false, "sums beyond the accumulator's width");
    v("soma.saturations", c.state_saturations, false, "membranes beyond the state's width");
    v("synapse.busy_cycles", c.synapse_busy, false, "cycles the synapse memory was read");
    v("dendrite.busy_cycles", c.dendrite_busy, false, "cycles the accumulators were busy");
    v("dendrite.stall_cycles", c.dendrite_stalls, false, "cycles a row waited for the accumulators");
    v("soma.busy_cycles", c.soma_busy, false, "cycles the soma was updating");
    v("soma.stall_cycles", c.soma_stalls, false, "cycles the soma waited for axon-out");
    v("axon_out.stall_cycles", c.axon_out_stalls, false, "cycles a packet waited for the network");
    v("axon_in.stalled", c.axon_in_stalled, false, "packets that waited for a read or write of the arrays");
    v("axon_in.stall_cycles", c.axon_in_stalls, false, "cycles they waited");
}

/// Adds a struct of nothing but counters, all of them in its field list, to sums in the order of that list; the sums
/// grow to its length.
template <class C>
void add_counters(const C& counters, std::vector<std::uint64_t>& sums) {
    constexpr std::size_t kCounters = sizeof(C) / sizeof(std::uint64_t);
    if (sums.size() < kCounters) sums.resize(kCounters);
    std::uint64_t* to = sums.data();
    fields([&](const char*, const std::uint64_t& n, bool, const char*) { *to++ += n; },
           const_cast<C&>(counters));  // only read
}

/// Everything that cores of one kind have counted.
struct CoreTotals {
    CoreCounters common;
    std::vector<std::uint64_t> own;  ///< [arch::CoreKind::own_events()]; empty before anything was added

    CoreTotals& operator+=(const CoreTotals& o) {
        common = sum_of(common, o.common);
        if (own.size() < o.own.size()) own.resize(o.own.size());
        for (std::size_t i = 0; i < o.own.size(); ++i) own[i] += o.own[i];
        return *this;
    }
    /// o: an earlier state of the same cores.
    CoreTotals& operator-=(const CoreTotals& o) {
        common = difference_of(common, o.common);
        for (std::size_t i = 0; i < o.own.size(); ++i) own[i] -= o.own[i];
        return *this;
    }
};

}  // namespace loom::cores
