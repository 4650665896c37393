// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <algorithm>
#include <functional>
#include <stdexcept>
#include <string>

#include "base/error.hpp"
#include "compiler/import/nir_reader.hpp"
#include "tests/unit/compiler/import/nir_file_writer.hpp"

namespace loom::test {

using FillNode = std::function<void(GraphWriter::Node)>;
using FillGraph = std::function<void(GraphWriter&)>;

/// Imports a file made of one graph.
inline compiler::NirModel import_graph(const FillGraph& fill, bool repair = false,
                                       const compiler::NodeCatalogue& types = compiler::builtin_nodes()) {
    const TemporaryFile file;
    {
        Hdf5Writer h(file.path());
        GraphWriter g(h, "/node/");
        fill(g);
        g.finish();
    }
    return compiler::read_nir(file.path(), repair, types);
}

/// Imports input -> x -> output with x of the given type.
inline compiler::NirModel import_node(const std::vector<std::int64_t>& in, const std::string& type,
                                      const FillNode& fill, const std::vector<std::int64_t>& out) {
    return import_graph([&](GraphWriter& g) {
        g.border("input", "Input", in);
        fill(g.node("x", type));
        g.border("output", "Output", out);
        g.edge("input", "x").edge("x", "output");
    });
}

/// The message of the InputError that f throws, without the file name.
template <class F>
std::string input_error(F f) {
    try {
        f();
    } catch (const InputError& e) {
        const std::string text = e.what();
        if (text.find('\n') != std::string::npos) return "more than one line: " + text;
        const auto at = text.find(".nir: ");
        return at == std::string::npos ? "no file name: " + text : text.substr(at + 6);
    }
    return "no error";
}

inline const compiler::NirNode& node(const compiler::NirModel& m, const std::string& name) {
    const auto it =
        std::find_if(m.nodes.begin(), m.nodes.end(), [&](const auto& n) { return n.name == name; });
    if (it == m.nodes.end()) throw std::out_of_range("no node " + name);
    return *it;
}

/// "a->b b->c.a": every edge, in the order of the model.
inline std::string edges(const compiler::NirModel& m) {
    std::string out;
    for (const auto& e : m.edges) {
        out += (out.empty() ? "" : " ") + m.nodes[e.source].name + "->" + m.nodes[e.target].name;
        if (!e.port.empty()) out += "." + e.port;
    }
    return out;
}

}  // namespace loom::test
