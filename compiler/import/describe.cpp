// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "compiler/import/nir_reader.hpp"
#include "compiler/ir/node_rule.hpp"
#include "compiler/ir/times.hpp"
#include "compiler/nodes/shape_rules.hpp"

namespace loom::compiler {
namespace {

/// Weights and biases; the parameters of neurons are not counted.
std::size_t parameter_count(const NirNode& node) {
    std::size_t n = 0;
    for (const char* key : {"weight", "bias"}) {
        const auto it = node.arrays.find(key);
        if (it != node.arrays.end()) n += it->second.size();
    }
    return n;
}

using Row = std::array<std::string, 5>;

std::string table(const std::vector<Row>& rows) {
    std::array<std::size_t, 5> width{};
    for (const auto& row : rows) {
        for (std::size_t c = 0; c < row.size(); ++c) width[c] = std::max(width[c], row[c].size());
    }
    std::string out;
    for (const auto& r : rows) {
        out += fmt::format("  {:<{}}  {:<{}}  {:>{}} -> {:<{}}  {:>{}}\n", r[0], width[0], r[1], width[1],
                           r[2], width[2], r[3], width[3], r[4], width[4]);
    }
    return out;
}

/// "100 us" or "100 us .. 2 ms".
template <class F>
std::string range(const Tensor& t, F text) {
    const auto [low, high] = std::ranges::minmax(t.data);
    return low == high ? text(low) : text(low) + " .. " + text(high);
}

/// Parameters of neurons, and the timestep that fits them.
std::string neurons(const NirModel& model) {
    const FittingTimes fit = fitting_times(model);
    const double dt = fit.exporter.value_or(0);
    std::string out;
    for (const NirNode& n : model.nodes) {
        if (!n.rule->neuron) continue;
        const std::vector<std::string> taus = time_constants(n);
        out += fmt::format("  {}:", n.name);
        const char* between = " ";
        for (const KeyRule& key : n.rule->keys) {
            const Tensor& t = n.arrays.at(key.name);
            const bool time = std::ranges::find(taus, key.name) != taus.end();
            const std::string text =
                time ? range(t, seconds_text) : range(t, [](double d) { return fmt::format("{:.6g}", d); });
            out += fmt::format("{}{} {}", std::exchange(between, ", "), key.name, text);
            if (time && dt > 0) {
                Tensor left = t;
                for (double& d : left.data) d = 1 - dt / d;
                out += fmt::format(" (keeps {} per step)",
                                   range(left, [](double d) { return fmt::format("{:.6g}", d); }));
            }
        }
        out += '\n';
    }
    if (out.empty()) return out;
    out = "neurons\n" + out;
    if (fit.exporter)
        out += fmt::format("  written for timesteps of {} (tau / r, or 1 / r, of all neurons)\n",
                           seconds_text(dt));
    if (fit.shortest_tau)
        out += fmt::format("  timesteps of method euler are {} at most, the shortest time constant\n",
                           seconds_text(*fit.shortest_tau));
    return out;
}

}  // namespace

std::string describe(const NirModel& model) {
    std::string out = fmt::format("{}: NIR {}, {} nodes, {} edges\n", model.file,
                                  model.version.empty() ? "of unknown version" : model.version,
                                  model.nodes.size(), model.edges.size());
    for (const auto& [key, value] : model.metadata) out += fmt::format("  metadata {}: {}\n", key, value);
    std::vector<Row> rows{{"node", "type", "input", "output", "parameters"}};
    std::size_t total = 0;
    for (const auto& n : model.nodes) {
        const std::size_t count = parameter_count(n);
        total += count;
        rows.push_back({n.name, n.type(), shape_text(n.input_shape), shape_text(n.output_shape),
                        fmt::format("{}", count)});
    }
    out += fmt::format("nodes\n{}  total parameters: {}\n{}edges\n", table(rows), total, neurons(model));
    for (const auto& e : model.edges) {
        out += fmt::format("  {} -> {}{}{}\n", model.nodes[e.source].name, model.nodes[e.target].name,
                           e.port.empty() ? "" : ".", e.port);
    }
    if (!model.notes.empty()) out += "notes\n";
    for (const auto& note : model.notes) out += "  " + note + "\n";
    return out;
}

}  // namespace loom::compiler
