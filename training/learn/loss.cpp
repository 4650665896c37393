// SPDX-License-Identifier: Apache-2.0
#include "training/learn/loss.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.hpp"
#include "base/nearest.hpp"
#include "base/portable_math.hpp"
#include "training/learn/membrane_loss.hpp"

namespace loom::learn {
namespace {

/// Softmax of `logits` in place; returns -log of the label's probability.
double softmax(std::span<double> logits, std::size_t label) {
    const double top = *std::ranges::max_element(logits);
    double sum = 0;
    const double own = logits[label];
    for (double& v : logits) sum += v = portable_exp(v - top);
    for (double& v : logits) v /= sum;
    return portable_log(sum) - (own - top);
}

/// Mean squared error between the mean output and the one-hot label, over samples and classes.
class MseRate : public Loss {
  public:
    double evaluate(const Signal& out, std::span<const std::int64_t> labels, Signal& grad) const override {
        const std::vector<float> rate = mean_over_time(out);
        const std::size_t n = out.count();
        const auto entries = static_cast<float>(out.batch() * n);
        const float scale = 2.0F / (entries * static_cast<float>(out.steps()));
        double total = 0;
        for (std::size_t b = 0; b < out.batch(); ++b)
            for (std::size_t k = 0; k < n; ++k) {
                const float target = static_cast<std::size_t>(labels[b]) == k ? 1.0F : 0.0F;
                const float error = rate[b * n + k] - target;
                total += static_cast<double>(error) * static_cast<double>(error);
                for (std::size_t t = 0; t < out.steps(); ++t) grad.at(t, b)[k] += scale * error;
            }
        return total / static_cast<double>(entries);
    }
};

class MseMembrane final : public MseRate {
  public:
    bool on_membrane() const override { return true; }
};

/// Cross entropy of the mean output over time.
class CeRate : public Loss {
  public:
    double evaluate(const Signal& out, std::span<const std::int64_t> labels, Signal& grad) const override {
        const std::vector<float> rate = mean_over_time(out);
        const std::size_t n = out.count();
        const double share = 1.0 / static_cast<double>(out.batch() * out.steps());
        double total = 0;
        for (std::size_t b = 0; b < out.batch(); ++b) {
            std::vector<double> p(rate.begin() + static_cast<std::ptrdiff_t>(b * n),
                                  rate.begin() + static_cast<std::ptrdiff_t>((b + 1) * n));
            const auto label = static_cast<std::size_t>(labels[b]);
            total += softmax(p, label);
            for (std::size_t k = 0; k < n; ++k) {
                const auto g = static_cast<float>((p[k] - (k == label ? 1.0 : 0.0)) * share);
                for (std::size_t t = 0; t < out.steps(); ++t) grad.at(t, b)[k] += g;
            }
        }
        return total / static_cast<double>(out.batch());
    }
};

class CeMembrane final : public CeRate {
  public:
    bool on_membrane() const override { return true; }
};

/// TET: (1 - lambda) x cross entropy at every timestep, averaged, + lambda x mean squared distance of all
/// outputs from phi.
class Tet final : public Loss {
  public:
    Tet(double lambda, double phi) : lambda_(lambda), phi_(phi) {}
    double evaluate(const Signal& out, std::span<const std::int64_t> labels, Signal& grad) const override {
        const double share = 1.0 / static_cast<double>(out.batch() * out.steps());
        double entropy = 0, distance = 0;
        for (std::size_t t = 0; t < out.steps(); ++t)
            for (std::size_t b = 0; b < out.batch(); ++b) {
                const auto o = out.at(t, b);
                std::vector<double> p(o.begin(), o.end());
                const auto label = static_cast<std::size_t>(labels[b]);
                entropy += softmax(p, label);
                for (std::size_t k = 0; k < o.size(); ++k) {
                    const double off = static_cast<double>(o[k]) - phi_;
                    distance += off * off;
                    const double pull = 2 * off / static_cast<double>(o.size());
                    const double push = p[k] - (k == label ? 1.0 : 0.0);
                    grad.at(t, b)[k] += static_cast<float>(((1 - lambda_) * push + lambda_ * pull) * share);
                }
            }
        return share * ((1 - lambda_) * entropy + lambda_ * distance / static_cast<double>(out.count()));
    }
    bool on_membrane() const override { return true; }

  private:
    double lambda_, phi_;
};

using MadeLoss = std::unique_ptr<Loss>;
struct NamedLoss {
    std::string_view kind;
    MadeLoss (*make)(const LossSpec&);
};
template <class T>
MadeLoss plain(const LossSpec&) {
    return std::make_unique<T>();
}
constexpr NamedLoss kLosses[] = {
    {"mse_rate", plain<MseRate>},
    {"ce_rate", plain<CeRate>},
    {"mse_membrane", plain<MseMembrane>},
    {"ce_membrane", plain<CeMembrane>},
    {"tet",
     [](const LossSpec& s) -> MadeLoss {
         return std::make_unique<Tet>(s.lambda.value_or(0), s.phi.value_or(1));
     }},
};

/// Of a loss on the output.
void check_keys(const LossSpec& spec) {
    const auto refuse = [&](bool given, std::string_view key) {
        if (given) throw ConfigError(fmt::format("train.loss.{}: {} has no {}", key, spec.kind, key));
    };
    refuse(spec.main.has_value(), "main"), refuse(spec.weight.has_value(), "weight");
    refuse(spec.kind != "tet" && spec.lambda, "lambda"), refuse(spec.kind != "tet" && spec.phi, "phi");
}

}  // namespace

std::vector<float> mean_over_time(const Signal& out) {
    const std::size_t n = out.batch() * out.count();
    std::vector<float> mean(n);
    for (std::size_t t = 0; t < out.steps(); ++t)
        for (std::size_t i = 0; i < n; ++i) mean[i] += out.all()[t * n + i];
    for (float& v : mean) v /= static_cast<float>(out.steps());
    return mean;
}

std::vector<std::string> loss_kinds() {
    std::vector<std::string> kinds = membrane_loss_kinds();
    for (const NamedLoss& e : kLosses) kinds.emplace_back(e.kind);
    return kinds;
}

std::unique_ptr<Loss> make_loss(const LossSpec& spec) {
    for (const NamedLoss& e : kLosses) {
        if (e.kind != spec.kind) continue;
        check_keys(spec);
        return e.make(spec);
    }
    if (auto on_hidden = make_membrane_loss(spec.kind)) {
        LossSpec main = spec;
        main.kind = spec.main.value_or("ce_rate");
        main.main.reset(), main.weight.reset();
        if (make_membrane_loss(main.kind) != nullptr)
            throw ConfigError("train.loss.main: " + main.kind + " is itself added to a loss on the output");
        if (std::ranges::none_of(kLosses, [&](const NamedLoss& e) { return e.kind == main.kind; })) {
            std::vector<std::string> known;
            for (const NamedLoss& e : kLosses) known.emplace_back(e.kind);
            throw ConfigError("train.loss.main: " + unknown_name(main.kind, known));
        }
        return with_membrane_loss(make_loss(main), std::move(on_hidden), spec.weight.value_or(0.1));
    }
    throw ConfigError("train.loss: " + unknown_name(spec.kind, loss_kinds()));
}

LifSpec as_readout(LifSpec neurons, const Loss& loss) {
    neurons.fires = !loss.on_membrane();
    return neurons;
}

}  // namespace loom::learn
