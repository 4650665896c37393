// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <array>
#include <cstdint>
#include "base/json/json.hpp"
#include <optional>
#include <string>
#include <vector>

#include "training/learn/formats.hpp"
#include "training/learn/network.hpp"
#include "training/work/engine_record.hpp"
#include "training/work/training_work.hpp"

namespace loom::app {

/// One optimiser step.
struct StepRow {
    std::uint64_t epoch = 0, samples = 0, correct = 0, cycles = 0;
    double loss = 0;
};

/// One epoch, or what was done of it.
struct EpochRow {
    std::uint64_t epoch = 0, steps = 0, samples = 0, correct = 0;
    double loss = 0;  ///< mean over its steps
    std::uint64_t test_samples = 0, test_correct = 0, test_undecided = 0;
    double test_loss = 0;
};

/// Zeros met in a layer, as exact sums over the steps that were looked at.
struct ActivityRow {
    std::string name, kind;
    std::uint64_t inputs = 0, nonzero_inputs = 0;            ///< linear: values that entered
    std::uint64_t errors = 0, nonzero_errors = 0;            ///< dL/d output (linear), dL/du (neurons)
    std::uint64_t derivatives = 0, nonzero_derivatives = 0;  ///< neurons: h
    std::uint64_t spikes = 0, updates = 0;                   ///< neurons: spikes, neuron x timestep x sample
};

/// Codes of the converters at a matrix in cells, in training passes.
struct ArrayRow {
    std::string name;
    std::uint64_t forward_codes = 0, forward_clipped = 0, backward_codes = 0, backward_clipped = 0;
};

/// What a training has done so far; with the weights and the optimiser's state, all that a checkpoint needs.
struct TrainState {
    std::uint64_t step = 0;
    std::vector<StepRow> steps;
    std::vector<EpochRow> epochs;
    training::EngineRecord executed;  ///< zero when functional
    std::uint64_t activity_steps = 0;
    std::vector<ActivityRow> activity;
    std::vector<ArrayRow> arrays;  ///< layers that multiply through converters

    /// Values rounded to their number formats in training steps, and those beyond the range, by Role.
    std::array<learn::CountedFormats::Counts, learn::kRoles> formats{};
    Json gradient_error;  ///< the last minibatch against float32; null: it is float32

    Json estimate;  ///< formula with the densities of the last step
    Json ann;       ///< the last step of an ANN of the same shape; null: functional

    void add_activity(const arch::TrainingWork& work);
    void add_format_counts(const learn::CountedFormats& of_step);
    /// Takes the counts of the layers' converters, and gives them back to the layers.
    void take_arrays(const learn::Network& network);
    void restore_arrays(learn::Network& network) const;
    Json to_json() const;
    static TrainState from_json(const Json& j);
};

}  // namespace loom::app
