// SPDX-License-Identifier: Apache-2.0
#include "app/program.hpp"
#include "wide_kind.hpp"

int main(int argc, char** argv) {
    loom::app::Extensions extensions;
    extensions.cores.add(std::make_unique<example::WideKind>());
    return loom::app::run_program(argc, argv, extensions);
}
