// SPDX-License-Identifier: Apache-2.0
#include "compiler/passes/passes.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <set>

#include "compiler/ir/linear_ops.hpp"
#include "base/error.hpp"

namespace loom::compiler {
namespace {

bool keeps_time(const std::string& type) {
    return has_state(type) && type != "Threshold";
}

/// Edges that carry the value of the step before: the back edges of a depth-first search from the
/// inputs, moved to directly behind the neuron that feeds the loop.
std::set<std::size_t> delayed_edges(const NirModel& m) {
    const std::size_t n = m.nodes.size();
    std::vector<std::vector<std::size_t>> succ(n), pred(n);
    for (std::size_t e = 0; e < m.edges.size(); ++e) {
        succ[m.edges[e].source].push_back(e);
        pred[m.edges[e].target].push_back(e);
    }
    std::vector<int> colour(n, 0);
    std::vector<std::size_t> back;
    const std::function<void(std::size_t)> visit = [&](std::size_t v) {
        colour[v] = 1;
        for (const std::size_t e : succ[v]) {
            const std::size_t w = m.edges[e].target;
            if (colour[w] == 1) back.push_back(e);
            if (colour[w] == 0) visit(w);
        }
        colour[v] = 2;
    };
    for (std::size_t v = 0; v < n; ++v) {
        if (m.nodes[v].type == "Input" && colour[v] == 0) visit(v);
    }
    for (std::size_t v = 0; v < n; ++v) {
        if (colour[v] == 0) visit(v);
    }
    std::set<std::size_t> delayed;
    for (const std::size_t e : back) {
        std::size_t cur = e;
        while (true) {
            const std::size_t a = m.edges[cur].source;
            const bool stateful = keeps_time(m.nodes[a].type) || m.nodes[a].type == "Delay";
            if (stateful || pred[a].size() != 1 || succ[a].size() != 1) break;
            cur = pred[a][0];
        }
        const auto& source = m.nodes[m.edges[cur].source];
        const bool ok = keeps_time(source.type) || source.type == "Delay";
        delayed.insert(ok ? cur : e);
    }
    return delayed;
}

struct Builder {
    const NirModel& m;
    double dt;
    Graph g;
    std::set<std::size_t> delayed;
    std::vector<std::vector<std::size_t>> pred;
    std::vector<int> population_of;

    void add_bias(std::uint32_t target, std::uint32_t node, const std::vector<std::uint32_t>& chain,
                  std::uint32_t delay) {
        const auto& n = m.nodes[node];
        const auto bias = n.arrays.find("bias");
        if (bias == n.arrays.end()) return;
        const bool zero = std::all_of(bias->second.data.begin(), bias->second.data.end(),
                                      [](double b) { return b == 0.0; });
        if (zero) return;
        const bool late = delay != 0 || std::any_of(chain.begin(), chain.end(),
                                                    [&](auto i) { return m.nodes[i].type == "Delay"; });
        if (late) {
            throw UnsupportedError(
                fmt::format("the bias of node '{}' passes a delay before it reaches a neuron", n.name));
        }
        std::size_t total = 1;
        for (const std::size_t d : n.output_shape) total *= d;
        const auto& b = bias->second.data;
        SparseVector start;
        const bool conv = n.type == "Conv1d" || n.type == "Conv2d";
        for (std::size_t i = 0; i < total; ++i) {
            const std::size_t k = b.size() == 1 ? 0 : conv ? i / (total / b.size()) : i % b.size();
            start.emplace_back(static_cast<std::uint32_t>(i), b[k]);
        }
        auto& sum = g.populations[target].bias;
        if (sum.empty()) sum.assign(g.populations[target].count, 0.0);
        // chain[0] is the node itself
        for (const auto& [i, v] : apply_chain(m, chain, 1, std::move(start), -1, dt)) sum.at(i) += v;
    }

    void walk(std::uint32_t target, std::uint32_t node, std::vector<std::uint32_t> chain, std::uint32_t delay,
              std::size_t depth) {
        if (depth > m.nodes.size() + 1) {
            throw UnsupportedError(
                fmt::format("a loop without a neuron through node '{}'", m.nodes[node].name));
        }
        const auto& type = m.nodes[node].type;
        if (node != g.populations[target].node) {
            if (!is_linear(type) && type != "Input" && type != "Output") {
                throw UnsupportedError(fmt::format("node '{}' of type {}", m.nodes[node].name, type));
            }
            add_bias(target, node, chain, delay);
        }
        for (const std::size_t e : pred[node]) {
            const std::uint32_t source = m.edges[e].source;
            if (!m.edges[e].port.empty()) {
                throw UnsupportedError(fmt::format("node '{}' of type {}", m.nodes[node].name, type));
            }
            const std::uint32_t d = delay + (delayed.count(e) != 0 ? 1 : 0);
            if (population_of[source] >= 0) {
                add_projections(static_cast<std::uint32_t>(population_of[source]), target, chain, d);
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
            if (m.nodes[i].type != "Delay") continue;
            if (++n_delays > 1) throw UnsupportedError("two Delay nodes in one connection");
            steps.clear();
            for (const double d : m.nodes[i].arrays.at("delay").data) steps.insert(std::nearbyint(d / dt));
        }
        for (const double s : steps) {
            Projection p{
                source, target, chain, delay + static_cast<std::uint32_t>(s), 1, n_delays == 0 ? -1.0 : s};
            g.projections.push_back(std::move(p));
        }
    }
};

}  // namespace

Graph build_graph(const NirModel& model, double dt) {
    Builder b{model, dt, {}, delayed_edges(model), {}, {}};
    b.g.model = &model;
    b.pred.resize(model.nodes.size());
    for (std::size_t e = 0; e < model.edges.size(); ++e) b.pred[model.edges[e].target].push_back(e);
    b.population_of.assign(model.nodes.size(), -1);
    int inputs = 0, outputs = 0;
    for (const auto& n : model.nodes) {
        if (n.type == "MatMul" || n.type == "Mul") {
            throw UnsupportedError(
                fmt::format("node '{}' of type {}: products of two signals are not compiled onto cores yet",
                            n.name, n.type));
        }
    }
    std::uint32_t output_node = 0;
    for (std::uint32_t i = 0; i < model.nodes.size(); ++i) {
        const auto& n = model.nodes[i];
        inputs += n.type == "Input";
        if (n.type == "Output") {
            ++outputs;
            output_node = i;
        }
        if (n.type != "Input" && !has_state(n.type)) continue;
        Population p;
        p.name = n.name;
        p.node = i;
        p.shape = n.output_shape;
        p.count = 1;
        for (const std::size_t d : p.shape) p.count *= static_cast<std::uint32_t>(d);
        p.is_input = n.type == "Input";
        b.population_of[i] = static_cast<int>(b.g.populations.size());
        if (p.is_input) b.g.input = static_cast<std::uint32_t>(b.g.populations.size());
        b.g.populations.push_back(std::move(p));
    }
    if (inputs != 1 || outputs != 1) {
        throw UnsupportedError(
            fmt::format("{} inputs and {} outputs; one of each can be run", inputs, outputs));
    }
    // The output is the population it reads directly, else a read-out of its own.
    const auto& to_output = b.pred[output_node];
    if (to_output.size() == 1 && b.population_of[model.edges[to_output[0]].source] >= 0) {
        b.g.output = static_cast<std::uint32_t>(b.population_of[model.edges[to_output[0]].source]);
    } else {
        Population p;
        p.name = model.nodes[output_node].name;
        p.node = output_node;
        p.shape = model.nodes[output_node].output_shape;
        p.count = 1;
        for (const std::size_t d : p.shape) p.count *= static_cast<std::uint32_t>(d);
        b.g.output = static_cast<std::uint32_t>(b.g.populations.size());
        b.population_of[output_node] = static_cast<int>(b.g.populations.size());
        b.g.populations.push_back(std::move(p));
    }
    for (std::uint32_t t = 0; t < b.g.populations.size(); ++t) {
        if (!b.g.populations[t].is_input) b.walk(t, b.g.populations[t].node, {}, 0, 0);
    }
    return std::move(b.g);
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
