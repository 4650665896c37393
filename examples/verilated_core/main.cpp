// SPDX-License-Identifier: Apache-2.0
// The whole command line, with a core in Verilog beside Spikeloom's own.
#include "app/program.hpp"
#include "verilated_if.hpp"

int main(int argc, char** argv) {
    loom::app::Extensions extensions;
    extensions.modules.core<VerilatedIf>("if_core", {.samples_in_processes = true});
    return loom::app::run_program(argc, argv, extensions);
}
