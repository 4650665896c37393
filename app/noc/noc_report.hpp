// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <array>
#include "base/json/json.hpp"
#include <string>

#include "noc/traffic/experiment.hpp"
#include "arch/chip_spec.hpp"

namespace loom::app {

/// Use of all routers in one run, kept when the network is gone.
struct FabricUse {
    struct Router {
        std::string name;
        noc::Coord at;
        double occupancy = 0;  ///< mean flits in its buffers
        std::uint64_t flits = 0;
        std::vector<noc::PortUse> ports;
        std::vector<noc::LinkKind> kinds;  ///< the kind of each port that has a link; they come first
    };
    /// All links of a kind, each way for itself.
    struct Links {
        std::uint64_t links = 0, flits = 0, busiest = 0;
    };
    std::vector<Router> routers;
    std::array<Links, noc::kLinkKinds> links{};
    std::vector<std::uint32_t> grid;
    std::uint64_t cycles = 0;
    std::vector<noc::Network::SetLinks> sets;
};
FabricUse use_of(const noc::RunView& view);
double utilisation(const FabricUse& use, std::uint64_t flits);
/// Flits per cycle on the busiest link out of a router.
double busiest_link(const FabricUse& use, const FabricUse::Router& r);

/// In cycles; null where no packet was measured.
Json latency_json(const noc::Summary& s);
Json noc_json(const noc::Summary& s, const arch::ChipSpec& chip, const FabricUse& use);
/// Every event with count, price, formula, source and energy.
std::string noc_energy_yaml(const noc::Summary& s, const arch::ChipSpec& chip);
std::string noc_text(const Json& j, const FabricUse& use);
/// One row per output port; `pj`: flits times the price of a flit over that link (dynamic, of the first
/// seed).
std::string links_csv(const FabricUse& use, const arch::ChipSpec& chip);
std::string routers_csv(const FabricUse& use);
std::string histogram_csv(const noc::Summary& s);
std::string heat_map_svg(const FabricUse& use);

}  // namespace loom::app
