// SPDX-License-Identifier: Apache-2.0
// Cell operations per second of an array (active rows times used columns), by what is modelled.
#include <benchmark/benchmark.h>

#include "tests/unit/cores/cim/cim_fixture.hpp"

namespace loom::cores {
namespace {

/// `rows` x 128 weights of 4 bits, half of the rows active.
void run(benchmark::State& state, const arch::CimSpec& spec, std::size_t rows = 128) {
    CimArray array(spec, random_weights(rows, 128, 4, 1), {});
    std::vector<std::vector<std::uint32_t>> inputs;
    for (std::uint64_t i = 0; i < 16; ++i) inputs.push_back(random_rows(rows, 0.5, i));
    std::uint64_t step = 0, end = 0;
    for (auto _ : state) {
        array.evaluate(inputs[step % inputs.size()], step);
        end = array.schedule(end).done;
        benchmark::DoNotOptimize(array.sums().data());
        ++step;
    }
    state.counters["cell_ops"] = benchmark::Counter(static_cast<double>(array.counters().cell_operations),
                                                    benchmark::Counter::kIsRate);
    state.counters["cell_ops_total"] = static_cast<double>(array.counters().cell_operations);
}

/// Converters that lose nothing: rows of weights are added.
void BM_Ideal(benchmark::State& state) {
    run(state, golden_spec());
}
BENCHMARK(BM_Ideal);

/// Converters that round: integer column sums, a code each.
void BM_IdealCodes(benchmark::State& state) {
    arch::CimSpec s = golden_spec();
    s.adc.adc_bits = 4;
    run(state, s);
}
BENCHMARK(BM_IdealCodes);

/// Programming noise and stuck cells.
void BM_RealCells(benchmark::State& state) {
    arch::CimSpec s = golden_spec();
    s.device.sigma = 0.05;
    s.device.p_sa0 = s.device.p_sa1 = 0.001;
    run(state, s);
}
BENCHMARK(BM_RealCells);

/// The same with IR drop along columns and read noise.
void BM_RealReads(benchmark::State& state) {
    arch::CimSpec s = golden_spec();
    s.device.sigma = 0.05;
    s.device.p_sa0 = s.device.p_sa1 = 0.001;
    s.device.read_noise = 0.01;
    s.device.r_col = 1.04;
    run(state, s);
}
BENCHMARK(BM_RealReads);

/// A row-driven array by line relaxation.
void BM_RowDriven(benchmark::State& state) {
    arch::CimSpec s = golden_spec();
    s.array.type = arch::CimType::RramXbar;
    s.rows.row_select = arch::CimRowSelect::GroupsSkip;
    s.device.r_col = s.device.r_row = 1;
    run(state, s);
}
BENCHMARK(BM_RowDriven);

}  // namespace
}  // namespace loom::cores
