// SPDX-License-Identifier: Apache-2.0
#include <csignal>
#include <cstdlib>
#include <systemc>

#include "app/command_line.hpp"

int sc_main(int argc, char** argv) {
    return loom::app::run_command_line(argc, argv);
}

int main(int argc, char** argv) {
    std::signal(SIGXFSZ, SIG_IGN);  // a file that becomes too large is an error of its write
    setenv("SYSTEMC_DISABLE_COPYRIGHT_MESSAGE", "1", 0);
    return sc_core::sc_elab_and_sim(argc, argv);
}
