// SPDX-License-Identifier: Apache-2.0
#include "sim/learn/neurons/lif.hpp"

#include <algorithm>

namespace loom::learn {

Lif::Lif(const Shape& shape, LifSpec spec, std::shared_ptr<const Surrogate> surrogate)
    : spec_(std::move(spec)), surrogate_(std::move(surrogate)) {
    in = out = shape;
}

void Lif::forward(const Pass& pass, const Signal& in_signal, Signal& out_signal) {
    const std::size_t n = out.count();
    if (pass.first == 0) {
        last_u_.assign(pass.batch * n, 0.0F);
        last_s_.assign(pass.batch * n, 0.0F);
    }
    u_.resize(pass.steps, pass.batch, n);
    for (std::size_t t = 0; t < pass.steps; ++t)
        for (std::size_t b = 0; b < pass.batch; ++b) {
            const auto current = in_signal.at(t, b);
            const auto u = u_.at(t, b), s = out_signal.at(t, b);
            float* last_u = last_u_.data() + b * n;
            float* last_s = last_s_.data() + b * n;
            for (std::size_t i = 0; i < n; ++i) {
                const float leak = spec_.leak[i], threshold = spec_.threshold[i];
                float kept = leak * last_u[i];
                if (last_s[i] != 0) {
                    if (spec_.reset == Reset::Value)
                        kept = leak * spec_.reset_value[i];
                    else if (spec_.reset == Reset::Subtract)
                        kept = leak * (last_u[i] - threshold);
                    else
                        kept -= threshold;
                }
                u[i] = kept + spec_.gain[i] * current[i] + spec_.drift[i];
                const float x = u[i] - threshold;
                const bool fires = spec_.fires && (spec_.at_threshold ? x >= 0 : x > 0);
                s[i] = spec_.fires ? static_cast<float>(fires) : u[i];
                last_u[i] = u[i];
                last_s[i] = static_cast<float>(fires);
            }
            if (pass.formats != nullptr) pass.formats->round(Role::Membrane, u, 0, pass.iteration, 0);
        }
}

void Lif::derivative(std::size_t t, std::size_t b, std::span<float> h) const {
    const auto u = u_.at(t, b);
    x_.resize(u.size());
    for (std::size_t i = 0; i < u.size(); ++i) x_[i] = u[i] - spec_.threshold[i];
    surrogate_->derivative(x_, h);
}

void Lif::describe_neurons(arch::NeuronWork& work) const {
    work.fires = spec_.fires;
    work.hard_reset = spec_.reset == Reset::Value;
    work.leaks = std::ranges::any_of(spec_.leak.values, [](float l) { return l != 1; });
    const SurrogateCost c = surrogate_->cost();
    work.lut = c.lut, work.compare = c.compare, work.multiply = c.multiply;
    work.add = c.add, work.shift = c.shift, work.divide = c.divide;
}

void Lif::backward(const Pass& pass, const Signal&, const Signal& out_signal, const Signal& grad_out,
                   Signal* grad_in) {
    const std::size_t n = out.count();
    g_.resize(pass.steps, pass.batch, n);
    const bool through_reset = !pass.rules.detach_reset && spec_.fires;
    std::vector<float> h(n, 1.0F);
    const std::vector<float> none(n, 0.0F);
    for (std::size_t t = pass.steps; t-- > 0;)
        for (std::size_t b = 0; b < pass.batch; ++b) {
            const std::span<const float> u = u_.at(t, b), s = out_signal.at(t, b), direct = grad_out.at(t, b);
            const auto g = g_.at(t, b);
            const bool joined = t + 1 < pass.steps && pass.rules.joined(pass.first + t);
            const float* later = joined ? g_.at(t + 1, b).data() : none.data();
            if (spec_.fires) derivative(t, b, h);
            for (std::size_t i = 0; i < n; ++i) {
                const float leak = spec_.leak[i], threshold = spec_.threshold[i];
                float z = direct[i];
                if (through_reset) {
                    if (spec_.reset == Reset::Value)
                        z += leak * (spec_.reset_value[i] - u[i]) * later[i];
                    else
                        z -= (spec_.reset == Reset::Subtract ? leak * threshold : threshold) * later[i];
                }
                const bool kept = !(spec_.fires && spec_.reset == Reset::Value && s[i] != 0);
                g[i] = z * h[i] + (kept ? leak * later[i] : 0.0F);
            }
            if (extra_gradient.count() == n)
                for (std::size_t i = 0; i < n; ++i) g[i] += extra_gradient.at(t, b)[i];
            if (grad_in != nullptr) {
                const auto to = grad_in->at(t, b);
                for (std::size_t i = 0; i < n; ++i) to[i] += spec_.gain[i] * g[i];
            }
        }
}

}  // namespace loom::learn
