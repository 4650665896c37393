// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "base/fields.hpp"
#include "training/learn/layer.hpp"

namespace loom::learn {

/// How errors go through time, part of the `train:` section.
struct AlgorithmSpec {
    std::string algorithm = "bptt";
    bool detach_reset = true;
    std::uint64_t truncate = 0, backward_steps = 0, seed = 1;
    std::optional<bool> online = std::nullopt;
};
template <class V>
void fields(V& v, AlgorithmSpec& s) {
    v("algorithm", s.algorithm,
      {.doc = "bptt, sltt, sltt_k, ottt_a or ottt_o; docs/how-to/train.md says what each does"});
    v("detach_reset", s.detach_reset, {.doc = "no gradient through the reset"});
    v("truncate", s.truncate, {.doc = "bptt: errors are cut every so many timesteps; 0: never"});
    v("backward_steps", s.backward_steps,
      {.doc = "sltt_k: timesteps of a sample that get an error", .min = 0});
    v("seed", s.seed, {.doc = "of the timesteps that sltt_k picks", .max = kAnyWhole});
    v("online", s.online,
      {.doc =
           "sltt, sltt_k, ottt_a: pass by pass of one timestep, loss at every timestep (default); false: one "
           "pass over all timesteps with the loss of the whole sample"});
}

/// What the trainer does with a minibatch.
struct Schedule {
    TimeRules rules;
    bool online = false;  ///< passes of one timestep; the loss at t counts 1/T; nothing of t - 1 is kept
    bool updates_each_step = false;  ///< OTTT-O: the optimiser runs after every timestep
    std::size_t backward_steps = 0;  ///< SLTT-K: so many timesteps get an error; 0: all
    std::uint64_t seed = 1;          ///< of their choice

    /// Whether timestep t of `steps` gets an error in this iteration: K of T, each set equally likely, from
    /// counter-based random numbers.
    bool picks(std::uint64_t iteration, std::size_t t, std::size_t steps) const;
};

/// Throws ConfigError "train.algorithm: ..." for unknown kinds, "train.<key>: ..." for keys that do not
/// apply.
Schedule make_schedule(const AlgorithmSpec& spec);
std::vector<std::string> algorithm_kinds();

}  // namespace loom::learn
