// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "arch/chip_spec.hpp"
#include "arch/core_catalogue.hpp"
#include "compiler/nodes/node_catalogue.hpp"
#include "cores/neuron/catalogue.hpp"
#include "noc/catalogue.hpp"
#include "sim/foreign/modules.hpp"

namespace loom::app {

/// What a program knows: one catalogue object a member. A user's main() adds kinds of its own before
/// run_program(), which adds the built-in ones; a name that is there twice is an error.
struct Extensions {
    cores::NeuronModels neurons;    ///< what somas compute; a node of NIR says which (NeuronForm::model)
    compiler::NodeCatalogue nodes;  ///< types of NIR nodes
    foreign::Modules modules;       ///< SystemC modules in the place of cores and networks
    arch::CoreKinds cores;
    noc::Catalogue noc;  ///< topologies, routing functions, routers
};

/// Adds what comes with the library. Throws ConfigError when one of the names is taken.
void add_builtin(Extensions& extensions);

/// What this program knows, for the verbs, which pass it to compiler, chip and reports: what run_program()
/// was called with, or the built-in kinds alone.
const Extensions& known();

/// A chip of the kinds that this program knows, otherwise as by default.
arch::ChipSpec new_chip();

/// For run_program(). `extensions` outlives all use.
void set_known(const Extensions& extensions);

}  // namespace loom::app
