// SPDX-License-Identifier: Apache-2.0
#include "app/noc/noc_report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>

#include "base/json/figures.hpp"
#include "noc/multicast/sets.hpp"
#include "sim/report/energy_report.hpp"

namespace loom::app {
namespace {

/// A figure of packets: null when there were none.
template <class T>
Json of_packets(const noc::LatencyStats& packets, T figure) {
    return packets.count() == 0 ? Json() : Json(figure);
}

Json quantile(const noc::LatencyStats& packets, double q) {
    return of_packets(packets, packets.quantile(q));
}

Json or_null(const std::optional<double>& figure) {
    return figure ? Json(*figure) : Json();
}

/// In mW; null when no time has passed.
Json milliwatts(double pj, double ps) {
    return ps == 0 ? Json() : Json(1e3 * (pj / ps));
}

/// Energy of the network alone: what cores and the rest of the chip leak is left out.
Json energy_json(const noc::NocCounters& counters, const arch::ChipSpec& chip, std::uint64_t cycles) {
    const stats::PriceTable prices(chip);
    const stats::Ledger ledger = stats::network_energy(counters, cycles, prices, stats::StaticPower(chip));
    const double dynamic = ledger.total().total(), leakage = ledger.leakage.total_pj();
    const double bridges =
        ledger.sum([&](const stats::Leaf& l) { return prices.events()[l.event].name == "noc.link_bridge"; })
            .total();
    const double ps = static_cast<double>(cycles) * chip.clock.period;  // pJ / ps = W
    const auto per = [&](std::uint64_t n) { return quotient(dynamic, static_cast<double>(n)); };
    return {{"list", prices.name()},
            {"total_pj", dynamic + leakage},
            {"dynamic_pj", dynamic},
            {"on_chip_pj", dynamic - bridges},
            {"bridge_pj", bridges},
            {"leakage_pj", leakage},
            {"leakage", stats::leakage_json(ledger.leakage)},
            {"dynamic_mw", milliwatts(dynamic, ps)},
            {"leakage_mw", milliwatts(leakage, ps)},
            {"per_delivery_pj", per(counters.packets_delivered)},
            {"per_flit_hop_pj", per(counters.flit_hops())},
            {"events", stats::events_json(ledger, prices)},
            {"unpriced", stats::unpriced_json(ledger, prices)}};
}

/// Tells of each kind of link how many there are, their flits, and their mean and highest use.
Json links_json(const FabricUse& use) {
    Json j = Json::object();
    for (std::size_t k = 0; k < use.links.size(); ++k) {
        const auto& l = use.links[k];
        if (l.links == 0) continue;
        static constexpr std::array<const char*, noc::kLinkKinds> names{"x+", "x-", "y+",    "y-",
                                                                        "z+", "z-", "other", "bridge"};
        j[names[k]] = {{"links", l.links},
                       {"flits", l.flits},
                       {"utilisation_mean", use.cycles == 0 ? Json() : Json(utilisation(use, l.flits) / static_cast<double>(l.links))},
                       {"utilisation_max", use.cycles == 0 ? Json() : Json(utilisation(use, l.busiest))}};
    }
    return j;
}

/// Mean, quantiles and the largest, of the packets of all seeds.
Json packets_json(const std::optional<double>& mean, const noc::LatencyStats& packets) {
    return {{"mean", or_null(mean)},
            {"p50", quantile(packets, 0.50)},
            {"p95", quantile(packets, 0.95)},
            {"p99", quantile(packets, 0.99)},
            {"max", of_packets(packets, packets.max())}};
}

/// What the first seed that did not come to rest says of it.
std::string why_unstable(const noc::Summary& s) {
    for (const auto& r : s.runs) {
        if (!r.why_unstable.empty()) return r.why_unstable;
    }
    return "";
}

Json counters_json(noc::NocCounters counters) {
    Json j = Json::object();
    fields([&](const char* name, const std::uint64_t& n, bool, const char*) { j[name] = n; }, counters);
    j["noc.link_x"] = counters.both_ways(noc::kLinkX);
    j["noc.link_y"] = counters.both_ways(noc::kLinkY);
    j["noc.link_z"] = counters.both_ways(noc::kLinkZ);
    return j;
}

/// Every delivery that was expected was made, was dropped, or is under way.
Json conservation_json(const noc::Summary& s) {
    const auto& c = s.counters;
    std::uint64_t queued = 0, in_flight = 0;
    for (const auto& r : s.runs) {
        queued += r.queued;
        in_flight += r.in_flight;
    }
    return {{"expected", c.packets_expected},
            {"delivered", c.packets_delivered},
            {"dropped", c.packets_dropped},
            {"in_flight_deliveries", c.packets_expected - c.packets_delivered - c.packets_dropped},
            {"in_flight_flits", in_flight},
            {"in_source_queues", queued}};
}

Json seeds_json(const noc::Summary& s) {
    Json j = Json::array();
    for (const auto& r : s.runs) {
        j.push_back({{"seed", r.seed},
                     {"packet_mean", of_packets(r.packet, r.packet.mean())},
                     {"network_mean", of_packets(r.network, r.network.mean())},
                     {"hops_mean", or_null(r.hops)},
                     {"accepted_flit_rate", r.accepted_flit_rate},
                     {"stable", r.stable},
                     {"cycles", r.cycles},
                     {"window_begin", r.window_begin},
                     {"window_cycles", r.measured_cycles}});
    }
    return j;
}

}  // namespace

double utilisation(const FabricUse& use, std::uint64_t flits) {
    return use.cycles == 0 ? 0 : static_cast<double>(flits) / static_cast<double>(use.cycles);
}

double busiest_link(const FabricUse& use, const FabricUse::Router& r) {
    std::uint64_t most = 0;
    for (const auto& p : r.ports) {
        if (p.peer != noc::kNone) most = std::max(most, p.flits);
    }
    return utilisation(use, most);
}

FabricUse use_of(const noc::RunView& view) {
    FabricUse use;
    const noc::Topology& t = view.network.topology();
    use.grid = t.grid;
    use.cycles = view.result.cycles;
    for (std::uint32_t r = 0; r < t.n_routers(); ++r) {
        FabricUse::Router router;
        router.name = t.router_name(r);
        router.at = t.coord(r);
        router.ports = view.network.port_use(r);
        for (const auto& p : router.ports) router.flits += p.flits;
        router.occupancy = use.cycles == 0 ? 0
                                           : static_cast<double>(view.network.buffer_cycles(r)) /
                                                 static_cast<double>(use.cycles);
        use.routers.push_back(std::move(router));
        std::size_t at = 0;  // port_use lists the ports that have a link, in order
        for (unsigned p = 0; p < t.link_ports(); ++p) {
            const noc::Channel& c = t.channel(r, p);
            if (c.peer == noc::kNone) continue;
            const std::uint64_t flits = use.routers.back().ports.at(at++).flits;
            use.routers.back().kinds.push_back(c.kind);
            auto& kind = use.links[c.kind];
            ++kind.links;
            kind.flits += flits;
            kind.busiest = std::max(kind.busiest, flits);
        }
    }
    return use;
}

std::string noc_energy_yaml(const noc::Summary& s, const arch::ChipSpec& chip) {
    const stats::PriceTable prices(chip);
    return stats::energy_yaml(stats::network_energy(s.counters, s.cycles, prices, stats::StaticPower(chip)),
                              prices);
}

Json latency_json(const noc::Summary& s) {
    Json j;
    j["packet"] = {{"mean", or_null(s.packet_mean)},
                   {"std_of_seeds", or_null(s.packet_deviation)},
                   {"min", of_packets(s.packet, s.packet.min())}};
    const Json rest = packets_json(s.packet_mean, s.packet);
    for (const auto& [key, value] : rest.items()) j["packet"][key] = value;
    j["network"] = packets_json(s.network_mean, s.network);
    if (s.head.count() != 0)
        j["head"] = {{"mean", s.head.mean()}, {"p99", s.head.quantile(0.99)}, {"max", s.head.max()}};
    j["zero_load"] = or_null(s.zero_load);
    return j;
}

Json noc_json(const noc::Summary& s, const arch::ChipSpec& chip, const FabricUse& use) {
    Json j;
    j["schema_version"] = 1;
    j["name"] = chip.name;
    j["cycle_ps"] = chip.clock.period;
    j["latency"] = latency_json(s);
    j["offered_flit_rate"] = s.offered_flit_rate;
    j["accepted_flit_rate"] = s.accepted_flit_rate;
    j["accepted_min_node"] = or_null(s.accepted_min);
    j["accepted_max_node"] = or_null(s.accepted_max);
    j["hops"]["mean"] = or_null(s.hops);
    j["stable"] = s.stable;
    if (!s.stable) {
        if (const std::string why = why_unstable(s); !why.empty()) j["why_unstable"] = why;
    }
    j["cycles"] = s.cycles;
    j["flit_hops"] = s.counters.flit_hops();
    j["packets_measured"] = s.packet.count();
    j["counters"] = counters_json(s.counters);
    const auto& c = s.counters;
    j["conservation"] = conservation_json(s);
    double peak = 0;
    for (const auto& r : use.routers) peak = std::max(peak, busiest_link(use, r));
    j["link_utilisation_max"] = use.cycles == 0 ? Json() : Json(peak);
    j["links"] = links_json(use);
    if (!use.sets.empty()) {
        std::uint64_t tree = 0, unicast = 0;
        for (const auto& l : use.sets) {
            tree += l.tree;
            unicast += l.unicast;
        }
        const bool repeated =
            noc::find_multicast_style(chip.noc.multicast.style) == noc::MulticastStyle::Unicast;
        const double delivered = static_cast<double>(c.packets_delivered);
        j["multicast"] = {
            {"style", chip.noc.multicast.style},
            {"sets", use.sets.size()},
            {"flit_hops_as_trees", tree},
            {"flit_hops_as_unicast", unicast},
            {"gain", quotient(unicast, tree)},
            {"copied_in_routers", !repeated},
            {"flit_hops_per_delivery", quotient(static_cast<double>(c.flit_hops()), delivered)}};
        if (!s.runs.empty() && !s.runs[0].tables.empty()) j["multicast"]["tables"] = s.runs[0].tables;
    }
    j["energy"] = energy_json(s.counters, chip, s.cycles);
    std::uint64_t crossings = c.links[noc::kLinkBridge];
    if (use.links[noc::kLinkBridge].links != 0) {
        j["chip_crossings"] = {
            {"flits", crossings},
            {"per_delivery", quotient(static_cast<double>(crossings), static_cast<double>(c.packets_delivered))},
            {"pj", j["energy"]["bridge_pj"]},
            {"share_of_dynamic", quotient(j["energy"]["bridge_pj"].get<double>(), j["energy"]["dynamic_pj"].get<double>())}};
    }
    double buffered = 0;
    for (const auto& r : use.routers) buffered += r.occupancy;
    j["residency"] = {{"router_cycles", s.cycles * use.routers.size()}, {"mean_flits_buffered", use.cycles == 0 ? Json() : Json(buffered)}};
    j["seeds"] = seeds_json(s);
    return j;
}

std::string links_csv(const FabricUse& use, const arch::ChipSpec& chip) {
    const stats::PriceTable prices(chip);
    std::string out = "router,port,to,flits,flits_per_cycle,pj\n";
    for (const auto& r : use.routers) {
        for (std::size_t i = 0; i < r.ports.size(); ++i) {
            const auto& p = r.ports[i];
            const auto& price = i < r.kinds.size() ? prices.of_link(r.kinds[i]) : prices.of("noc.local");
            out += fmt::format("\"{}\",{},\"{}\",{},{:.6f},{}\n", r.name, p.name,
                               p.peer == noc::kNone ? "core" : use.routers[p.peer].name, p.flits,
                               utilisation(use, p.flits),
                               price.spec == nullptr ? std::string()
                                                     : fmt::format("{}", static_cast<double>(p.flits) * price.pj));
        }
    }
    return out;
}

std::string routers_csv(const FabricUse& use) {
    std::string out = "router,x,y,z,flits,flits_per_cycle,mean_flits_buffered,busiest_link\n";
    for (const auto& r : use.routers) {
        out += fmt::format("\"{}\",{},{},{},{},{:.6f},{:.6f},{:.6f}\n", r.name, r.at.x, r.at.y, r.at.z,
                           r.flits, utilisation(use, r.flits), r.occupancy, busiest_link(use, r));
    }
    return out;
}

std::string histogram_csv(const noc::Summary& s) {
    std::string out = "cycles,packets\n";
    const auto& h = s.packet.histogram();
    for (std::size_t i = 0; i < h.size(); ++i) {
        if (h[i] != 0) out += fmt::format("{},{}\n", i, h[i]);
    }
    return out;
}

}  // namespace loom::app
