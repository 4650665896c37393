// SPDX-License-Identifier: Apache-2.0
#include "compiler/nodes/node_catalogue.hpp"

#include <algorithm>

#include "base/error.hpp"
#include "compiler/nodes/nodes.hpp"

namespace loom::compiler {

/// One line per type; its file is named for the family.
void add_builtin(NodeCatalogue& c) {
    c.add(input_node());
    c.add(output_node());
    c.add(affine_node());
    c.add(linear_node());
    c.add(scale_node());
    c.add(conv_node("Conv1d", 1));
    c.add(conv_node("Conv2d", 2));
    c.add(pool_node("SumPool2d", 2, PoolKind::Sum));
    c.add(pool_node("AvgPool2d", 2, PoolKind::Mean));
    c.add(pool_node("AvgPool1d", 1, PoolKind::Mean));
    c.add(flatten_node());
    c.add(delay_node());
    c.add(threshold_node());
    c.add(i_node());
    c.add(li_node());
    c.add(if_node());
    c.add(lif_node());
    c.add(alif_node());
    c.add(cuba_li_node());
    c.add(cuba_lif_node());
    c.add(matmul_node());
    c.add(mul_node());
}

const NodeCatalogue& builtin_nodes() {
    struct Builtin : NodeCatalogue {
        Builtin() { add_builtin(*this); }
    };
    static const Builtin catalogue;
    return catalogue;
}

void NodeCatalogue::add(NodeRule rule) {
    const auto refuse = [&](const char* why) { throw InternalError("NIR type " + rule.type + ": " + why); };
    if (find(rule.type) != nullptr || rule.type == kGraphType)
        throw ConfigError("NIR type " + rule.type + ": there are two of this name");
    if (!rule.output || !rule.input) refuse("has no shape rule");
    const bool maps = rule.role == NodeRole::Linear || rule.is_border();
    if (maps != static_cast<bool>(rule.linear.apply)) refuse("apply is for linear types, which need it");
    if ((rule.role == NodeRole::Neuron) != rule.neuron.has_value())
        refuse("a neuron form is for neurons, which need it");
    rules_.push_back(std::move(rule));
}

const NodeRule* NodeCatalogue::find(std::string_view type) const {
    const auto it =
        std::find_if(rules_.begin(), rules_.end(), [&](const NodeRule& r) { return r.type == type; });
    return it == rules_.end() ? nullptr : &*it;
}

const NodeRule& NodeCatalogue::at(std::string_view type) const {
    const NodeRule* rule = find(type);
    if (rule == nullptr) throw InternalError("NIR type " + std::string(type) + " is not in the catalogue");
    return *rule;
}

std::vector<std::string> NodeCatalogue::names() const {
    std::vector<std::string> all{kGraphType};
    for (const NodeRule& rule : rules_) all.push_back(rule.type);
    return all;
}

const NodeRule* NodeCatalogue::convolution(std::size_t axes) const {
    const auto it = std::find_if(rules_.begin(), rules_.end(),
                                 [&](const NodeRule& r) { return r.conv && r.conv->axes == axes; });
    return it == rules_.end() ? nullptr : &*it;
}

const NodeRule* NodeCatalogue::pool(std::size_t axes, bool mean) const {
    const auto it = std::find_if(rules_.begin(), rules_.end(), [&](const NodeRule& r) {
        return r.pool && r.pool->axes == axes && r.pool->mean == mean;
    });
    return it == rules_.end() ? nullptr : &*it;
}

const NodeRule* NodeCatalogue::neuron(std::string_view model, MembraneKind membrane, bool fires) const {
    const auto it = std::find_if(rules_.begin(), rules_.end(), [&](const NodeRule& r) {
        return r.neuron && r.neuron->model == model && r.neuron->membrane == membrane &&
               r.neuron->fires == fires;
    });
    return it == rules_.end() ? nullptr : &*it;
}

}  // namespace loom::compiler
