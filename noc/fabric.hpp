// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <vector>

#include "noc/calendar.hpp"
#include "noc/flits.hpp"
#include "noc/network.hpp"

namespace loom::noc {

/// What routers and network interfaces share.
struct Fabric {
    Fabric(unsigned n_vcs, unsigned buffer_flits, std::uint64_t longest_delay)
        : vcs(n_vcs), buffer(buffer_flits), calendar(longest_delay) {}

    unsigned vcs;
    unsigned buffer;
    Calendar calendar;
    Pool<Flit> flits;
    Pool<PacketRecord> packets;
    std::vector<NocCounters> counters;
    /// Flits of packets that have been taken from their sender and not delivered.
    std::size_t in_flight = 0;

    /// The virtual channels of a port as a mask.
    std::uint64_t all_vcs() const { return vcs == 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << vcs) - 1; }
};

}  // namespace loom::noc
