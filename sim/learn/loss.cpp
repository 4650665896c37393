// SPDX-License-Identifier: Apache-2.0
#include "sim/learn/loss.hpp"

#include <algorithm>

#include "sim/base/error.hpp"
#include "sim/base/nearest.hpp"
#include "sim/base/portable_math.hpp"

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
class MseRate final : public Loss {
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

/// Cross entropy at every timestep, averaged (TET with lambda 0).
class Tet final : public Loss {
  public:
    double evaluate(const Signal& out, std::span<const std::int64_t> labels, Signal& grad) const override {
        const double share = 1.0 / static_cast<double>(out.batch() * out.steps());
        double total = 0;
        for (std::size_t t = 0; t < out.steps(); ++t)
            for (std::size_t b = 0; b < out.batch(); ++b) {
                const auto o = out.at(t, b);
                std::vector<double> p(o.begin(), o.end());
                const auto label = static_cast<std::size_t>(labels[b]);
                total += softmax(p, label);
                for (std::size_t k = 0; k < o.size(); ++k)
                    grad.at(t, b)[k] += static_cast<float>((p[k] - (k == label ? 1.0 : 0.0)) * share);
            }
        return total * share;
    }
    bool on_membrane() const override { return true; }
};

struct Entry {
    std::string kind;
    std::unique_ptr<Loss> (*make)();
};
template <class T>
std::unique_ptr<Loss> make() {
    return std::make_unique<T>();
}
const std::vector<Entry>& catalogue() {
    static const std::vector<Entry> entries{{"mse_rate", make<MseRate>},
                                            {"ce_rate", make<CeRate>},
                                            {"ce_membrane", make<CeMembrane>},
                                            {"tet", make<Tet>}};
    return entries;
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
    std::vector<std::string> kinds;
    for (const Entry& e : catalogue()) kinds.push_back(e.kind);
    return kinds;
}

std::unique_ptr<Loss> make_loss(const std::string& kind) {
    for (const Entry& e : catalogue())
        if (e.kind == kind) return e.make();
    throw ConfigError("train.loss: " + unknown_name(kind, loss_kinds()));
}

}  // namespace loom::learn
