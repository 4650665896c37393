// SPDX-License-Identifier: Apache-2.0
#include "app/program.hpp"

#include <fmt/format.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <systemc>

#include "app/command_line.hpp"
#include "base/error.hpp"

int sc_main(int argc, char** argv) {
    return loom::app::run_command_line(argc, argv);
}

namespace loom::app {

int run_program(int argc, char** argv, Extensions& extensions) {
    try {
        add_builtin(extensions);
    } catch (const Error& e) {
        fmt::print(stderr, "spikeloom: {}\n", e.what());
        return static_cast<int>(e.code());
    }
    set_known(extensions);
    std::signal(SIGXFSZ, SIG_IGN);  // a file that becomes too large is an error of its write
    setenv("SYSTEMC_DISABLE_COPYRIGHT_MESSAGE", "1", 0);
    return sc_core::sc_elab_and_sim(argc, argv);
}

}  // namespace loom::app
