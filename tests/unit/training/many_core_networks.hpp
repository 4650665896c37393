// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "base/error.hpp"
#include "tests/support/core_kinds.hpp"
#include "training/learn/layers/add.hpp"
#include "training/learn/layers/conv.hpp"
#include "training/learn/layers/dense.hpp"
#include "training/learn/layers/max_pool.hpp"
#include "training/learn/layers/pool.hpp"
#include "training/learn/neurons/make_neurons.hpp"
#include "training/learn/norms/batch_norm.hpp"
#include "training/learn/norms/tdbn.hpp"
#include "training/learn/trainer.hpp"
#include "training/learn/work_recorder.hpp"
#include "training/many_core/many_core_engine.hpp"

namespace loom::training {

inline constexpr arch::ZeroRule S = arch::ZeroRule::Skip, D = arch::ZeroRule::Dense, G = arch::ZeroRule::Gate;

inline arch::ChipSpec mesh(std::uint64_t side, std::uint64_t kib) {
    arch::ChipSpec chip{support::core_kinds()};
    chip.name = "test";
    chip.noc.size = {side, side};
    chip.core.synapse.memory = kib * 1024 * 8;
    return chip;
}

inline EngineRecord run(const arch::TrainingWork& work, const arch::ChipSpec& chip,
                        const arch::SparsityRules& rules = {S, S, S}) {
    ManyCoreEngine engine(chip, rules);
    engine.execute(work);
    return engine.record();
}

inline const LayerRecord& layer(const EngineRecord& r, const std::string& name) {
    for (const LayerRecord& l : r.layers)
        if (l.name == name) return l;
    throw InternalError("no layer " + name);
}
inline std::uint64_t events(const EngineRecord& r, const std::string& name, Phase phase,
                            TrainingEvent event) {
    return layer(r, name).phases[static_cast<std::size_t>(phase)].counts[event];
}

struct Options {
    bool over_time = false;  ///< norms with statistics over time
    bool max_pool = false;
    std::size_t steps = 4, batch = 3;
};

/// conv1 norm1 lif1; conv2 norm2 + shortcut(lif1) lif2; pool flatten; w3 and recurrent weights: lif3.
inline arch::TrainingWork network_work(const Options& o) {
    using namespace learn;
    const std::shared_ptr<const Surrogate> h = make_surrogate({"rect", {}, 0.5});
    auto network = std::make_unique<Network>(Shape{8, 8, 2});
    const auto add = [&](std::unique_ptr<Layer> layer, const char* name, std::vector<std::uint32_t> from) {
        layer->name = name;
        std::size_t k = 0;
        for (Parameter& p : layer->parameters())
            if (p.name != "gamma" && p.name != "beta")
                for (float& v : p.value) v = 0.3F * static_cast<float>(static_cast<int>(++k * 7919 % 11) - 4);
        return network->add(std::move(layer), std::move(from));
    };
    const Shape map{8, 8, 4};
    const auto norm = [&]() -> std::unique_ptr<Layer> {
        if (o.over_time) return std::make_unique<TdBatchNorm>(map, 1.0F, 1.0F);
        return std::make_unique<BatchNorm>(map);
    };
    std::uint32_t at =
        add(std::make_unique<Conv>(learn::conv_shape({8, 8, 2}, 4, arch::square_window(3, 1, 1)), false),
            "conv1", {Network::kInput});
    at = add(norm(), "norm1", {at});
    const std::uint32_t lif1 = add(std::make_unique<Lif>(map, LifSpec{}, h), "lif1", {at});
    at = add(std::make_unique<Conv>(learn::conv_shape(map, 4, arch::square_window(3, 1, 1)), true), "conv2",
             {lif1});
    at = add(norm(), "norm2", {at});
    const std::uint32_t shortcut = add(
        std::make_unique<Conv>(learn::conv_shape(map, 4, arch::square_window(1)), false), "shortcut", {lif1});
    at = add(std::make_unique<Add>(map, 2), "sum", {at, shortcut});
    at = add(std::make_unique<Lif>(map, LifSpec{}, h), "lif2", {at});
    if (o.max_pool)
        at = add(std::make_unique<MaxPool>(map, arch::square_window(2, 2)), "pool", {at});
    else
        at = add(std::make_unique<AveragePool>(map, arch::square_window(2, 2), true), "pool", {at});
    at = add(std::make_unique<Flatten>(Shape{4, 4, 4}), "flatten", {at});
    at = add(std::make_unique<Dense>(64, 12, false), "w3", {at});
    add(make_neurons({1, 1, 12}, {.recurrent = true}, {"rect", {}, 0.5}), "lif3", {at});
    Trainer trainer(std::move(network), make_loss("mse_rate"), make_optimiser({"adam", 0.01}), Schedule{});
    Signal x(o.steps, o.batch, 128);
    std::size_t k = 0;
    for (float& v : x.all()) v = ++k * 2654435761U % 7 < 2 ? 1.0F : 0.0F;
    std::vector<std::int64_t> labels;
    for (std::size_t b = 0; b < o.batch; ++b) labels.push_back(static_cast<std::int64_t>(b));
    trainer.gradients(x, labels);
    return collect_work(trainer);
}

inline const arch::ElementWork& element(const arch::TrainingWork& work, const std::string& name) {
    for (const arch::ElementWork& e : work.elements)
        if (e.name == name) return e;
    throw InternalError("no layer " + name);
}

}  // namespace loom::training
