// SPDX-License-Identifier: Apache-2.0
// Input and Output: where values enter and leave. Between populations they pass them on.
#include "compiler/nodes/nodes.hpp"
#include "compiler/nodes/shape_rules.hpp"

namespace loom::compiler {
namespace {

NodeRule border(const char* type, NodeRole role) {
    NodeRule rule{type, role, {{"shape", KeyKind::Declared}}, same_shape, declared_shape};
    rule.linear.apply = [](const NirNode&, const SparseVector& in, SparseVector& out, const DelayMask&) {
        out = in;
    };
    rule.linear.scale = [](const NirNode&) -> std::span<const double> { return kUnscaled; };
    return rule;
}

}  // namespace

NodeRule input_node() {
    return border("Input", NodeRole::Input);
}
NodeRule output_node() {
    return border("Output", NodeRole::Output);
}

}  // namespace loom::compiler
