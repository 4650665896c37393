// SPDX-License-Identifier: Apache-2.0
#include "app/idle_settings.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "app/extensions.hpp"
#include "arch/core_catalogue.hpp"
#include "base/log.hpp"

namespace loom::app {
namespace {

using arch::ChipSpec;
using config::Node;

/// Why a chip does not look at a key; empty when it does.
using Reason = std::string (*)(const ChipSpec&);

std::string one_chip(const ChipSpec& c) {
    const noc::TopologyKind* topology = known().noc.topologies.find(c.noc.topology);
    if (topology != nullptr && topology->has_bridges) return "";
    const bool one = std::ranges::all_of(c.noc.chips.grid, [](std::uint64_t k) { return k <= 1; });
    return one ? "the network is on one chip (noc.chips.grid)" : "";
}

std::string no_loss(const ChipSpec& c) {
    return c.noc.faults.loss > 0 ? "" : "nothing is lost at random (noc.faults.loss)";
}

std::string flat(const ChipSpec& c) {
    return c.noc.size.size() < 3 ? "the network has no third dimension (noc.size)" : "";
}

std::string unicast(const ChipSpec& c) {
    return c.noc.multicast.style == "unicast" ? "packets go to one place each (noc.multicast.style)" : "";
}

std::string no_length(const ChipSpec& c) {
    const bool priced = std::ranges::any_of(
        c.energy.actions, [](const auto& action) { return action.second.value.per == EnergyPrice::Per::BitMm; });
    return priced ? "" : "no price is per bit and mm (energy.actions)";
}

struct Rule {
    std::string_view key;
    Reason reason;
};
constexpr Rule kRules[] = {
    {"noc.chips.latency", one_chip},
    {"noc.chips.width", one_chip},
    {"noc.chips.period", one_chip},
    {"noc.faults.seed", no_loss},
    {"noc.link_latency_z", flat},
    {"noc.link_length_z", flat},
    {"noc.multicast.table_entries", unicast},
    {"noc.multicast.minimise", unicast},
    {"noc.link_length", no_length},
    {"noc.link_length_y", no_length},
    {"noc.local_length", no_length},
};

void warn(const Node& node, const std::string& section, std::string_view key, std::string_view reason) {
    const std::string place = node.at.text();
    log::warning(fmt::format("{}{}{}{}{} does nothing here: {}", place, place.empty() ? "" : ": ", section,
                             section.empty() ? "" : ".", key, reason));
}

const Node* key_of(const Node& root, const std::string& section, std::string_view key) {
    return config::get(root, section.empty() ? std::string(key) : fmt::format("{}.{}", section, key));
}

/// Keys below `under` that are for other kinds than the chosen one.
template <class Kinds>
void check_kinds(const Node& root, const std::string& section, const std::string& under, const Kinds& kinds,
                 const std::string& chosen, std::string_view what) {
    const auto* kind = kinds.find(chosen);
    const Node* map = key_of(root, section, under);
    if (kind == nullptr || map == nullptr || !map->is_map()) return;
    for (const Node::Entry& e : map->map) {
        const auto reads = [&](const auto& k) { return std::ranges::find(k.keys, e.key) != k.keys.end(); };
        if (reads(*kind) || std::ranges::none_of(kinds, reads)) continue;
        std::string others;
        for (const auto& k : kinds)
            if (reads(k)) others += (others.empty() ? "" : ", ") + k.name;
        warn(e.value, section, under + "." + e.key, fmt::format("it is for {} {}", what, others));
    }
}

/// Sections of other kinds of cores.
void check_core(const Node* core, const std::string& section, const std::string& key, const arch::CoreSpec& spec) {
    if (core == nullptr || !core->is_map()) return;
    const auto own = spec.type().section();
    for (const auto& kind : known().cores.all()) {
        const auto theirs = kind->section();
        const Node* node = theirs ? core->find(theirs->name) : nullptr;
        if (node == nullptr || (own && own->name == theirs->name)) continue;
        warn(*node, section, fmt::format("{}.{}", key, theirs->name),
             fmt::format("it is for cores of kind {}", kind->name()));
    }
}

}  // namespace

void warn_of_idle_keys(const Node& root, const std::string& section, const ChipSpec& chip) {
    for (const Rule& rule : kRules) {
        const Node* node = key_of(root, section, rule.key);
        if (node == nullptr) continue;
        if (const std::string reason = rule.reason(chip); !reason.empty()) warn(*node, section, rule.key, reason);
    }
    const noc::RouterKind* router = known().noc.routers.find(chip.noc.router.kind);
    if (router != nullptr && !router->keys.empty())
        check_kinds(root, section, "noc.router", known().noc.routers, router->name, "routers of kind");
    check_kinds(root, section, "noc", known().noc.routings, chip.noc.routing, "routing");
    if (chip.cores.empty()) return check_core(key_of(root, section, "core"), section, "core", chip.core);
    const Node* cores = key_of(root, section, "cores");
    for (std::size_t k = 0; cores != nullptr && k < cores->sequence.size() && k < chip.cores.size(); ++k)
        check_core(&cores->sequence[k], section, fmt::format("cores.{}", k), chip.cores[k]);
}

void warn_of_keys_of_traffic(const Node& root, const std::string& section, const ChipSpec& chip) {
    const Node* style = key_of(root, section, "noc.multicast.style");
    if (style != nullptr && chip.noc.multicast.style != "unicast")
        warn(*style, section, "noc.multicast.style", "the compiler sends a packet to every core; trees are for traffic (`spikeloom noc`)");
}

}  // namespace loom::app
