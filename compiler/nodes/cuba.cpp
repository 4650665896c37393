// SPDX-License-Identifier: Apache-2.0
// CubaLI and CubaLIF: LI and LIF behind a current that decays with tau_syn.
#include "compiler/nodes/neuron_node.hpp"
#include "compiler/nodes/nodes.hpp"

namespace loom::compiler {

NodeRule cuba_li_node() {
    return neuron_node("CubaLI",
                       {keys::time_constant("tau_syn"),
                        keys::time_constant("tau_mem"),
                        keys::factor("r"),
                        keys::per_element("v_leak"),
                        {"w_in", KeyKind::Factor, Presence::Default, 1}},
                       {"cuba_lif", MembraneKind::Leaky, false, "tau_mem"});
}

NodeRule cuba_lif_node() {
    return neuron_node("CubaLIF",
                       {keys::time_constant("tau_syn"),
                        keys::time_constant("tau_mem"),
                        keys::factor("r"),
                        keys::per_element("v_leak"),
                        keys::per_element("v_threshold"),
                        keys::v_reset(),
                        {"w_in", KeyKind::Factor, Presence::Default, 1}},
                       {"cuba_lif", MembraneKind::Leaky, true, "tau_mem"});
}

}  // namespace loom::compiler
