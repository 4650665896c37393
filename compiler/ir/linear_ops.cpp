// SPDX-License-Identifier: Apache-2.0
#include "compiler/ir/linear_ops.hpp"

#include <fmt/format.h>

#include "base/error.hpp"

namespace loom::compiler {

void apply_node(const NirNode& node, const SparseVector& in, SparseVector& out, const DelayMask& mask) {
    out.clear();
    if (!node.rule->linear.apply)
        throw UnsupportedError(
            fmt::format("node '{}' of type {} between populations", node.name, node.type()));
    node.rule->linear.apply(node, in, out, mask);
}

SparseVector apply_chain(const NirModel& model, const std::vector<std::uint32_t>& chain, std::size_t from,
                         SparseVector start, double mask_delay, double dt) {
    SparseVector next;
    for (std::size_t i = from; i < chain.size(); ++i) {
        apply_node(model.nodes[chain[i]], start, next, {mask_delay, dt});
        start.swap(next);
    }
    return start;
}

}  // namespace loom::compiler
