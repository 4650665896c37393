// SPDX-License-Identifier: Apache-2.0
#include "compiler/passes/choose_kinds.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "arch/core_kinds.hpp"
#include "base/key_error.hpp"
#include "base/nearest.hpp"
#include "compiler/passes/estimate_energy.hpp"

namespace loom::compiler {
namespace {

constexpr std::uint32_t kOpen = 0xffffffffu;

/// What the run file says; kOpen where it says nothing.
std::vector<std::uint32_t> wishes(const Graph& graph, const arch::ChipSpec& chip, const MapSpec& map) {
    std::vector<std::string> layers, kinds;
    for (const Population& p : graph.populations) {
        if (!p.is_input) layers.push_back(p.name);
    }
    for (std::size_t k = 0; k < chip.cores.size(); ++k) kinds.push_back(chip.cores[k].name);
    std::vector<std::uint32_t> kind_of(graph.populations.size(), kOpen);
    for (const auto& [layer, kind] : map.kinds) {
        const std::string key = "map.kinds." + layer;
        if (chip.cores.empty())
            throw KeyError(key, "the chip's cores are all alike; chip.cores would list several kinds");
        const auto k = std::find(kinds.begin(), kinds.end(), kind);
        if (k == kinds.end()) throw KeyError(key, "unknown kind " + quoted(kind) + suggestion(kind, kinds));
        if (std::find(layers.begin(), layers.end(), layer) == layers.end())
            throw KeyError(key, "no such layer" + suggestion(layer, layers));
        for (std::size_t i = 0; i < kind_of.size(); ++i) {
            if (graph.populations[i].name == layer)
                kind_of[i] = static_cast<std::uint32_t>(k - kinds.begin());
        }
    }
    return kind_of;
}

std::vector<double> estimates_of(const LayerLoad& load, const arch::ChipSpec& chip) {
    const bool graded = std::any_of(load.in.begin(), load.in.end(), [](const auto& in) { return in.graded; });
    const auto accepts = [&](std::size_t k) { return !graded || chip.kind(k).axon_in.payload_bits != 0; };
    bool any = false;
    for (std::size_t k = 0; k < chip.n_kinds(); ++k) any |= accepts(k);
    std::vector<double> out;  // the host computes graded input only when no kind of core can
    for (std::size_t k = 0; k < chip.n_kinds(); ++k)
        out.push_back(accepts(k) || !any ? estimate_energy(load, chip, k) : std::nan(""));
    return out;
}

}  // namespace

void choose_kinds(Mapping& m, const arch::ChipSpec& chip, const MapSpec& map, const InputFormat& input,
                  double dt) {
    const Graph& graph = m.graph;
    m.kind_of = wishes(graph, chip, map);
    m.estimates.assign(graph.populations.size(), {});
    if (chip.n_kinds() == 1) {
        m.kind_of.assign(graph.populations.size(), 0);
        return;
    }
    for (std::uint32_t i = 0; i < graph.populations.size(); ++i) {
        if (graph.populations[i].is_input) {
            m.kind_of[i] = 0;
            continue;
        }
        const LayerLoad load = load_of(graph, i, input, map.rate, dt);
        m.estimates[i] = estimates_of(load, chip);
        if (m.kind_of[i] != kOpen) continue;
        m.kind_of[i] = 0;
        for (std::uint32_t k = 1; k < m.estimates[i].size(); ++k) {
            const double best = m.estimates[i][m.kind_of[i]];
            if (std::isnan(best) || m.estimates[i][k] < best) m.kind_of[i] = k;
        }
    }
}

std::string describe_kinds(const Mapping& m, const arch::ChipSpec& chip) {
    std::string out;
    for (std::size_t i = 0; i < m.kind_of.size(); ++i) {
        if (m.graph.populations[i].is_input) continue;
        out += fmt::format("{}{} {}", out.empty() ? "" : ", ", m.graph.populations[i].name,
                           arch::kind_name(chip, m.kind_of[i]));
    }
    return out;
}

std::string dump_kinds(const Mapping& m, const arch::ChipSpec& chip) {
    std::string out = "estimated energy per inference, leakage and network apart (nJ):\n";
    for (std::size_t i = 0; i < m.kind_of.size(); ++i) {
        if (m.estimates[i].empty()) continue;
        out += fmt::format("  {:<16}", m.graph.populations[i].name);
        for (std::size_t k = 0; k < m.estimates[i].size(); ++k) {
            const double pj = m.estimates[i][k];
            out += fmt::format(
                "  {}{} {}", m.kind_of[i] == k ? "*" : " ", arch::kind_name(chip, k),
                std::isnan(pj) ? std::string("no graded input") : fmt::format("{:.4g}", pj / 1e3));
        }
        out += '\n';
    }
    return out;
}

}  // namespace loom::compiler
