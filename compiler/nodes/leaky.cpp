// SPDX-License-Identifier: Apache-2.0
// LI and LIF: tau dv/dt = v_leak - v + r * I.
#include "compiler/nodes/neuron_node.hpp"
#include "compiler/nodes/nodes.hpp"

namespace loom::compiler {

NodeRule li_node() {
    return neuron_node("LI",
                       {keys::time_constant("tau"), keys::factor("r"), keys::per_element("v_leak")},
                       {"lif", MembraneKind::Leaky, false});
}

NodeRule lif_node() {
    return neuron_node("LIF",
                       {keys::time_constant("tau"), keys::factor("r"), keys::per_element("v_leak"),
                        keys::per_element("v_threshold"), keys::v_reset()},
                       {"lif", MembraneKind::Leaky});
}

}  // namespace loom::compiler
