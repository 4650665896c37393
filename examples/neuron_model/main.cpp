// SPDX-License-Identifier: Apache-2.0
#include "app/program.hpp"
#include "refractory_lif.hpp"

int main(int argc, char** argv) {
    loom::app::Extensions extensions;
    extensions.neurons.add(loom::cores::neuron_model<example::RefractoryLif>("refractory_lif"));
    extensions.nodes.add(example::refractory_lif_node());
    return loom::app::run_program(argc, argv, extensions);
}
