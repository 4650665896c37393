// SPDX-License-Identifier: Apache-2.0
#include "app/program.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <systemc>

#include "app/command_line.hpp"
#include "base/error.hpp"
#include "base/log.hpp"

int sc_main(int argc, char** argv) {
    return loom::app::run_command_line(argc, argv);
}

namespace loom::app {
namespace {

/// What SystemC says goes to stderr: results are alone on stdout.
void say_report(const sc_core::sc_report& report, const sc_core::sc_actions& actions) {
    if ((actions & sc_core::SC_DISPLAY) != 0) {
        const std::string text = sc_core::sc_report_compose_message(report);
        if (report.get_severity() == sc_core::SC_INFO)
            log::note(text);
        else
            log::raw(text + "\n");
    }
    sc_core::sc_report_handler::default_handler(report, actions & ~sc_core::sc_actions{sc_core::SC_DISPLAY});
}

/// A stream that the caller closed must not become the name of the first file that is opened. Written to, it fails.
void take_closed_streams() {
    for (const int stream : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO})
        if (fcntl(stream, F_GETFD) < 0) open("/dev/null", O_RDONLY);
}

}  // namespace

int run_program(int argc, char** argv, Extensions& extensions) {
    take_closed_streams();
    try {
        add_builtin(extensions);
    } catch (const Error& e) {
        log::raw(fmt::format("spikeloom: {}\n", e.what()));
        return static_cast<int>(e.code());
    }
    set_known(extensions);
    sc_core::sc_report_handler::set_handler(say_report);
    std::signal(SIGXFSZ, SIG_IGN);  // a file that becomes too large is an error of its write
    setenv("SYSTEMC_DISABLE_COPYRIGHT_MESSAGE", "1", 0);
    return sc_core::sc_elab_and_sim(argc, argv);
}

}  // namespace loom::app
