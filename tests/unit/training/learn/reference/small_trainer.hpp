// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "training/learn/trainer.hpp"
#include "tests/unit/training/learn/reference/bench.hpp"

namespace loom::learn::reference {

struct SmallTrainer {
    std::unique_ptr<Trainer> trainer;
    Signal input;
    std::vector<std::int64_t> labels;
};

struct SmallOptions {
    NeuronSpec hidden = {};
    bool tdbn = false, norm = false;
    std::size_t steps = 6, batch = 4;
    LossSpec loss = {.kind = "ce_membrane"};
    SurrogateSpec surrogate = {};
};

/// 6 inputs, 12 hidden neurons, 3 classes; random weights, random input.
inline SmallTrainer small_trainer(const AlgorithmSpec& algorithm, const OptimiserSpec& optimiser = {},
                                  const SmallOptions& o = {}) {
    auto loss = make_loss(o.loss);
    auto network = std::make_unique<Network>(Shape{1, 1, 6});
    std::uint32_t at = Network::kInput;
    const auto add = [&](std::unique_ptr<Layer> layer, const std::string& name) {
        layer->name = name;
        at = network->add(std::move(layer), {at});
    };
    const Shape hidden{1, 1, 12}, classes{1, 1, 3};
    add(std::make_unique<Dense>(6, 12, true), "w1");
    if (o.norm) add(std::make_unique<BatchNorm>(hidden), "norm");
    if (o.tdbn) add(std::make_unique<TdBatchNorm>(hidden, 1.0F, 1.0F), "tdbn");
    add(make_neurons(hidden, o.hidden, o.surrogate), "hidden");
    add(std::make_unique<Dense>(12, 3, true), "w2");
    LifSpec last;
    last.threshold.values = {0.5F};
    add(std::make_unique<Lif>(classes, as_readout(last, *loss), make_surrogate(o.surrogate)), "classes");
    Random random(11);
    for (auto& [layer, p] : network->parameters()) {
        if (layer->name == "norm" || layer->name == "tdbn" || layer->parameters()[p].value.size() == 1)
            continue;
        random.fill(layer->parameters()[p].value, -0.4, 0.9);
    }
    SmallTrainer t;
    t.input.resize(o.steps, o.batch, 6);
    random.fill(t.input.all(), 0, 1);
    for (std::size_t b = 0; b < o.batch; ++b) t.labels.push_back(static_cast<std::int64_t>(random.of(0, 2)));
    t.trainer = std::make_unique<Trainer>(std::move(network), std::move(loss), make_optimiser(optimiser),
                                          make_schedule(algorithm));
    return t;
}

inline std::vector<std::vector<float>> gradients(Trainer& t) {
    std::vector<std::vector<float>> all;
    for (auto& [layer, p] : t.network().parameters()) all.push_back(layer->parameters()[p].grad);
    return all;
}
inline std::vector<std::vector<float>> values(Trainer& t) {
    std::vector<std::vector<float>> all;
    for (auto& [layer, p] : t.network().parameters()) all.push_back(layer->parameters()[p].value);
    return all;
}
inline void expect_close(const std::vector<std::vector<float>>& got,
                         const std::vector<std::vector<float>>& want, double bound) {
    ASSERT_EQ(got.size(), want.size());
    for (std::size_t p = 0; p < got.size(); ++p) {
        double largest = 0;
        for (const float v : want[p]) largest = std::max(largest, static_cast<double>(std::abs(v)));
        EXPECT_GT(largest, 0) << "parameter " << p;
        for (std::size_t i = 0; i < got[p].size(); ++i)
            EXPECT_NEAR(static_cast<double>(got[p][i]), static_cast<double>(want[p][i]), bound * largest)
                << "parameter " << p << "[" << i << "]";
    }
}

}  // namespace loom::learn::reference
