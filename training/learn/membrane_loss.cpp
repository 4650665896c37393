// SPDX-License-Identifier: Apache-2.0
#include "training/learn/membrane_loss.hpp"

#include <algorithm>
#include <cmath>

namespace loom::learn {
namespace {

/// f(u, threshold of its neuron, gradient or nullptr) for every element.
template <class F>
void each(const Signal& u, std::span<const float> thresholds, Signal* grad, F f) {
    const std::size_t n = u.count();
    for (std::size_t i = 0; i < u.all().size(); ++i)
        f(static_cast<double>(u.all()[i]), static_cast<double>(thresholds[i % n]),
          grad == nullptr ? nullptr : &grad->all()[i]);
}
double elements(const Signal& u) {
    return static_cast<double>(u.all().size());
}

/// IM-Loss: (mean over everything of u - threshold)^2: half the neurons should fire. Mean over the whole
/// minibatch: from memory, not checked against the paper.
class Information final : public MembraneLoss {
  public:
    double evaluate(const Signal& u, std::span<const float> thresholds, double factor,
                    Signal& grad) const override {
        double mean = 0;
        each(u, thresholds, nullptr, [&](double v, double threshold, float*) { mean += v - threshold; });
        mean /= elements(u);
        const auto g = static_cast<float>(factor * 2 * mean / elements(u));
        for (float& to : grad.all()) to += g;
        return mean * mean;
    }
};

/// RMP-Loss: mean of (|2 v - 1| - 1)^2, v = u / threshold: zero at 0 and 1, so that a spike says what the
/// membrane does. The form has that stated property; the paper's formula was not checked.
class RegularisedPotential final : public MembraneLoss {
  public:
    double evaluate(const Signal& u, std::span<const float> thresholds, double factor,
                    Signal& grad) const override {
        double sum = 0;
        each(u, thresholds, &grad, [&](double v, double threshold, float* g) {
            const double x = 2 * v / threshold - 1, off = std::abs(x) - 1;
            sum += off * off;
            const double sign = x > 0 ? 1 : x < 0 ? -1 : 0;
            *g += static_cast<float>(factor * 4 * off * sign / (threshold * elements(u)));
        });
        return sum / elements(u);
    }
};

/// MPD-style (RecDis-SNN's purpose, our own form; the paper's formula was not checked). With mean m and
/// standard deviation d of v = u / threshold: max(0, |m - 1| - d)^2 where all membranes lie on one side of
/// the threshold (degenerate), + max(0, d - 1)^2 where they spread beyond a surrogate's window (saturated,
/// wrong gradients).
class Distribution final : public MembraneLoss {
  public:
    double evaluate(const Signal& u, std::span<const float> thresholds, double factor,
                    Signal& grad) const override {
        const double n = elements(u);
        double mean = 0, square = 0;
        each(u, thresholds, nullptr, [&](double v, double threshold, float*) { mean += v / threshold; });
        mean /= n;
        each(u, thresholds, nullptr, [&](double v, double threshold, float*) {
            square += (v / threshold - mean) * (v / threshold - mean);
        });
        const double d = std::sqrt(square / n);
        const double one_sided = std::max(0.0, std::abs(mean - 1) - d), spread = std::max(0.0, d - 1);
        const double by_mean = 2 * one_sided * (mean > 1 ? 1 : -1);
        const double by_d = 2 * spread - 2 * one_sided;
        each(u, thresholds, &grad, [&](double v, double threshold, float* g) {
            const double deviation = d > 0 ? (v / threshold - mean) / d : 0;
            *g += static_cast<float>(factor * (by_mean + by_d * deviation) / (n * threshold));
        });
        return one_sided * one_sided + spread * spread;
    }
};

class WithMembranes final : public Loss {
  public:
    WithMembranes(std::unique_ptr<Loss> main, std::unique_ptr<MembraneLoss> hidden, double weight)
        : main_(std::move(main)), hidden_(std::move(hidden)), weight_(weight) {}
    double evaluate(const Signal& out, std::span<const std::int64_t> labels, Signal& grad) const override {
        return main_->evaluate(out, labels, grad);
    }
    bool on_membrane() const override { return main_->on_membrane(); }
    double on_membranes(std::span<NeuronLayer* const> populations, float factor) const override {
        const double share = static_cast<double>(factor) * weight_ / static_cast<double>(populations.size());
        double loss = 0;
        for (NeuronLayer* p : populations) {
            const Signal& u = p->membranes();
            p->extra_gradient.resize(u.steps(), u.batch(), u.count());
            loss += share * hidden_->evaluate(u, p->thresholds(), share, p->extra_gradient);
        }
        return loss;
    }

  private:
    std::unique_ptr<Loss> main_;
    std::unique_ptr<MembraneLoss> hidden_;
    double weight_;
};

using MadeMembraneLoss = std::unique_ptr<MembraneLoss>;
struct NamedMembraneLoss {
    std::string_view kind;
    MadeMembraneLoss (*make)();
};
constexpr NamedMembraneLoss kMembraneLosses[] = {
    {"im", []() -> MadeMembraneLoss { return std::make_unique<Information>(); }},
    {"rmp", []() -> MadeMembraneLoss { return std::make_unique<RegularisedPotential>(); }},
    {"mpd", []() -> MadeMembraneLoss { return std::make_unique<Distribution>(); }},
};

}  // namespace

std::unique_ptr<MembraneLoss> make_membrane_loss(std::string_view kind) {
    for (const NamedMembraneLoss& e : kMembraneLosses)
        if (e.kind == kind) return e.make();
    return nullptr;
}

std::vector<std::string> membrane_loss_kinds() {
    std::vector<std::string> kinds;
    for (const NamedMembraneLoss& e : kMembraneLosses) kinds.emplace_back(e.kind);
    return kinds;
}

std::unique_ptr<Loss> with_membrane_loss(std::unique_ptr<Loss> main, std::unique_ptr<MembraneLoss> hidden,
                                         double weight) {
    return std::make_unique<WithMembranes>(std::move(main), std::move(hidden), weight);
}

}  // namespace loom::learn
