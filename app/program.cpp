// SPDX-License-Identifier: Apache-2.0
#include "app/program.hpp"

#include <csignal>
#include <cstdlib>
#include <systemc>

#include "app/command_line.hpp"

namespace {

/// sc_main() gets nothing but the arguments, so that run_program() leaves the extensions here for it.
loom::app::Extensions* passed = nullptr;

}  // namespace

int sc_main(int argc, char** argv) {
    return loom::app::run_command_line(argc, argv, *passed);
}

namespace loom::app {

int run_program(int argc, char** argv, Extensions& extensions) {
    std::signal(SIGXFSZ, SIG_IGN);  // a file that becomes too large is an error of its write
    setenv("SYSTEMC_DISABLE_COPYRIGHT_MESSAGE", "1", 0);
    passed = &extensions;
    return sc_core::sc_elab_and_sim(argc, argv);
}

}  // namespace loom::app
