// SPDX-License-Identifier: Apache-2.0
// ALIF, an extension of NIR: a LIF whose threshold rises with its spikes. A[t] = adapt_decay A[t-1] +
// adapt_jump s[t-1]; it fires at v_threshold + adapt_strength A[t].
#include "compiler/nodes/neuron_node.hpp"
#include "compiler/nodes/nodes.hpp"

namespace loom::compiler {

NodeRule alif_node() {
    return neuron_node("ALIF",
                       {keys::time_constant("tau"),
                        keys::factor("r"),
                        keys::per_element("v_leak"),
                        keys::per_element("v_threshold"),
                        keys::v_reset(),
                        {"adapt_decay", KeyKind::NonNegative},
                        keys::per_element("adapt_jump"),
                        keys::per_element("adapt_strength")},
                       {"alif", MembraneKind::Leaky});
}

}  // namespace loom::compiler
