// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "compiler/import/nir_reader.hpp"
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
    out += fmt::format("nodes\n{}  total parameters: {}\nedges\n", table(rows), total);
    for (const auto& e : model.edges) {
        out += fmt::format("  {} -> {}{}{}\n", model.nodes[e.source].name, model.nodes[e.target].name,
                           e.port.empty() ? "" : ".", e.port);
    }
    if (!model.notes.empty()) out += "notes\n";
    for (const auto& note : model.notes) out += "  " + note + "\n";
    return out;
}

}  // namespace loom::compiler
