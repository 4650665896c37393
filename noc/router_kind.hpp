// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "noc/network.hpp"

namespace loom::noc {

/// A kind of router: a class of network, and what others must know of it. Its file defines a function that
/// returns one of these; a line in catalogue.cpp.
struct RouterKind {
    std::string name;
    std::unique_ptr<Network> (*make)(const arch::ChipSpec&, Topology);
    /// Keys of noc.router that it looks at, `kind` excepted; a key of other kinds is warned about. Empty: not known.
    std::vector<std::string_view> keys = {};
    bool asynchronous = false;         ///< hops take the times of noc.router.async
    bool drops_packets = false;        ///< packets that wait too long are lost
    bool single_flits = false;         ///< packets have one flit
    bool one_length_per_flow = false;  ///< all packets from one endpoint to another have the same flits
    /// Cycles, beside those on links, that a flit may rest without being stuck.
    Cycles (*longest_wait)(const arch::RouterSpec&) = [](const arch::RouterSpec&) { return Cycles{0}; };
};

/// Makes a network of class N.
template <class N>
std::unique_ptr<Network> make_router(const arch::ChipSpec& spec, Topology topology) {
    return std::make_unique<N>(spec, std::move(topology));
}

}  // namespace loom::noc
