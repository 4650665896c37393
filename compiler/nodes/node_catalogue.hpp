// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "compiler/ir/node_rule.hpp"

namespace loom::compiler {

/// The NIR types that a program knows, in the order in which they were added. Nodes of a model point into the
/// catalogue that read them: it must outlive the model, and it is not copied.
class NodeCatalogue {
  public:
    NodeCatalogue() = default;
    NodeCatalogue(const NodeCatalogue&) = delete;
    NodeCatalogue& operator=(const NodeCatalogue&) = delete;

    /// Throws ConfigError for a name that is taken, and InternalError for a rule that lacks what its role needs.
    void add(NodeRule rule);
    const std::deque<NodeRule>& rules() const { return rules_; }
    /// nullptr for an unknown type.
    const NodeRule* find(std::string_view type) const;
    /// Throws InternalError for an unknown type.
    const NodeRule& at(std::string_view type) const;
    /// Every type name, NIRGraph included.
    std::vector<std::string> names() const;

    /// The type of a convolution or pool over maps of so many axes; nullptr if there is none.
    const NodeRule* convolution(std::size_t axes) const;
    const NodeRule* pool(std::size_t axes, bool mean) const;
    /// The type of such neurons; nullptr if there is none.
    const NodeRule* neuron(std::string_view model, MembraneKind membrane, bool fires) const;

  private:
    std::deque<NodeRule> rules_;  ///< addresses stay
};

/// Adds the shipped types: those of NIR 1.0.x, and the extensions ALIF, AvgPool1d, MatMul and Mul.
void add_builtin(NodeCatalogue& catalogue);

/// A catalogue of the shipped types alone.
const NodeCatalogue& builtin_nodes();

}  // namespace loom::compiler
