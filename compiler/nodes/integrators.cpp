// SPDX-License-Identifier: Apache-2.0
// I and IF: dv/dt = r * I.
#include "compiler/nodes/neuron_node.hpp"
#include "compiler/nodes/nodes.hpp"

namespace loom::compiler {

NodeRule i_node() {
    return neuron_node("I", {keys::per_element("r")}, {"lif", MembraneKind::Integrator, false});
}

NodeRule if_node() {
    return neuron_node("IF", {keys::per_element("r"), keys::per_element("v_threshold"), keys::v_reset()},
                       {"lif", MembraneKind::Integrator});
}

}  // namespace loom::compiler
