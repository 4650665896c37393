// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <fmt/format.h>

#include <map>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "compiler/ir/node_rule.hpp"

namespace loom::compiler {

[[noreturn]] inline void refuse_node(const NirNode& node, const std::string& why) {
    throw UnsupportedError(fmt::format("node '{}' of type {}: {}", node.name, node.type(), why));
}

/// Sources before targets, ending with the node that feeds the output.
class NodeOrder {
  public:
    explicit NodeOrder(const NirModel& m) : m_(m), state_(m.nodes.size(), State::New) {
        for (std::uint32_t i = 0; i < m.nodes.size(); ++i) find_recurrence(i);
        for (const NirEdge& e : m.edges) {
            if (!e.port.empty()) refuse_node(m.nodes[e.target], "cannot be trained");
        }
    }
    std::vector<std::uint32_t> sources(std::uint32_t node) const {
        std::vector<std::uint32_t> s;
        for (const NirEdge& e : m_.edges)
            if (e.target == node && !is_recurrence(e.source, node)) s.push_back(e.source);
        return s;
    }
    void visit(std::uint32_t node) {
        if (state_[node] == State::Done) return;
        if (state_[node] == State::Open)
            throw UnsupportedError(
                fmt::format("a loop through node '{}' cannot be trained", m_.nodes[node].name));
        state_[node] = State::Open;
        for (const std::uint32_t s : sources(node)) visit(s);
        state_[node] = State::Done;
        order.push_back(node);
    }
    std::vector<std::uint32_t> order;
    std::map<std::uint32_t, std::uint32_t> recurrent;  ///< population -> weights to itself

  private:
    bool is_recurrence(std::uint32_t weights, std::uint32_t population) const {
        const auto it = recurrent.find(population);
        return it != recurrent.end() && it->second == weights;
    }
    /// A matrix without a bias between a firing population and itself.
    void find_recurrence(std::uint32_t weights) {
        const NodeRule& rule = *m_.nodes[weights].rule;
        if (!rule.linear.matrix || rule.has_key("bias")) return;
        std::vector<std::uint32_t> ends;
        for (const NirEdge& e : m_.edges) {
            if (e.target == weights) ends.push_back(e.source);
            if (e.source == weights) ends.push_back(e.target);
        }
        if (ends.size() != 2 || ends[0] != ends[1]) return;
        const NodeRule& population = *m_.nodes[ends[0]].rule;
        const bool fires =
            population.integrates() && population.neuron->fires && population.neuron->model != "cuba_lif";
        if (fires && m_.nodes[ends[0]].output_shape.size() == 1 && recurrent.count(ends[0]) == 0)
            recurrent[ends[0]] = weights;
    }
    enum class State { New, Open, Done };
    const NirModel& m_;
    std::vector<State> state_;
};

}  // namespace loom::compiler
