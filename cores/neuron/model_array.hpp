// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "cores/neuron/catalogue.hpp"
#include "cores/neuron/fixed.hpp"
#include "cores/neuron/float64.hpp"
#include "cores/neuron/membrane.hpp"

namespace loom::cores {

/// Neurons of one model. The accumulators come in with their width, shifted to membrane LSB.
template <class Acc, class Model>
class ModelArray final : public NeuronArray<Acc> {
  public:
    using Value = typename Membranes<Acc>::Value;

    /// The group and the membranes outlive the array.
    ModelArray(const Model& model, const arch::NeuronGroup& g, const arch::CoreSpec& spec,
               Membranes<Acc>& membranes)
        : model_(model),
          lanes_(static_cast<std::uint32_t>(std::min<std::uint64_t>(spec.soma.lanes, std::max(g.count, 1u)))),
          cycles_active_(spec.soma.cycles_active),
          cycles_inactive_(spec.soma.cycles_inactive),
          in_scale_(std::int64_t{1} << g.in_shift),
          accumulator_max_((std::int64_t{1} << (spec.dendrite.accumulator_bits - 1)) - 1),
          first_(g.first),
          count_(g.count),
          membranes_(membranes),
          states_(g.count) {
        if (g.parameters.contains("v_init")) start_ = PerNeuron<Value>(g, "v_init");
        start();
    }

    SweepResult sweep(std::uint32_t from, std::uint32_t to, const Acc* sums, const Value* host,
                      std::vector<FiredNeuron>& fired) override {
        SweepResult r;
        const Model model = model_;  // a copy, so that stores of states cannot change it
        Value* const v = membranes_.v.data() + first_;
        Value* const used = membranes_.used.data() + first_;
        typename Model::State* const states = states_.data();
        sums += first_;
        if (host != nullptr) host += first_;
        for (std::uint32_t base = from; base < to; base += lanes_) {
            const std::uint32_t end = std::min(base + lanes_, to);
            const std::size_t first_fired = fired.size();
            bool active = false;
            for (std::uint32_t n = base; n < end; ++n) {
                const Value h = host == nullptr ? Value{0} : host[n];
                const Value input = this->input(sums[n], h, r.accumulator_saturations);
                const Value z = model.step(n, v[n], states[n], input, used[n], r.state_saturations);
                const bool busy = sums[n] != Acc{0} || h != Value{0} || z != Value{0};
                active |= busy;
                ++(busy ? r.active : r.inactive);
                if (z != Value{0}) fired.push_back({first_ + n, static_cast<std::int64_t>(z), 0});
            }
            r.cycles += active ? cycles_active_ : cycles_inactive_;
            for (std::size_t k = first_fired; k < fired.size(); ++k) fired[k].at = r.cycles;
        }
        return r;
    }
    void reset() override {
        start();
        std::fill_n(membranes_.used.begin() + first_, count_, Value{0});
        std::fill(states_.begin(), states_.end(), typename Model::State{});
    }

  private:
    /// Membranes as a sample begins with them: zero, or the parameter v_init.
    void start() {
        for (std::uint32_t n = 0; n < count_; ++n)
            membranes_.v[first_ + n] = start_ ? (*start_)[n] : Value{0};
    }
    /// What a sum and the host's current bring to the membrane.
    Value input(Acc sum, Value host, std::uint64_t& saturations) const {
        if constexpr (std::is_same_v<Acc, double>) {
            return sum + host;
        } else {
            std::int64_t in = sum;
            if (in > accumulator_max_ || in < -accumulator_max_ - 1) [[unlikely]] {
                in = in > 0 ? accumulator_max_ : -accumulator_max_ - 1;
                ++saturations;
            }
            return in * in_scale_ + host;
        }
    }

    Model model_;
    std::uint32_t lanes_;
    Cycles cycles_active_, cycles_inactive_;
    std::int64_t in_scale_, accumulator_max_;
    std::uint32_t first_, count_;
    Membranes<Acc>& membranes_;
    std::vector<typename Model::State> states_;
    std::optional<PerNeuron<Value>> start_;
};

/// The neurons of a group as model M. In integers the model's plain rules are compiled one by one: a group
/// takes such a form only when its whole rule is equal, and when a membrane times a decay factor fits 64
/// bits.
template <template <class, class> class M, class Acc>
std::unique_ptr<NeuronArray<Acc>> make_neurons(const arch::NeuronGroup& g, const arch::CoreSpec& spec,
                                               Membranes<Acc>& membranes) {
    if constexpr (std::is_same_v<Acc, double>) {
        using Model = M<Float64, AnyRule>;
        return std::make_unique<ModelArray<Acc, Model>>(Model(g, {}), g, spec, membranes);
    } else {
        const FixedFormat format = FixedFormat::of(spec.soma);
        std::unique_ptr<NeuronArray<Acc>> made;
        if constexpr (requires { M<Fixed<std::int64_t>, AnyRule>::kPlainRules; }) {
            constexpr auto rules = M<Fixed<std::int64_t>, AnyRule>::kPlainRules;
            const bool narrow = spec.soma.state_bits + spec.soma.decay_bits <= 62;
            const auto try_rule = [&]<std::size_t I>() {
                if (!narrow || made != nullptr || g.rule != rules[I]) return;
                using Model = M<Fixed<std::int64_t>, OneRule<rules[I]>>;
                made = std::make_unique<ModelArray<Acc, Model>>(Model(g, {format}), g, spec, membranes);
            };
            [&]<std::size_t... I>(std::index_sequence<I...>) {
                (try_rule.template operator()<I>(), ...);
            }
            (std::make_index_sequence<rules.size()>());
        }
        if (made != nullptr) return made;
        using Model = M<Fixed<Wide>, AnyRule>;
        return std::make_unique<ModelArray<Acc, Model>>(Model(g, {format}), g, spec, membranes);
    }
}

template <template <class, class> class M>
constexpr NeuronModel neuron_model(std::string_view name) {
    return {name, {make_neurons<M, std::int32_t>, make_neurons<M, std::int64_t>, make_neurons<M, double>}};
}

}  // namespace loom::cores
