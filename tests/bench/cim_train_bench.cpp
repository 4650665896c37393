// SPDX-License-Identifier: Apache-2.0
// Training in place on the digits: test accuracy after 20 epochs with the shipped chips' cells, and cycles
// and energy of a step on the chips. The figures of docs/concepts/training-in-memory.md.
#include <benchmark/benchmark.h>

#include "base/config/reader.hpp"
#include "tests/support/core_kinds.hpp"
#include "tests/support/golden_network.hpp"
#include "training/learn/work_recorder.hpp"
#include "training/many_core/cell_arithmetic.hpp"
#include "training/many_core/make_many_core.hpp"
#include "training/many_core/price_chip.hpp"

namespace loom::training {
namespace {

constexpr std::size_t kBatches = 44;  // 1437 images / 32, the rest is left out

arch::ChipSpec chip_of(bool agsi) {
    return support::read_chip(config::load_tree(std::string(LOOM_SOURCE_DIR "/configs/chips/") +
                                                (agsi ? "train_cim_agsi.yaml" : "train_cim_rram.yaml")));
}

/// SGD with rate 0.1, or Adam with 0.001.
learn::GoldenNetwork golden_with(const arch::ChipSpec& chip, bool adam) {
    learn::GoldenNetwork golden;
    golden.surrogate = {"sigmoid", 4, {}};
    if (adam) golden.optimiser.kind = "adam", golden.optimiser.lr = 1e-3;
    golden.pulses = learn::pulse_spec(support::cim_of(chip.core), support::cim_of(chip.core).training, 1);
    return golden;
}

/// Per step: cycles, pulses and energy by phase and level.
void report(benchmark::State& state, const ManyCoreEngine& engine, std::size_t steps) {
    const Pricing p = price(engine);
    const double each = 1e-3 / static_cast<double>(steps);
    std::uint64_t pulses = 0;
    for (std::size_t f = 0; f < kPhases; ++f) {
        const std::string name(kPhaseNames[f]);
        std::uint64_t cycles = 0;
        for (const LayerRecord& l : engine.record().layers) {
            cycles += l.phases[f].cycles;
            pulses += l.phases[f].counts.pulses;
        }
        state.counters[name + "_kcycles"] = static_cast<double>(cycles) * each;
        state.counters[name + "_nJ"] = p.phase(static_cast<Phase>(f)) * each;
        for (std::size_t l = 0; l < kLevels; ++l)
            if (const double pj = p.phase(static_cast<Phase>(f), static_cast<Level>(l)); pj != 0)
                state.counters[name + "_" + std::string(kLevelNames[l]) + "_nJ"] = pj * each;
    }
    double leakage = 0;
    for (const auto& [what, pj] : p.leakage_pj) leakage += pj;
    state.counters["leakage_nJ"] = leakage * each;
    state.counters["pulses"] = static_cast<double>(pulses) / static_cast<double>(steps);
}

/// Arguments: device, Adam. Device: 0 float32, 1 linear cells, 2 linear without carry, 3 Ag:a-Si, 4 Ag:a-Si
/// without noise, 5 linear and 6 Ag:a-Si read through converters
void epochs(benchmark::State& state) {
    const auto device = state.range(0);
    const arch::ChipSpec chip = chip_of(device == 3 || device == 4 || device == 6);
    learn::GoldenNetwork golden = golden_with(chip, state.range(1) != 0);
    if (device == 0) golden.pulses.reset();
    if (device == 2) golden.pulses->carry = false;
    if (device == 4) golden.pulses->sigma_c2c = 0;
    for (auto _ : state) {
        const auto trainer = golden.make();
        if (device >= 5)
            read_through_converters(trainer->network(),
                                    dynamic_cast<learn::PulseUpdate&>(trainer->optimiser()),
                                    support::cim_of(chip.core), chip.training_sparsity, 1);
        for (int epoch = 0; epoch < 20; ++epoch) {
            for (std::size_t k = 0; k < kBatches; ++k) {
                const auto [x, y] = learn::GoldenNetwork::minibatch(k);
                trainer->step(x, y);
            }
            if (epoch == 0)
                state.counters["correct_1"] =
                    static_cast<double>(learn::GoldenNetwork::test_correct(*trainer));
            if (epoch == 4)
                state.counters["correct_5"] =
                    static_cast<double>(learn::GoldenNetwork::test_correct(*trainer));
        }
        state.counters["correct_20"] = static_cast<double>(learn::GoldenNetwork::test_correct(*trainer));
    }
}
BENCHMARK(epochs)->ArgsProduct({{0, 1, 2, 3, 4, 5, 6}, {0, 1}})->Iterations(1)->Unit(benchmark::kSecond);

/// The first 20 steps of the golden mlp on a chip, per step. Arguments: 0 train_cim_rram, 1 train_cim_agsi, 2
/// the first without a second set of converters; Adam.
void step(benchmark::State& state) {
    constexpr std::size_t kSteps = 20;
    arch::ChipSpec chip = chip_of(state.range(0) == 1);
    support::cim_of(chip.core).training.transposable = state.range(0) != 2;
    for (auto _ : state) {
        const auto trainer = golden_with(chip, state.range(1) != 0).make();
        const auto engine = make_cim_training_engine(chip, {});
        for (std::size_t k = 0; k < kSteps; ++k) {
            const auto [x, y] = learn::GoldenNetwork::minibatch(k);
            trainer->step(x, y);
            engine->execute(learn::collect_work(*trainer));
        }
        report(state, *engine, kSteps);
        state.counters["converters_mm2"] = transposed_converter_area(chip) * 1e-6;
    }
}
BENCHMARK(step)->ArgsProduct({{0, 1, 2}, {0, 1}})->Iterations(1)->Unit(benchmark::kSecond);

}  // namespace
}  // namespace loom::training
