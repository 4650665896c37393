// SPDX-License-Identifier: Apache-2.0
// Threshold: a spike where the input of this timestep is above the threshold; it remembers nothing.
#include "compiler/nodes/neuron_node.hpp"
#include "compiler/nodes/nodes.hpp"

namespace loom::compiler {

NodeRule threshold_node() {
    return neuron_node("Threshold", {keys::per_element("threshold")},
                       {"lif", MembraneKind::None, true, "tau", "threshold"});
}

}  // namespace loom::compiler
