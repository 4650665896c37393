// SPDX-License-Identifier: Apache-2.0
#include "app/extensions.hpp"

#include "cores/catalogue.hpp"

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
