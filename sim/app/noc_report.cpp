// SPDX-License-Identifier: Apache-2.0
#include "sim/app/noc_report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "sim/base/error.hpp"

namespace loom::app {
namespace {

using Json = nlohmann::ordered_json;

double utilisation(const FabricUse& use, std::uint64_t flits) {
    return use.cycles == 0 ? 0 : static_cast<double>(flits) / static_cast<double>(use.cycles);
}

/// Flits on the busiest link of a router, per cycle.
double busiest(const FabricUse& use, const FabricUse::Router& r) {
    std::uint64_t most = 0;
    for (const auto& p : r.ports) {
        if (p.peer != noc::kNone) most = std::max(most, p.flits);
    }
    return utilisation(use, most);
}

Json energy_json(const noc::NocCounters& counters, const arch::ChipSpec& chip, std::uint64_t cycles,
                 std::size_t routers) {
    Json events = Json::object();
    double dynamic = 0;
    std::vector<std::string> free;
    fields(
        [&](const char* name, const std::uint64_t& n, bool priced, const char*) {
            if (!priced || n == 0) return;
            const auto price = chip.energy.actions.find(name);
            if (price == chip.energy.actions.end()) {
                free.emplace_back(name);
                return;
            }
            const double pj = static_cast<double>(n) * price->second.value;
            events[name] = {{"count", n},
                            {"price_pj", price->second.value},
                            {"pj", pj},
                            {"source", price->second.source}};
            dynamic += pj;
        },
        counters);
    const auto leak = chip.energy.leakage.find("router");
    // mW * ps = 1e-3 pJ
    const double leakage = leak == chip.energy.leakage.end()
                               ? 0
                               : leak->second.value * static_cast<double>(routers) *
                                     static_cast<double>(cycles) * chip.clock.period * 1e-3;
    const auto per = [&](std::uint64_t n) { return n == 0 ? 0 : dynamic / static_cast<double>(n); };
    return {{"total_pj", dynamic + leakage},
            {"dynamic_pj", dynamic},
            {"leakage_pj", leakage},
            {"per_delivery_pj", per(counters.packets_delivered)},
            {"per_flit_hop_pj", per(counters.flit_hops())},
            {"events", events},
            {"unpriced", free}};
}

/// Blue to red over 0..1.
std::string colour(double x) {
    const double t = std::clamp(x, 0.0, 1.0);
    const auto mix = [&](double a, double b) { return static_cast<int>(std::lround(a + (b - a) * t)); };
    return fmt::format("#{:02x}{:02x}{:02x}", mix(222, 178), mix(235, 24), mix(247, 43));
}

}  // namespace

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
    }
    return use;
}

Json noc_json(const noc::Summary& s, const arch::ChipSpec& chip, const FabricUse& use) {
    Json j;
    j["schema_version"] = 1;
    j["name"] = chip.name;
    j["latency"]["packet"] = {{"mean", s.packet_mean},          {"std_of_seeds", s.packet_deviation},
                              {"min", s.packet.min()},          {"p50", s.packet.quantile(0.50)},
                              {"p95", s.packet.quantile(0.95)}, {"p99", s.packet.quantile(0.99)},
                              {"max", s.packet.max()}};
    j["latency"]["network"] = {{"mean", s.network_mean},
                               {"p50", s.network.quantile(0.50)},
                               {"p95", s.network.quantile(0.95)},
                               {"p99", s.network.quantile(0.99)},
                               {"max", s.network.max()}};
    if (s.head.count() != 0)
        j["latency"]["head"] = {
            {"mean", s.head.mean()}, {"p99", s.head.quantile(0.99)}, {"max", s.head.max()}};
    j["latency"]["zero_load"] = s.zero_load;
    j["offered_flit_rate"] = s.offered_flit_rate;
    j["accepted_flit_rate"] = s.accepted_flit_rate;
    j["accepted_min_node"] = s.accepted_min;
    j["accepted_max_node"] = s.accepted_max;
    j["hops"]["mean"] = s.hops;
    j["stable"] = s.stable;
    if (!s.stable) {
        for (const auto& r : s.runs) {
            if (r.why_unstable.empty()) continue;
            j["why_unstable"] = r.why_unstable;
            break;
        }
    }
    j["cycles"] = s.cycles;
    j["flit_hops"] = s.counters.flit_hops();
    j["packets_measured"] = s.packet.count();
    std::uint64_t queued = 0, in_flight = 0;
    for (const auto& r : s.runs) {
        queued += r.queued;
        in_flight += r.in_flight;
    }
    Json counters = Json::object();
    fields([&](const char* name, const std::uint64_t& n, bool, const char*) { counters[name] = n; },
           s.counters);
    j["counters"] = counters;
    const auto& c = s.counters;
    j["conservation"] = {
        {"expected", c.packets_expected},
        {"delivered", c.packets_delivered},
        {"dropped", c.packets_dropped},
        {"in_flight_deliveries", c.packets_expected - c.packets_delivered - c.packets_dropped},
        {"in_flight_flits", in_flight},
        {"in_source_queues", queued}};
    double peak = 0;
    for (const auto& r : use.routers) peak = std::max(peak, busiest(use, r));
    j["link_utilisation_max"] = peak;
    if (!use.sets.empty()) {
        std::uint64_t tree = 0, unicast = 0;
        for (const auto& l : use.sets) {
            tree += l.tree;
            unicast += l.unicast;
        }
        j["multicast"] = {
            {"style", chip.noc.multicast.style},
            {"sets", use.sets.size()},
            {"links_as_trees", tree},
            {"links_as_unicast", unicast},
            {"gain", tree == 0 ? 1.0 : static_cast<double>(unicast) / static_cast<double>(tree)}};
        if (!s.runs.empty() && !s.runs[0].tables.empty()) j["multicast"]["tables"] = s.runs[0].tables;
    }
    j["energy"] = energy_json(s.counters, chip, s.cycles, use.routers.size());
    j["seeds"] = Json::array();
    for (const auto& r : s.runs) {
        j["seeds"].push_back({{"seed", r.seed},
                              {"packet_mean", r.packet.mean()},
                              {"network_mean", r.network.mean()},
                              {"hops_mean", r.hops},
                              {"accepted_flit_rate", r.accepted_flit_rate},
                              {"stable", r.stable},
                              {"cycles", r.cycles},
                              {"window_begin", r.window_begin},
                              {"window_cycles", r.measured_cycles}});
    }
    return j;
}

std::string noc_text(const Json& j, const FabricUse& use) {
    const auto& p = j["latency"]["packet"];
    const auto& n = j["latency"]["network"];
    std::string out = fmt::format(
        "{:<28}{:>10} {:>8} {:>8} {:>8} {:>8}\n{:<28}{:>10.3f} {:>8} {:>8} {:>8} {:>8}\n{:<28}{:>10.3f} "
        "{:>8} {:>8} {:>8} {:>8}\n"
        "{:<28}{:>10.3f}\n",
        "latency (cycles)", "mean", "p50", "p95", "p99", "max", "  packet, with source queue",
        p["mean"].get<double>(), p["p50"].get<std::uint64_t>(), p["p95"].get<std::uint64_t>(),
        p["p99"].get<std::uint64_t>(), p["max"].get<std::uint64_t>(), "  network", n["mean"].get<double>(),
        n["p50"].get<std::uint64_t>(), n["p95"].get<std::uint64_t>(), n["p99"].get<std::uint64_t>(),
        n["max"].get<std::uint64_t>(), "  at zero load", j["latency"]["zero_load"].get<double>());
    out += fmt::format("{:<28}{:>10.5f} offered, {:.5f} accepted (nodes {:.5f} to {:.5f})\n",
                       "flits per node and cycle", j["offered_flit_rate"].get<double>(),
                       j["accepted_flit_rate"].get<double>(), j["accepted_min_node"].get<double>(),
                       j["accepted_max_node"].get<double>());
    out += fmt::format("{:<28}{:>10.4f} mean; busiest link {:.1f} % used\n", "hops",
                       j["hops"]["mean"].get<double>(), 100 * j["link_utilisation_max"].get<double>());
    const auto& c = j["conservation"];
    out += fmt::format("{:<28}{:>10} asked for = {} delivered + {} dropped + {} on their way\n", "deliveries",
                       c["expected"].get<std::uint64_t>(), c["delivered"].get<std::uint64_t>(),
                       c["dropped"].get<std::uint64_t>(), c["in_flight_deliveries"].get<std::uint64_t>());
    if (j.contains("multicast")) {
        const auto& m = j["multicast"];
        out += fmt::format("{:<28}{:>10} sets; {} links as trees, {} as repeated unicast: gain {:.2f}\n",
                           "multicast (" + m["style"].get<std::string>() + ")",
                           m["sets"].get<std::uint64_t>(), m["links_as_trees"].get<std::uint64_t>(),
                           m["links_as_unicast"].get<std::uint64_t>(), m["gain"].get<double>());
        if (m.contains("tables")) out += fmt::format("  {}\n", m["tables"].get<std::string>());
    }
    const auto& e = j["energy"];
    out += fmt::format("{:<28}{:>10.4g} pJ ({:.3f} pJ per flit hop, {:.3f} pJ per delivery)\n", "energy",
                       e["total_pj"].get<double>(), e["per_flit_hop_pj"].get<double>(),
                       e["per_delivery_pj"].get<double>());
    out += fmt::format("{:<28}{:>10} cycles, {} flit hops\n", "simulated", j["cycles"].get<std::uint64_t>(),
                       j["flit_hops"].get<std::uint64_t>());
    if (!j["stable"].get<bool>()) {
        out += fmt::format("NOT STABLE: {}\n",
                           j.contains("why_unstable") ? j["why_unstable"].get<std::string>() : "");
    }
    // the busiest link of every router, in tenths
    if (use.grid.size() == 2 && use.grid[0] <= 64 && use.grid[1] <= 64) {
        out += "busiest link of each router (0-9 tenths of a flit per cycle, + more):\n";
        for (std::uint32_t y = 0; y < use.grid[1]; ++y) {
            out += "  ";
            for (std::uint32_t x = 0; x < use.grid[0]; ++x) {
                const double u = busiest(use, use.routers[y * use.grid[0] + x]);
                out += u >= 0.995 ? '+' : static_cast<char>('0' + static_cast<int>(u * 10));
                out += ' ';
            }
            out += '\n';
        }
    }
    return out;
}

std::string links_csv(const FabricUse& use) {
    std::string out = "router,port,to,flits,flits_per_cycle\n";
    for (const auto& r : use.routers) {
        for (const auto& p : r.ports) {
            out += fmt::format("\"{}\",{},\"{}\",{},{:.6f}\n", r.name, p.name,
                               p.peer == noc::kNone ? "core" : use.routers[p.peer].name, p.flits,
                               utilisation(use, p.flits));
        }
    }
    return out;
}

std::string routers_csv(const FabricUse& use) {
    std::string out = "router,x,y,z,flits,flits_per_cycle,mean_flits_buffered,busiest_link\n";
    for (const auto& r : use.routers) {
        out += fmt::format("\"{}\",{},{},{},{},{:.6f},{:.6f},{:.6f}\n", r.name, r.at.x, r.at.y, r.at.z,
                           r.flits, utilisation(use, r.flits), r.occupancy, busiest(use, r));
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

std::string heat_map_svg(const FabricUse& use) {
    // grids as they lie; 3-D ones layer beside layer; other graphs in rows
    const auto n = static_cast<std::uint32_t>(use.routers.size());
    const auto side = static_cast<std::uint32_t>(std::ceil(std::sqrt(static_cast<double>(n))));
    const std::uint32_t columns = use.grid.empty() ? side : use.grid[0];
    const std::uint32_t rows = use.grid.size() > 1 ? use.grid[1] : 1;
    const auto position = [&](std::uint32_t r) {
        const auto& at = use.routers[r].at;
        const std::uint32_t cells = columns * rows * (use.grid.size() > 2 ? use.grid[2] : 1);
        std::uint32_t x = r % side, y = r / side;
        if (!use.grid.empty() && r < cells) {
            x = at.x + at.z * (columns + 1);
            y = at.y;
        } else if (!use.grid.empty()) {
            x = (r - cells) % columns;
            y = rows + 1 + (r - cells) / columns;
        }
        return std::pair{40.0 * x + 30, 40.0 * y + 30};
    };
    double width = 0, height = 0;
    for (std::uint32_t r = 0; r < n; ++r) {
        width = std::max(width, position(r).first + 30);
        height = std::max(height, position(r).second + 30);
    }
    std::string out = fmt::format(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {0} {1}\" width=\"{0}\" height=\"{1}\" "
        "font-family=\"sans-serif\" font-size=\"8\">\n<rect width=\"100%\" height=\"100%\" "
        "fill=\"white\"/>\n",
        width, height + 20);
    for (std::uint32_t r = 0; r < n; ++r) {
        const auto [x1, y1] = position(r);
        for (const auto& p : use.routers[r].ports) {
            if (p.peer == noc::kNone) continue;
            const auto [x2, y2] = position(p.peer);
            const double u = utilisation(use, p.flits);
            const bool wraps = std::hypot(x2 - x1, y2 - y1) > 60;
            // both directions of a link beside each other
            const double ox = y1 == y2 ? 0 : (y2 > y1 ? -3 : 3), oy = x1 == x2 ? 0 : (x2 > x1 ? 3 : -3);
            out += fmt::format(
                "<line x1=\"{}\" y1=\"{}\" x2=\"{}\" y2=\"{}\" stroke=\"{}\" stroke-width=\"{}\"><title>{} "
                "{} : {:.4f} flits/cycle"
                "</title></line>\n",
                x1 + ox, y1 + oy, x2 + ox, y2 + oy, colour(u), wraps ? 1 : 4, use.routers[r].name, p.name, u);
        }
    }
    double most = 0;
    for (const auto& r : use.routers) most = std::max(most, r.occupancy);
    for (std::uint32_t r = 0; r < n; ++r) {
        const auto [x, y] = position(r);
        const auto& router = use.routers[r];
        out += fmt::format(
            "<rect x=\"{}\" y=\"{}\" width=\"18\" height=\"18\" rx=\"3\" fill=\"{}\" "
            "stroke=\"#555\"><title>router {}: {:.3f} flits "
            "buffered on average</title></rect>\n",
            x - 9, y - 9, colour(most <= 0 ? 0 : router.occupancy / most), router.name, router.occupancy);
    }
    out += fmt::format(
        "<text x=\"10\" y=\"{}\">links: flits per cycle, 0 (light) to 1 (dark); routers: mean flits "
        "buffered, 0 to {:.2f}</text>\n</svg>\n",
        height + 10, most);
    return out;
}

}  // namespace loom::app
