// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <array>
#include <cstdint>
#include <vector>

#include "noc/flits.hpp"
#include "noc/network_state.hpp"
#include "noc/routing/routing.hpp"
#include "noc/vc/calendar.hpp"

namespace loom::noc {

/// A credit is received and delayed by one cycle each, in routers and interfaces.
inline constexpr std::uint32_t kCreditDelay = 2;

/// What routers and network interfaces share.
struct Fabric : NetworkState {
    Fabric(unsigned n_vcs, unsigned buffer_flits, unsigned n_classes, std::uint64_t longest_delay)
        : vcs(n_vcs), buffer(buffer_flits), classes(n_classes), calendar(longest_delay) {
        const unsigned share = vcs / classes;
        const auto range = [](unsigned first, unsigned n) {
            return (n == 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << n) - 1) << first;
        };
        for (unsigned c = 0; c < classes; ++c) {
            const unsigned first = c * share;
            masks.push_back({range(first, share), range(first, share / 2 == 0 ? 1 : share / 2),
                             range(first + share / 2, share - share / 2), range(first, 1),
                             share == 1 ? range(first, 1) : range(first + 1, share - 1)});
        }
    }

    unsigned vcs;
    unsigned buffer;
    unsigned classes;
    Calendar calendar;
    Pool<Flit> flits;
    Pool<PacketRecord> packets;
    /// [message class][VcClass]: the virtual channels as a mask.
    std::vector<std::array<std::uint64_t, kVcClasses>> masks;

    /// The virtual channels of a port as a mask.
    std::uint64_t all_vcs() const { return vcs == 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << vcs) - 1; }
    unsigned vcs_per_class() const { return vcs / classes; }
    /// A packet's tail has left the network in one of its copies.
    void release_copy(std::uint32_t packet) {
        if (--packets[packet].copies == 0) packets.release(packet);
    }
};

}  // namespace loom::noc
