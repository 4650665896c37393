// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "compiler/import/nir_reader.hpp"
#include "compiler/nodes/node_catalogue.hpp"

namespace loom::compiler {

struct RawGraph;

/// A node as stored: a primitive, or a nested graph.
struct RawNode {
    NirNode node;
    std::shared_ptr<RawGraph> graph;  ///< of a nested graph, whose node has no rule
};

struct RawGraph {
    std::map<std::string, RawNode> nodes;
    std::vector<std::pair<std::string, std::string>> edges;
};

/// A flat graph under construction: nodes sorted by name at first. `nested` marks Input and Output nodes of
/// nested graphs, which stay until the shapes are checked.
struct FlatGraph {
    const NodeCatalogue* types = nullptr;
    NirModel model;
    std::vector<bool> nested;
    Repair repair;
};

/// "file: node 'x': problem"
[[noreturn]] void fail_node(const std::string& file, const std::string& node, const std::string& problem);

/// Inlines nested graphs, resolves edge ends and ports, drops duplicate edges, and gives a graph
/// without Input or Output one.
void flatten(RawGraph&& raw, FlatGraph& flat);
/// Keeps the nodes of `order`, in that order, and renumbers the edges (which name only kept nodes).
void reorder(FlatGraph& flat, const std::vector<std::uint32_t>& order);
/// The nodes in the order of the graph: a node comes behind those that it waits for, among others the one nearest to
/// the input first, then by type, parameters and surroundings. Names decide only between nodes that nothing else tells
/// apart.
std::vector<std::uint32_t> graph_order(const NirModel& model);
/// Joins the edges around the border nodes of nested graphs and removes those nodes.
void remove_nested_ports(FlatGraph& flat);
/// Fills input_shape and output_shape of every node, inferred keys, and broadcasts parameters.
void infer_shapes(FlatGraph& flat);

}  // namespace loom::compiler
