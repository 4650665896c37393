// SPDX-License-Identifier: Apache-2.0
// Functional training of the two golden networks: one optimiser step of 32 samples, 8 timesteps.
// scripts/bench-training measures PyTorch beside it.
#include <benchmark/benchmark.h>

#include "tests/support/golden_network.hpp"

namespace loom::learn {
namespace {

void train_step(benchmark::State& state) {
    GoldenNetwork golden;
    golden.conv = state.range(0) != 0;
    const auto trainer = golden.make();
    const auto [input, labels] = GoldenNetwork::minibatch(0);
    for (auto _ : state) benchmark::DoNotOptimize(trainer->step(input, labels).loss);
    state.SetLabel(golden.conv ? "conv" : "mlp");
}
BENCHMARK(train_step)->Arg(0)->Arg(1)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace loom::learn
