// SPDX-License-Identifier: Apache-2.0
#include "training/learn/algorithm.hpp"

#include <fmt/format.h>

#include <utility>

#include "base/error.hpp"
#include "base/nearest.hpp"
#include "base/rng.hpp"

namespace loom::learn {
namespace {

constexpr std::uint32_t kPickStream = 0x51;  // of CounterRng

struct NamedAlgorithm {
    std::string_view kind;
    bool temporal, traces, online, updates_each_step, picks;
};
constexpr NamedAlgorithm kAlgorithms[] = {
    {"bptt", true, false, false, false, false},  {"sltt", false, false, true, false, false},
    {"sltt_k", false, false, true, false, true}, {"ottt_a", false, true, true, false, false},
    {"ottt_o", false, true, true, true, false},
};

void refuse(bool given, std::string_view key, const AlgorithmSpec& spec, std::string_view why) {
    if (given) throw ConfigError(fmt::format("train.{}: {} {}", key, spec.algorithm, why));
}

void check(const AlgorithmSpec& spec, const NamedAlgorithm& e) {
    const bool online = spec.online.value_or(e.online);
    refuse(spec.truncate != 0 && !e.temporal, "truncate", spec, "has no errors through time to cut");
    refuse(spec.backward_steps != 0 && !e.picks, "backward_steps", spec, "gives an error to every timestep");
    refuse(spec.backward_steps == 0 && e.picks, "backward_steps", spec,
           "needs how many timesteps get an error");
    refuse(online && e.temporal, "online", spec, "needs all timesteps");
    refuse(!online && e.updates_each_step, "online", spec, "updates at every timestep, so it is online");
    refuse(!online && e.picks, "online", spec, "gives errors to some timesteps only, so it is online");
}

}  // namespace

bool Schedule::picks(std::uint64_t iteration, std::size_t t, std::size_t steps) const {
    if (backward_steps == 0 || backward_steps >= steps) return true;
    // Selection sampling: timestep i is taken with probability (still to pick) / (still to come).
    const CounterRng rng(seed, kPickStream);
    std::size_t missing = backward_steps;
    for (std::size_t i = 0; i <= t; ++i) {
        const double chance = static_cast<double>(missing) / static_cast<double>(steps - i);
        const bool taken = rng.bernoulli(chance, iteration, static_cast<std::uint32_t>(i));
        if (i == t) return taken;
        missing -= taken ? 1 : 0;
    }
    return false;
}

std::vector<std::string> algorithm_kinds() {
    std::vector<std::string> kinds;
    for (const NamedAlgorithm& e : kAlgorithms) kinds.emplace_back(e.kind);
    return kinds;
}

Schedule make_schedule(const AlgorithmSpec& spec) {
    for (const NamedAlgorithm& e : kAlgorithms) {
        if (e.kind != spec.algorithm) continue;
        check(spec, e);
        return {.rules = {.temporal = e.temporal,
                          .detach_reset = spec.detach_reset,
                          .traces = e.traces,
                          .truncate = spec.truncate},
                .online = spec.online.value_or(e.online),
                .updates_each_step = e.updates_each_step,
                .backward_steps = spec.backward_steps,
                .seed = spec.seed};
    }
    throw ConfigError("train.algorithm: " + unknown_name(spec.algorithm, algorithm_kinds()));
}

}  // namespace loom::learn
