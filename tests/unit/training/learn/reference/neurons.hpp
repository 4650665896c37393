// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "tests/unit/training/learn/reference/layers.hpp"

namespace loom::learn::reference {

/// Parameters of a population in the order in which the library has them; empty: it has none.
struct NeuronParameters {
    Weights recurrent;          ///< [to][from]
    std::optional<Var> leak;    ///< before the sigmoid
    std::optional<Var> window;  ///< half width (LSG, trained)
};

/// One population, neuron by neuron, the equations written out.
class Neurons {
  public:
    Neurons(const NeuronSpec& spec, NeuronParameters parameters, Derivative h, const TimeRules& rules,
            Sizes sizes)
        : spec_(spec), p_(std::move(parameters)), h_(std::move(h)), rules_(rules), sizes_(sizes) {}

    /// The outputs; membranes are kept.
    Values run(const Values& x) {
        const std::size_t n = x[0][0].size();
        Values s = zeros(sizes_, n);
        u = zeros(sizes_, n), i_ = zeros(sizes_, n), a_ = zeros(sizes_, n), trace_ = zeros(sizes_, n);
        each(sizes_, [&](std::size_t t, std::size_t b) {
            for (std::size_t k = 0; k < n; ++k) s[t][b][k] = step(x, s, t, b, k);
        });
        return s;
    }
    Values u;

  private:
    /// A value of t - 1 as t sees it.
    Var before(const Values& v, std::size_t t, std::size_t b, std::size_t k) const {
        if (t == 0) return {0.0};
        return detach_if(!rules_.joined(t - 1), v[t - 1][b][k]);
    }
    Var current(const Values& x, const Values& s, std::size_t t, std::size_t b, std::size_t k) {
        Var i = x[t][b][k];
        const std::size_t n = x[t][b].size();
        if (!p_.recurrent.empty())
            for (std::size_t j = 0; j < n; ++j) {
                const Var s_before = before(s, t, b, j);
                if (k == 0)  // once per timestep
                    trace_[t][b][j] =
                        detach(s_before) + (t > 0 ? Var(leak_value(j)) * trace_[t - 1][b][j] : Var(0.0));
                i = i + Synapse{s_before, trace_[t][b][j], rules_.traces}.times(p_.recurrent[k * n + j]);
            }
        if (spec_.current_decay) i = i + Var(static_cast<double>(*spec_.current_decay)) * before(i_, t, b, k);
        return i_[t][b][k] = i;
    }
    double leak_value(std::size_t k) const { return static_cast<double>(spec_.lif.leak[k]); }
    Var threshold(const Values& s, std::size_t t, std::size_t b, std::size_t k) {
        const Var rest(static_cast<double>(spec_.lif.threshold[k]));
        if (!spec_.adaptation) return rest;
        const auto& a = *spec_.adaptation;
        a_[t][b][k] = Var(static_cast<double>(a.decay)) * before(a_, t, b, k) +
                      Var(static_cast<double>(a.jump)) * before(s, t, b, k);
        return rest + Var(static_cast<double>(a.strength)) * a_[t][b][k];
    }
    Var step(const Values& x, const Values& s, std::size_t t, std::size_t b, std::size_t k) {
        const LifSpec& f = spec_.lif;
        const Var leak = p_.leak ? sigmoid(*p_.leak) : Var(leak_value(k));
        const Var gain = spec_.scales_input ? Var(1.0) - leak : Var(static_cast<double>(f.gain[k]));
        const Var rest(static_cast<double>(f.threshold[k])), reset(static_cast<double>(f.reset_value[k]));
        const Var old = before(u, t, b, k);
        const Var spiked = f.fires ? detach_if(rules_.detach_reset, before(s, t, b, k)) : Var(0.0);
        Var kept;
        switch (f.reset) {
            case Reset::Value:
                kept = leak * (old * (Var(1.0) - spiked) + reset * spiked);
                break;
            case Reset::Subtract:
                kept = leak * (old - rest * spiked);
                break;
            case Reset::SubtractAfterLeak:
                kept = leak * old - rest * spiked;
                break;
        }
        const Var v = kept + gain * current(x, s, t, b, k) + Var(static_cast<double>(f.drift[k]));
        u[t][b][k] = v;
        if (!f.fires) return v;
        const Var above = v - threshold(s, t, b, k);
        return p_.window ? window_spike(above, f.at_threshold, *p_.window) : spike(above, f.at_threshold, h_);
    }

    NeuronSpec spec_;
    NeuronParameters p_;
    Derivative h_;
    TimeRules rules_;
    Sizes sizes_;
    Values i_, a_, trace_;
};

/// DSR: forward integrate and fire, backward the clipped line between mean input and mean output.
inline Values rate_neurons(Sizes s, const Values& x, const LifSpec& spec) {
    const std::size_t n = x[0][0].size();
    NeuronSpec plain;
    plain.lif = spec;
    const Values spikes = Neurons(
                              plain, {}, [](double) { return 0.0; }, {}, s)
                              .run(x);
    Values y = zeros(s, n);
    for (std::size_t b = 0; b < s.batch; ++b)
        for (std::size_t k = 0; k < n; ++k) {
            const double threshold = static_cast<double>(spec.threshold[k]);
            Var mean;
            for (std::size_t t = 0; t < s.steps; ++t)
                mean = mean + Var(static_cast<double>(spec.gain[k])) * x[t][b][k] +
                       Var(static_cast<double>(spec.drift[k]));
            const Var rate = clip(Var(1 / (threshold * static_cast<double>(s.steps))) * mean);
            for (std::size_t t = 0; t < s.steps; ++t)
                y[t][b][k] = detach(spikes[t][b][k]) + (rate - detach(rate));
        }
    return y;
}

}  // namespace loom::learn::reference
