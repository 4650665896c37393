// SPDX-License-Identifier: Apache-2.0
#include "app/extensions.hpp"

#include "cores/catalogue.hpp"
#include "sim/foreign/foreign_kind.hpp"

namespace loom::app {
namespace {

/// A program is one process, and SystemC calls sc_main() with nothing but arguments: main() leaves its word
/// here.
const Extensions* given = nullptr;

}  // namespace

void add_builtin(Extensions& extensions) {
    cores::add_builtin(extensions.neurons);
    compiler::add_builtin(extensions.nodes);
    cores::add_builtin(extensions.cores, extensions.neurons);
    noc::add_builtin(extensions.noc);
    auto foreign_kind = std::make_unique<foreign::ForeignKind>(extensions.modules);
    foreign_kind->set_neuron_models(extensions.neurons);
    extensions.cores.add(std::move(foreign_kind));
    for (const std::string& name : extensions.modules.network_names())
        extensions.noc.routers.add(foreign::router_kind(name));
}

const Extensions& known() {
    if (given != nullptr) return *given;
    static Extensions builtin;  // catalogues are not moved
    static const bool filled = (add_builtin(builtin), true);
    static_cast<void>(filled);
    return builtin;
}

arch::ChipSpec new_chip() {
    arch::ChipSpec chip(known().cores);
    chip.noc.shapes = &known().noc;
    return chip;
}

void set_known(const Extensions& extensions) {
    given = &extensions;
}

}  // namespace loom::app
