// SPDX-License-Identifier: Apache-2.0
// One functional training step (forward, BPTT, SGD) of the digits networks: 32 samples, 8 timesteps, sigmoid,
// hard detached reset, as in tests/golden/bptt. Random weights of the golden cases' scale, random pixels.
#include <benchmark/benchmark.h>

#include <cmath>

#include "sim/base/rng.hpp"
#include "sim/learn/layers/conv.hpp"
#include "sim/learn/layers/dense.hpp"
#include "sim/learn/layers/pool.hpp"
#include "sim/learn/neurons/lif.hpp"
#include "sim/learn/trainer.hpp"

namespace loom::learn {
namespace {

std::unique_ptr<Network> digits(bool conv) {
    const std::shared_ptr<const Surrogate> surrogate = make_surrogate({.kind = "sigmoid", .alpha = 4});
    auto network = std::make_unique<Network>(conv ? Shape{8, 8, 1} : Shape{1, 1, 64});
    std::uint32_t at = Network::kInput;
    const auto add = [&](std::unique_ptr<Layer> layer) { at = network->add(std::move(layer), {at}); };
    if (conv) {
        add(std::make_unique<Conv>(ConvShape{{8, 8, 1}, 8, 3, 3, 1, 1}, false));
        add(std::make_unique<Lif>(Shape{8, 8, 8}, LifSpec{}, surrogate));
        add(std::make_unique<AveragePool>(Shape{8, 8, 8}, 2, true));
        add(std::make_unique<Flatten>(Shape{4, 4, 8}));
    } else {
        add(std::make_unique<Dense>(64, 128, false));
        add(std::make_unique<Lif>(Shape{1, 1, 128}, LifSpec{}, surrogate));
    }
    add(std::make_unique<Dense>(128, 10, false));
    add(std::make_unique<Lif>(Shape{1, 1, 10}, LifSpec{}, surrogate));
    const CounterRng rng(1, 1);
    std::uint64_t entity = 0;
    for (auto& [layer, p] : network->parameters()) {
        auto& w = layer->parameters()[p].value;
        const double fan_in = static_cast<double>(w.size()) / static_cast<double>(layer->out.channels);
        const double scale = std::sqrt(6 / fan_in) * (conv && entity == 1 ? 3 : 1);
        for (std::size_t i = 0; i < w.size(); ++i)
            w[i] = static_cast<float>((rng.uniform(entity, static_cast<std::uint32_t>(i)) * 2 - 1) * scale);
        ++entity;
    }
    network->updated();
    return network;
}

void step(benchmark::State& state) {
    const bool conv = state.range(0) != 0;
    Trainer trainer(digits(conv), make_loss("mse_rate"), make_optimiser({.kind = "sgd", .lr = 1e-4}),
                    make_schedule({}));
    Signal x(8, 32, 64);
    x.constant = true;
    const CounterRng rng(2, 1);
    std::vector<std::int64_t> labels;
    for (std::size_t b = 0; b < 32; ++b) {
        labels.push_back(static_cast<std::int64_t>(b % 10));
        for (std::size_t i = 0; i < 64; ++i) {  // half of the digits' pixels are 0
            const double v = rng.uniform(b, static_cast<std::uint32_t>(i)) * 2 - 1;
            for (std::size_t t = 0; t < 8; ++t) x.at(t, b)[i] = static_cast<float>(v > 0 ? v : 0);
        }
    }
    for (auto _ : state) benchmark::DoNotOptimize(trainer.step(x, labels).loss);
}
BENCHMARK(step)->ArgName("conv")->Arg(0)->Arg(1)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace loom::learn
