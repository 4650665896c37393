// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <memory>
#include <span>
#include <vector>

#include "arch/program.hpp"
#include "cores/core_counters.hpp"
#include "cores/neuron/catalogue.hpp"

namespace loom::cores {

/// The time-multiplexed neuron update of a core: an array of neurons per group, each of the group's model.
/// `lanes` neurons at a time, a group of lanes being fast when none of its neurons had input or fired.
/// Acc: the type of the accumulators; double means float64.
template <class Acc>
class Soma {
  public:
    static constexpr bool kFloat = std::is_same_v<Acc, double>;
    using Value = typename Membranes<Acc>::Value;

    /// Throws ModelError for a group of a model that is not among `models`. The image outlives the soma.
    Soma(const arch::CoreSpec& spec, const arch::CoreImage& image, const NeuronModels& models)
        : membranes_(std::make_unique<Membranes<Acc>>(image.n_neurons)) {
        for (const arch::NeuronGroup& g : image.neurons) {
            const auto make = std::get<NeuronModel::Make<Acc>>(models.find(g.model).make);
            groups_.push_back(make(g, spec, *membranes_));
        }
    }

    /// Sweeps neurons [from, to) of group k. `sums`, `host`: of the core's neurons (host may be null).
    /// Returns the cycles.
    Cycles sweep(std::size_t k, std::uint32_t from, std::uint32_t to, const Acc* sums, const Value* host,
                 CoreCounters& c) {
        fired_.clear();
        const SweepResult r = groups_[k]->sweep(from, to, sums, host, fired_);
        c.updates_active += r.active;
        c.updates_inactive += r.inactive;
        c.accumulator_saturations += r.accumulator_saturations;
        c.state_saturations += r.state_saturations;
        c.soma_busy += r.cycles;
        return r.cycles;
    }
    /// The neurons that fired in the last sweep.
    std::span<const FiredNeuron> fired() const { return fired_; }

    void reset(std::size_t k) { groups_[k]->reset(); }
    Value membrane(std::uint32_t neuron) const { return membranes_->v[neuron]; }
    Value current(std::uint32_t neuron) const { return membranes_->used[neuron]; }

  private:
    std::unique_ptr<Membranes<Acc>> membranes_;  ///< at a place of its own: groups refer to it
    std::vector<std::unique_ptr<NeuronArray<Acc>>> groups_;
    std::vector<FiredNeuron> fired_;
};

}  // namespace loom::cores
