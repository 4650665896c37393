// SPDX-License-Identifier: Apache-2.0
#include "compiler/passes/passes.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/graph/adjacency_list.hpp>
#include <boost/graph/depth_first_search.hpp>
#include <cmath>
#include <set>

#include "base/checked_cast.hpp"
#include "base/error.hpp"
#include "compiler/ir/linear_ops.hpp"
#include "compiler/ir/times.hpp"

namespace loom::compiler {
namespace {

bool is(const NirNode& n, NodeRole role) {
    return n.rule->role == role;
}

using SignalGraph = boost::adjacency_list<boost::vecS, boost::vecS, boost::directedS, boost::no_property,
                                          boost::property<boost::edge_index_t, std::size_t>>;

/// Edges that close a loop in a depth-first search from the inputs.
std::vector<std::size_t> back_edges(const NirModel& m) {
    struct Visitor : boost::default_dfs_visitor {
        std::vector<std::size_t>& found;
        explicit Visitor(std::vector<std::size_t>& f) : found(f) {}
        void back_edge(const SignalGraph::edge_descriptor& e, const SignalGraph& g) {
            found.push_back(get(boost::edge_index, g, e));
        }
    };
    SignalGraph graph(m.nodes.size());
    for (std::size_t e = 0; e < m.edges.size(); ++e) add_edge(m.edges[e].source, m.edges[e].target, e, graph);
    std::vector<boost::default_color_type> colours(m.nodes.size());
    const auto colour = boost::make_iterator_property_map(colours.begin(), get(boost::vertex_index, graph));
    std::vector<std::size_t> found;
    for (const bool inputs_only : {true, false}) {
        for (std::size_t v = 0; v < m.nodes.size(); ++v) {
            if (colours[v] != boost::white_color || (inputs_only && !is(m.nodes[v], NodeRole::Input)))
                continue;
            boost::depth_first_visit(graph, v, Visitor(found), colour);
        }
    }
    return found;
}

using EdgeLists = std::vector<std::vector<std::size_t>>;

/// Edges into each node, or out of it, in the order of the model.
EdgeLists edges_of(const NirModel& m, std::uint32_t NirEdge::*end) {
    EdgeLists lists(m.nodes.size());
    for (std::size_t e = 0; e < m.edges.size(); ++e) lists[m.edges[e].*end].push_back(e);
    return lists;
}

/// Edges that carry the value of the step before: the back edges, moved to directly behind the neuron that
/// feeds the loop.
std::set<std::size_t> delayed_edges(const NirModel& m) {
    const EdgeLists into = edges_of(m, &NirEdge::target), out_of = edges_of(m, &NirEdge::source);
    std::set<std::size_t> delayed;
    for (const std::size_t e : back_edges(m)) {
        std::size_t at = e;
        std::uint32_t from = m.edges[at].source;
        while (!m.nodes[from].rule->keeps_time && into[from].size() == 1 && out_of[from].size() == 1) {
            at = into[from][0];
            from = m.edges[at].source;
        }
        delayed.insert(m.nodes[from].rule->keeps_time ? at : e);
    }
    return delayed;
}

[[noreturn]] void refuse(const NirNode& n) {
    throw UnsupportedError(fmt::format("node '{}' of type {}", n.name, n.type()));
}

class Builder {
  public:
    Builder(const NirModel& model, double dt)
        : m_(model),
          dt_(dt),
          delayed_(delayed_edges(model)),
          pred_(edges_of(model, &NirEdge::target)),
          population_of_(model.nodes.size(), -1) {
        g_.model = &model;
    }

    Graph build() {
        for (const NirNode& n : m_.nodes) {
            if (!n.rule->two_ports()) continue;
            throw UnsupportedError(
                fmt::format("node '{}' of type {}: products of two signals are not compiled onto cores yet",
                            n.name, n.type()));
        }
        const std::uint32_t input = only_borders();
        for (std::uint32_t i = 0; i < m_.nodes.size(); ++i) {
            const bool state = is(m_.nodes[i], NodeRole::Neuron);
            if (!state && !is(m_.nodes[i], NodeRole::Input)) continue;
            const std::uint32_t p = add_population(i);
            g_.populations[p].is_input = !state;
        }
        g_.input = static_cast<std::uint32_t>(population_of_[input]);
        find_output();
        for (std::uint32_t t = 0; t < g_.populations.size(); ++t) {
            if (!g_.populations[t].is_input) walk(t, g_.populations[t].node, {}, 0, 0);
        }
        return std::move(g_);
    }

  private:
    /// The input; remembers the output.
    std::uint32_t only_borders() {
        std::uint32_t input = 0;
        int inputs = 0, outputs = 0;
        for (std::uint32_t i = 0; i < m_.nodes.size(); ++i) {
            if (is(m_.nodes[i], NodeRole::Input)) input = i, ++inputs;
            if (is(m_.nodes[i], NodeRole::Output)) output_node_ = i, ++outputs;
        }
        if (inputs != 1 || outputs != 1) {
            throw UnsupportedError(
                fmt::format("{} inputs and {} outputs; one of each can be run", inputs, outputs));
        }
        return input;
    }

    std::uint32_t add_population(std::uint32_t node) {
        const NirNode& n = m_.nodes[node];
        Population p;
        p.name = n.name;
        p.node = node;
        p.shape = n.output_shape;
        p.count = 1;
        for (const std::size_t d : p.shape) p.count *= static_cast<std::uint32_t>(d);
        // layers are numbered in 16 bits
        const std::uint32_t number = checked_cast<std::uint16_t>(g_.populations.size(), "the number of layers");
        population_of_[node] = static_cast<int>(number);
        g_.populations.push_back(std::move(p));
        return number;
    }

    /// The output is the population it reads directly, else a read-out of its own.
    void find_output() {
        const std::vector<std::size_t>& into = pred_[output_node_];
        const int source = into.size() == 1 ? population_of_[m_.edges[into[0]].source] : -1;
        g_.output = source >= 0 ? static_cast<std::uint32_t>(source) : add_population(output_node_);
    }

    void add_bias(std::uint32_t target, std::uint32_t node, const std::vector<std::uint32_t>& chain,
                  std::uint32_t delay) {
        const auto& n = m_.nodes[node];
        const auto bias = n.arrays.find("bias");
        if (bias == n.arrays.end()) return;
        const bool zero = std::all_of(bias->second.data.begin(), bias->second.data.end(),
                                      [](double b) { return b == 0.0; });
        if (zero) return;
        const bool late = delay != 0 || std::any_of(chain.begin(), chain.end(), [&](auto i) {
                              return static_cast<bool>(m_.nodes[i].rule->linear.delay);
                          });
        if (late) {
            throw UnsupportedError(
                fmt::format("the bias of node '{}' passes a delay before it reaches a neuron", n.name));
        }
        std::size_t total = 1;
        for (const std::size_t d : n.output_shape) total *= d;
        const auto& b = bias->second.data;
        SparseVector start;
        for (std::size_t i = 0; i < total; ++i) {
            const std::size_t k = b.size() == 1 ? 0 : n.rule->conv ? i / (total / b.size()) : i % b.size();
            start.emplace_back(static_cast<std::uint32_t>(i), b[k]);
        }
        auto& sum = g_.populations[target].bias;
        if (sum.empty()) sum.assign(g_.populations[target].count, 0.0);
        // chain[0] is the node itself
        for (const auto& [i, v] : apply_chain(m_, chain, 1, std::move(start), -1, dt_)) sum.at(i) += v;
    }

    void walk(std::uint32_t target, std::uint32_t node, std::vector<std::uint32_t> chain, std::uint32_t delay,
              std::size_t depth) {
        if (depth > m_.nodes.size() + 1) {
            throw UnsupportedError(
                fmt::format("a loop without a neuron through node '{}'", m_.nodes[node].name));
        }
        if (node != g_.populations[target].node) {
            if (!m_.nodes[node].rule->linear.apply) refuse(m_.nodes[node]);
            add_bias(target, node, chain, delay);
        }
        for (const std::size_t e : pred_[node]) {
            const std::uint32_t source = m_.edges[e].source;
            if (!m_.edges[e].port.empty()) refuse(m_.nodes[node]);
            const std::uint32_t d = delay + (delayed_.count(e) != 0 ? 1 : 0);
            if (population_of_[source] >= 0) {
                add_projections(static_cast<std::uint32_t>(population_of_[source]), target, chain, d);
            } else {
                std::vector<std::uint32_t> longer{source};
                longer.insert(longer.end(), chain.begin(), chain.end());
                walk(target, source, std::move(longer), d, depth + 1);
            }
        }
    }

    void add_projections(std::uint32_t source, std::uint32_t target, const std::vector<std::uint32_t>& chain,
                         std::uint32_t delay) {
        std::set<double> steps{0.0};
        std::size_t n_delays = 0;
        for (const auto i : chain) {
            const LinearForm& linear = m_.nodes[i].rule->linear;
            if (!linear.delay) continue;
            if (++n_delays > 1) throw UnsupportedError("two Delay nodes in one connection");
            steps.clear();
            for (const double d : linear.delay(m_.nodes[i])) steps.insert(delay_steps(d, dt_));
        }
        for (const double s : steps) {
            const auto steps_late =
                checked_cast<std::uint32_t>(s + delay, "a Delay node's delay, in timesteps of profile.dt,");
            Projection p{source, target, chain, steps_late, 1, n_delays == 0 ? -1.0 : s};
            g_.projections.push_back(std::move(p));
        }
    }

    const NirModel& m_;
    double dt_;
    Graph g_;
    std::set<std::size_t> delayed_;
    EdgeLists pred_;
    std::vector<int> population_of_;  ///< [nodes], -1: none
    std::uint32_t output_node_ = 0;
};

}  // namespace

Graph build_graph(const NirModel& model, double dt) {
    return Builder(model, dt).build();
}

namespace {

/// The loop that keeps growing: hops and algorithmic delay on it, and its populations.
[[noreturn]] void refuse_loop(const Graph& g, const std::vector<std::size_t>& raised_by, std::uint32_t at) {
    for (std::size_t i = 0; i < g.populations.size(); ++i) at = g.projections[raised_by[at]].source;
    double hops = 0, delay = 0;
    std::string names = fmt::format("'{}'", g.populations[at].name);
    std::uint32_t v = at;
    do {
        const Projection& p = g.projections[raised_by[v]];
        hops += 1;
        delay += p.delay;
        v = p.source;
        names = fmt::format("'{}' -> {}", g.populations[v].name, names);
    } while (v != at);
    throw MappingError("timesteps of delay in a loop", "each hop takes one on the chip: " + names, hops,
                       delay);
}

}  // namespace

void balance_delays(Graph& g, std::uint64_t max_delay) {
    // skew(target) >= skew(source) + 1 - delay for every projection: longest paths.
    auto& pops = g.populations;
    std::vector<std::size_t> raised_by(pops.size(), 0);
    for (std::size_t round = 0; round <= pops.size(); ++round) {
        bool changed = false;
        for (std::size_t i = 0; i < g.projections.size(); ++i) {
            const Projection& p = g.projections[i];
            const std::int64_t need = std::int64_t{pops[p.source].skew} + 1 - std::int64_t{p.delay};
            if (need <= std::int64_t{pops[p.target].skew}) continue;
            pops[p.target].skew = static_cast<std::uint32_t>(need);
            raised_by[p.target] = i;
            if (round == pops.size()) refuse_loop(g, raised_by, p.target);
            changed = true;
        }
        if (!changed) break;
    }
    for (auto& p : g.projections) {
        p.chip_delay = p.delay + pops[p.target].skew - pops[p.source].skew;
        if (p.chip_delay > max_delay) {
            throw MappingError("axonal delay (timesteps)",
                               fmt::format("'{}' -> '{}'", pops[p.source].name, pops[p.target].name),
                               p.chip_delay, static_cast<double>(max_delay));
        }
        g.max_skew = std::max(g.max_skew, pops[p.target].skew);
    }
}

}  // namespace loom::compiler
