// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "training/work/engine_record.hpp"
#include "training/work/training_work.hpp"

namespace loom::training {

/// Neuron x timestep x sample of a backward pass, and how many of them have what makes an operation useful.
struct NeuronErrors {
    std::uint64_t all = 0;
    std::uint64_t open = 0;     ///< h != 0
    std::uint64_t later = 0;    ///< dL/du[t + 1] != 0
    std::uint64_t now = 0;      ///< dL/du[t] != 0
    std::uint64_t carried = 0;  ///< with errors of parts (thresholds, currents) of t + 1
    bool joined = false;        ///< errors of t + 1 reach t
    bool through_reset = false;
    bool mask = false;  ///< h was computed in the forward pass
};

/// Adds the arithmetic of `n` neuron updates (u = leak u + i, threshold, reset; parts by their equations in
/// training/learn/neurons). `leak`: multiplication or shift, what a constant decay costs. Memory is the
/// engine's.
void add_forward(const arch::NeuronWork& neurons, std::uint64_t n, TrainingEvent leak, TrainingCounters& to);
/// Adds surrogate and recursion of dL/du. What parts carry through time has no zeros that an engine knows.
void add_backward(const arch::NeuronWork& neurons, const NeuronErrors& n, TrainingEvent leak,
                  TrainingCounters& to);

}  // namespace loom::training
