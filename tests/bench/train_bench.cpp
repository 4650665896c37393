// SPDX-License-Identifier: Apache-2.0
// Functional training of the two golden networks: one optimiser step of 32 samples, 8 timesteps. scripts/bench-training
// measures PyTorch beside it.
#include <benchmark/benchmark.h>

#include "sim/learn/layers/conv.hpp"
#include "sim/learn/layers/dense.hpp"
#include "sim/learn/layers/pool.hpp"
#include "sim/learn/trainer.hpp"
#include "traces/npy.hpp"

namespace loom::learn {
namespace {

const std::string kFolder = LOOM_SOURCE_DIR "/tests/golden/bptt/";

std::unique_ptr<Trainer> golden_network(bool conv) {
    const std::shared_ptr<const Surrogate> surrogate = make_surrogate({});
    auto network = std::make_unique<Network>(conv ? Shape{8, 8, 1} : Shape{1, 1, 64});
    std::uint32_t at = Network::kInput;
    const auto add = [&](std::unique_ptr<Layer> layer, const char* name) {
        layer->name = name;
        at = network->add(std::move(layer), {at});
    };
    if (conv) {
        add(std::make_unique<Conv>(ConvShape{{8, 8, 1}, 8, 3, 3, 1, 1}, false), "w1");
        add(std::make_unique<Lif>(Shape{8, 8, 8}, LifSpec{}, surrogate), "lif1");
        add(std::make_unique<AveragePool>(Shape{8, 8, 8}, 2, true), "pool");
        add(std::make_unique<Flatten>(Shape{4, 4, 8}), "flatten");
    } else {
        add(std::make_unique<Dense>(64, 128, false), "w1");
        add(std::make_unique<Lif>(Shape{1, 1, 128}, LifSpec{}, surrogate), "lif1");
    }
    add(std::make_unique<Dense>(128, 10, false), "w2");
    add(std::make_unique<Lif>(Shape{1, 1, 10}, LifSpec{}, surrogate), "lif2");
    const std::string file = kFolder + (conv ? "conv" : "mlp") + "_sigmoid_hard_detach.npz";
    for (const char* name : {"w1", "w2"}) {
        const traces::Array a = traces::read_npz(file, std::string(name) + "_init");
        std::vector<float> values(a.size());
        for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(a.at(i));
        network->find(name)->layer->import(0, values);
    }
    return std::make_unique<Trainer>(std::move(network), make_loss("mse_rate"), make_optimiser({}),
                                     time_rules(Algorithm::Bptt, true, 0));
}

void train_step(benchmark::State& state) {
    const auto trainer = golden_network(state.range(0) != 0);
    const traces::Array x = traces::read_npz(kFolder + "digits_split.npz", "x_train");
    const traces::Array y = traces::read_npz(kFolder + "digits_split.npz", "y_train");
    Signal input(8, 32, 64);
    input.constant = true;
    std::vector<std::int64_t> labels;
    for (std::size_t b = 0; b < 32; ++b) {
        labels.push_back(static_cast<std::int64_t>(y.at(b)));
        for (std::size_t t = 0; t < 8; ++t)
            for (std::size_t i = 0; i < 64; ++i) input.at(t, b)[i] = static_cast<float>(x.at(b * 64 + i));
    }
    for (auto _ : state) benchmark::DoNotOptimize(trainer->step(input, labels).loss);
    state.SetLabel(state.range(0) != 0 ? "conv" : "mlp");
}
BENCHMARK(train_step)->Arg(0)->Arg(1)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace loom::learn
