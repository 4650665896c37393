// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <unistd.h>

#include <array>

#include "app/sweep/sweep.hpp"
#include "app/verb.hpp"
#include "base/error.hpp"

namespace loom::app {
namespace {

struct SweepCommand {
    std::string file, output;
    unsigned jobs = 1;
    bool quiet = false;
};

std::vector<Option> options(SweepCommand& o) {
    return {{"SWEEP.yaml", &o.file, "sweep file"},
            {"-o,--output", &o.output, "result directory (default: results/<sweep>)"},
            {.names = "-j,--jobs", .value = &o.jobs, .help = "points at a time", .least = 1, .most = 1024},
            quiet_option(o.quiet)};
}

/// The program that runs, which runs the points too.
std::string own_path() {
    std::array<char, 4096> buffer{};
    const ssize_t n = readlink("/proc/self/exe", buffer.data(), buffer.size() - 1);
    return n > 0 ? std::string(buffer.data(), static_cast<std::size_t>(n)) : std::string("spikeloom");
}

int sweep(const SweepCommand& o) {
    const SweepSpec spec = load_sweep(o.file);
    SweepOptions options;
    options.program = own_path();
    options.directory = o.output.empty() ? default_output(o.file) : o.output;
    options.jobs = o.jobs;
    options.quiet = o.quiet;
    const std::size_t points = spec.points().size();
    const std::size_t failed = run_sweep(spec, options);
    fmt::print("{} points, {} failed; {}/results.csv\n", points, failed, options.directory);
    return failed == 0 ? 0 : static_cast<int>(ExitCode::CheckFailed);
}

}  // namespace

Verb sweep_verb() {
    return make_verb<SweepCommand>("sweep", "run every point of a sweep file; finished points are kept",
                                   options, sweep);
}

}  // namespace loom::app
