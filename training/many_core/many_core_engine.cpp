// SPDX-License-Identifier: Apache-2.0
#include "training/many_core/many_core_engine.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/counter_math.hpp"
#include "base/error.hpp"
#include "training/many_core/backward_pass.hpp"
#include "training/many_core/forward_pass.hpp"
#include "training/many_core/gradient_pass.hpp"
#include "training/many_core/near_memory_arithmetic.hpp"
#include "training/many_core/update_pass.hpp"

namespace loom::training {

struct ManyCoreEngine::PlacedChip {
    PlacedChip(TrainingView& view, CoreArithmetic& arithmetic, std::uint64_t shuffle)
        : arrivals(view, arithmetic),
          runner(view, arrivals, arithmetic.takes_beside_job(), shuffle),
          ways(view, runner.network()),
          at{view, arithmetic, ways, runner},
          elements(at),
          forward(at, elements),
          backward(at, elements),
          gradient(at),
          update(at) {}

    Arrivals arrivals;
    StepRunner runner;
    Destinations ways;
    CoresAtWork at;
    Elements elements;
    ForwardPass forward;
    BackwardPass backward;
    GradientPass gradient;
    UpdatePass update;
};

ManyCoreEngine::ManyCoreEngine(const arch::ChipSpec& chip, const arch::SparsityRules& sparsity)
    : ManyCoreEngine(chip, sparsity, std::make_unique<NearMemoryArithmetic>(chip)) {}

ManyCoreEngine::ManyCoreEngine(const arch::ChipSpec& chip, const arch::SparsityRules& sparsity,
                               std::unique_ptr<CoreArithmetic> arithmetic)
    : arithmetic_(std::move(arithmetic)) {
    view_.chip = chip;
    view_.sparsity = sparsity;
    view_.room = arithmetic_->room();
    view_.record.processing_elements = view_.room.cores * view_.core().dendrite.lanes;
}

ManyCoreEngine::~ManyCoreEngine() = default;

noc::NocCounters ManyCoreEngine::network_counters() const {
    noc::NocCounters all{};
    for (const noc::NocCounters& c : counters_.network) all = sum_of(all, c);
    return all;
}

void ManyCoreEngine::shuffle(std::uint64_t seed) {
    shuffle_ = seed;
    placed_ = nullptr;
}

void ManyCoreEngine::execute(const arch::TrainingWork& work) {
    place(work);
    const bool each_timestep = work.updates > 1 && !work.temporal;  // a round has all samples
    const auto update = [&] {
        enter(Phase::WeightUpdate);
        placed_->update.run();
    };
    for (const Round& round : rounds()) {
        placed_->runner.begin_round(round);
        enter(Phase::Forward);
        placed_->forward.run(round);
        enter(Phase::Backward);
        placed_->backward.run(round);
        enter(Phase::WeightGradient);
        placed_->gradient.run(round);
        if (each_timestep) update();
    }
    for (std::size_t i = 0; !each_timestep && i < work.updates; ++i) update();
    enter(Phase::Forward);
    view_.record.steps += 1;
    view_.record.samples += work.batch;
    save_counters();
}

std::vector<Round> ManyCoreEngine::rounds() const {
    std::vector<Round> all;
    const std::size_t steps = view_.work->temporal ? view_.work->steps : 1, samples = view_.placement.samples;
    for (std::size_t b = 0; b < view_.work->batch; b += samples)
        for (std::size_t t = 0; t < view_.work->steps; t += steps)
            all.push_back({t, t + steps, b, std::min(view_.work->batch, b + samples)});
    return all;
}

/// Books what the network did in the phase before.
void ManyCoreEngine::enter(Phase phase) {
    const noc::NocCounters now = placed_->runner.network_counters();
    noc::NocCounters& booked = counters_.network[static_cast<std::size_t>(view_.phase)];
    booked = sum_of(booked, difference_of(now, noc_seen_));
    noc_seen_ = now;
    view_.phase = phase;
}

/// Steps of one training have the same layout: the chip of the step before serves them all.
void ManyCoreEngine::place(const arch::TrainingWork& work) {
    view_.work = &work;
    arch::NetworkLayout layout(work);
    const bool again = placed_ != nullptr && layout == layout_;
    if (!again) {
        placed_ = nullptr;
        view_.placement = place_training(layout, view_.room);
        if (std::max(view_.placement.feeds.size(), work.items.size()) > kMessageTags)
            throw UnsupportedError(fmt::format("a network of {} layers; packets of training tell {} apart",
                                               work.items.size(), kMessageTags));
    }
    name_items();
    measure_memory();
    if (!again) {
        placed_ = std::make_unique<PlacedChip>(view_, *arithmetic_, shuffle_);
        layout_ = std::move(layout);
        noc_seen_ = {};
    }
    arithmetic_->begin(view_);
}

void ManyCoreEngine::name_items() {
    const arch::TrainingWork& work = *view_.work;
    std::vector<LayerRecord>& layers = view_.record.layers;
    view_.linear_items.resize(work.linear.size());
    view_.neuron_items.resize(work.neurons.size());
    layers.resize(work.items.size());
    for (std::uint32_t i = 0; i < work.items.size(); ++i) {
        const arch::WorkItem& item = work.items[i];
        if (item.kind == arch::WorkKind::Linear) {
            view_.linear_items[item.index] = i;
            layers[i].name = work.linear[item.index].name;
        } else if (item.kind == arch::WorkKind::Neuron) {
            view_.neuron_items[item.index] = i;
            layers[i].name = work.neurons[item.index].name;
        } else {
            layers[i].name = work.elements[item.index].name;
        }
    }
}

void ManyCoreEngine::measure_memory() {
    std::uint64_t peak = 0;
    for (const std::vector<std::uint32_t>& blocks : view_.placement.blocks_of_core) {
        std::uint64_t used = 0;
        for (const std::uint32_t b : blocks) used += view_.placement.blocks[b].memory_bits;
        peak = std::max(peak, used);
    }
    view_.record.memory = {{"memory of the fullest core", view_.room.memory_bits, peak, 0}};
}

void ManyCoreEngine::save_counters() {
    auto now = std::make_shared<ManyCoreCounters>(counters_);
    if (const ArrayCounters* arrays = arithmetic_->arrays()) now->arrays = *arrays;
    view_.record.many_core = std::move(now);
}

void ManyCoreEngine::resume(const EngineRecord& record) {
    if (record.steps == 0) return;
    view_.record = record;
    if (record.many_core == nullptr)
        throw InternalError("a chip of many cores resumes a record of another engine");
    counters_.network = record.many_core->network;
    if (record.many_core->arrays) arithmetic_->resume(*record.many_core->arrays);
}

}  // namespace loom::training
