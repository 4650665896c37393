// SPDX-License-Identifier: Apache-2.0
// What `spikeloom noc` prints, from the JSON.
#include <fmt/format.h>

#include "app/noc/noc_report.hpp"
#include "base/json/figures.hpp"
#include "sim/report/report.hpp"

namespace loom::app {
namespace {

using stats::human_energy;
using stats::human_time;

std::uint64_t count(const Json& j) {
    return j.get<std::uint64_t>();
}

std::string latency_line(const char* what, const Json& l) {
    return fmt::format("{:<28}{:>10} {:>8} {:>8} {:>8} {:>8}\n", what, figure_text(l["mean"], "{:.3f}"),
                       figure_text(l["p50"]), figure_text(l["p95"]), figure_text(l["p99"]), figure_text(l["max"]));
}

std::string multicast_text(const Json& m) {
    std::string out =
        fmt::format("{:<28}{:>10} sets; hops of a packet to each: {} as trees, {} repeated, gain {}{}\n",
                    "multicast (" + m["style"].get<std::string>() + ")", count(m["sets"]),
                    count(m["flit_hops_as_trees"]), count(m["flit_hops_as_unicast"]), figure_text(m["gain"], "{:.2f}"),
                    m["copied_in_routers"].get<bool>() ? "" : " (not used)");
    if (m.contains("tables")) out += fmt::format("  {}\n", m["tables"].get<std::string>());
    return out;
}

std::string links_text(const Json& links) {
    std::string out =
        fmt::format("{:<12} {:>8} {:>14} {:>10} {:>10}\n", "links", "number", "flits", "used %", "busiest %");
    for (const auto& [name, l] : links.items()) {
        out += fmt::format("  {:<10} {:>8} {:>14} {:>10} {:>10}\n", name, count(l["links"]),
                           count(l["flits"]), percent_text(l["utilisation_mean"], "{:.2f}"),
                           percent_text(l["utilisation_max"], "{:.2f}"));
    }
    return links.empty() ? "" : out;
}

std::string energy_text(const Json& j) {
    const Json& e = j["energy"];
    const double dynamic = e["dynamic_pj"];
    std::string out = fmt::format("{:<20} {:>14} {:>12} {:>12} {:>6}  {}\n", "energy", "count", "price (pJ)",
                                  "energy", "%", "grade, source");
    for (const auto& [name, event] : e["events"].items()) {
        std::string source = event["grade"].get<std::string>() + ", " + event["source"].get<std::string>();
        if (source.size() > 60) source = source.substr(0, 57) + "...";
        out += fmt::format("  {:<18} {:>14} {:>12.4g} {:>12} {:>6}  {}\n", name, count(event["count"]),
                           event["price_pj"].get<double>(), human_energy(event["pj"]),
                           percent_text(quotient(event["pj"].get<double>(), dynamic), "{:.1f}"), source);
    }
    out += fmt::format("  {:<18} {:>40}         {} pJ per delivery, {} pJ per flit hop\n", "dynamic",
                       human_energy(dynamic), figure_text(e["per_delivery_pj"], "{:.4g}"),
                       figure_text(e["per_flit_hop_pj"], "{:.4g}"));
    if (j.contains("chip_crossings")) {
        const Json& c = j["chip_crossings"];
        out += fmt::format("  {:<18} {:>40} {:>6}  {} flits over bridges, {} per delivery\n",
                           "of it: chip to chip", human_energy(c["pj"]),
                           percent_text(c["share_of_dynamic"], "{:.1f}"), count(c["flits"]),
                           figure_text(c["per_delivery"], "{:.4f}"));
    }
    const Json& l = e["leakage"];
    out += fmt::format("  {:<18} {:>40}         routers {}, links {}, bridges {}\n", "leakage",
                       human_energy(e["leakage_pj"]), human_energy(l["router_pj"]),
                       human_energy(l["link_pj"]), human_energy(l["bridge_pj"]));
    std::string free;
    for (const auto& [name, event] : e["unpriced"].items()) {
        if (count(event["count"]) != 0) free += (free.empty() ? "" : ", ") + name.substr(4);
    }
    if (!free.empty()) out += "  free (stats.json says why): " + free + "\n";
    return out;
}

/// The busiest link of every router, in tenths of the busiest of all.
std::string heat_map(const FabricUse& use, double most) {
    if (use.grid.size() != 2 || use.grid[0] > 32 || use.grid[1] > 32 || most <= 0) return "";
    std::string out =
        fmt::format("busiest link of each router, 9: the busiest of all ({:.3g} flits per cycle):\n", most);
    for (std::uint32_t y = 0; y < use.grid[1]; ++y) {
        out += "  ";
        for (std::uint32_t x = 0; x < use.grid[0]; ++x) {
            const double u = busiest_link(use, use.routers[y * use.grid[0] + x]) / most;
            out += static_cast<char>('0' + std::min(9, static_cast<int>(u * 10)));
            out += ' ';
        }
        out += '\n';
    }
    return out;
}

}  // namespace

std::string noc_text(const Json& j, const FabricUse& use) {
    const auto& p = j["latency"]["packet"];
    const auto& n = j["latency"]["network"];
    std::string out = fmt::format("{:<28}{:>10} {:>8} {:>8} {:>8} {:>8}\n", "latency (cycles)", "mean", "p50", "p95",
                                  "p99", "max");
    out += latency_line("  packet, with source queue", p) + latency_line("  network", n);
    out += fmt::format("{:<28}{:>10}\n", "  at zero load", figure_text(j["latency"]["zero_load"], "{:.3f}"));
    const double cycle = j["cycle_ps"].get<double>() * 1e-12;
    out += fmt::format("{:<28}{:>10} per cycle: mean packet latency {}\n", "time", human_time(cycle),
                       p["mean"].is_null() ? "none, no packet arrived" : human_time(p["mean"].get<double>() * cycle));
    out += fmt::format("{:<28}{:>10.4g} offered, {:.4g} accepted (nodes {} to {})\n", "flits per node and cycle",
                       j["offered_flit_rate"].get<double>(), j["accepted_flit_rate"].get<double>(),
                       figure_text(j["accepted_min_node"], "{:.4g}"), figure_text(j["accepted_max_node"], "{:.4g}"));
    out += fmt::format("{:<28}{:>10} mean; busiest link {} % used\n", "hops", figure_text(j["hops"]["mean"], "{:.4f}"),
                       percent_text(j["link_utilisation_max"], "{:.1f}"));
    const auto& c = j["conservation"];
    out += fmt::format("{:<28}{:>10} asked for = {} delivered + {} dropped + {} on their way\n", "deliveries",
                       c["expected"].get<std::uint64_t>(), c["delivered"].get<std::uint64_t>(),
                       c["dropped"].get<std::uint64_t>(), c["in_flight_deliveries"].get<std::uint64_t>());
    if (j.contains("multicast")) out += multicast_text(j["multicast"]);
    out += fmt::format("{:<28}{:>10} cycles, {} flit hops\n", "simulated", j["cycles"].get<std::uint64_t>(),
                       j["flit_hops"].get<std::uint64_t>());
    if (!j["stable"].get<bool>()) {
        out += fmt::format("NOT STABLE: {}\n",
                           j.contains("why_unstable") ? j["why_unstable"].get<std::string>() : "");
    }
    out += links_text(j["links"]) + energy_text(j);
    const Json& most = j["link_utilisation_max"];
    return most.is_null() ? out : out + heat_map(use, most);
}

}  // namespace loom::app
