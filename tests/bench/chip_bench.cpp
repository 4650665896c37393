// SPDX-License-Identifier: Apache-2.0
// Whole chips, built as the product builds them, without SystemC (the kernel's own cost is in
// docs/reference/performance.md by timed runs).
#include <benchmark/benchmark.h>

#include <fstream>
#include <sstream>

#include "sim/chip/chip_model.hpp"
#include "tests/support/core_kinds.hpp"

namespace loom {
namespace {

/// Resident memory of this process in MiB.
double resident_mib() {
    std::ifstream in("/proc/self/statm");
    double total = 0, resident = 0;
    in >> total >> resident;
    return resident * 4096 / 1048576;
}

arch::Program empty_program(const arch::ChipSpec& spec, unsigned cores) {
    arch::Program p;
    p.layers.resize(2);
    p.layers[0].is_input = true;
    p.output = LayerId{1};
    p.input_fanout.row = {0};
    for (unsigned i = 0; i < cores; ++i) {
        arch::CoreImage image;
        image.endpoint = EndpointId{i};
        image.n_neurons = static_cast<std::uint32_t>(spec.core.soma.max_neurons);
        image.fanout.row.assign(image.n_neurons + 1, 0);
        p.cores.push_back(std::move(image));
    }
    return p;
}

void idle_chip(benchmark::State& state) {
    arch::ChipSpec spec{support::core_kinds()};
    spec.noc.size = {64, 64};
    spec.noc.cores_per_router = 4;
    const arch::Program program = empty_program(spec, static_cast<unsigned>(state.range(0)));
    chip::ChipModel model(spec, program, {}, 1);
    for (auto _ : state) model.scheduler().step();
    state.counters["cycles/s"] =
        benchmark::Counter(static_cast<double>(state.iterations()), benchmark::Counter::kIsRate);
    state.counters["MiB"] = resident_mib();
}
// 16 384 cores of the chip, none or all of them instantiated
BENCHMARK(idle_chip)->Arg(0)->Arg(16384);

}  // namespace
}  // namespace loom
