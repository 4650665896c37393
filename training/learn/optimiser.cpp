// SPDX-License-Identifier: Apache-2.0
#include "training/learn/optimiser.hpp"

#include <fmt/format.h>

#include <cmath>

#include "base/error.hpp"
#include "base/nearest.hpp"

namespace loom::learn {
namespace {

float decayed(const Parameter& p, std::size_t i, float decay) {
    return decay != 0 ? p.grad[i] + decay * p.value[i] : p.grad[i];
}

OptimiserCost with_decay(OptimiserCost c, double decay) {
    if (decay != 0) c.multiply += 1, c.add += 1;
    return c;
}

class Sgd final : public Optimiser {
  public:
    explicit Sgd(const OptimiserSpec& s)
        : lr_(static_cast<float>(s.lr)), decay_(static_cast<float>(s.weight_decay)) {}
    void update(Parameter& p, std::size_t, std::uint64_t) override {
        for (std::size_t i = 0; i < p.value.size(); ++i) p.value[i] -= lr_ * decayed(p, i, decay_);
    }
    OptimiserCost cost() const override { return with_decay({.multiply = 1, .add = 1}, decay_); }
    std::vector<std::vector<float>*> state(std::size_t, std::size_t) override { return {}; }

  private:
    float lr_, decay_;
};

/// State vectors by key.
class Slots {
  public:
    std::vector<float>& of(std::size_t key, std::size_t size) {
        if (slots_.size() <= key) slots_.resize(key + 1);
        slots_[key].resize(size);
        return slots_[key];
    }

  private:
    std::vector<std::vector<float>> slots_;
};

class Momentum final : public Optimiser {
  public:
    explicit Momentum(const OptimiserSpec& s)
        : lr_(static_cast<float>(s.lr)),
          momentum_(static_cast<float>(s.momentum.value_or(0.9))),
          decay_(static_cast<float>(s.weight_decay)) {}
    void update(Parameter& p, std::size_t key, std::uint64_t) override {
        std::vector<float>& b = buffer_.of(key, p.value.size());
        for (std::size_t i = 0; i < b.size(); ++i) {
            b[i] = momentum_ * b[i] + decayed(p, i, decay_);
            p.value[i] -= lr_ * b[i];
        }
    }
    OptimiserCost cost() const override {
        return with_decay({.multiply = 2, .add = 2, .state_words = 1}, decay_);
    }
    std::vector<std::vector<float>*> state(std::size_t key, std::size_t size) override {
        return {&buffer_.of(key, size)};
    }

  private:
    float lr_, momentum_, decay_;
    Slots buffer_;
};

class Adam final : public Optimiser {
  public:
    Adam(const OptimiserSpec& s, bool decoupled)
        : lr_(s.lr),
          beta1_(s.beta1.value_or(0.9)),
          beta2_(s.beta2.value_or(0.999)),
          eps_(s.eps.value_or(1e-8)),
          decay_(s.weight_decay),
          decoupled_(decoupled) {}
    void update(Parameter& p, std::size_t key, std::uint64_t iteration) override {
        std::vector<float>& m = first_.of(key, p.value.size());
        std::vector<float>& v = second_.of(key, p.value.size());
        const auto k = static_cast<double>(iteration);
        const double power1 = std::pow(beta1_, k), power2 = std::pow(beta2_, k);
        const auto b1 = static_cast<float>(beta1_), b2 = static_cast<float>(beta2_);
        const auto c1 = static_cast<float>(1 - beta1_), c2 = static_cast<float>(1 - beta2_);
        const auto step = static_cast<float>(lr_ / (1 - power1));
        const auto root = static_cast<float>(std::sqrt(1 - power2));
        const auto eps = static_cast<float>(eps_);
        const auto decay = static_cast<float>(decay_);
        const float kept = decoupled_ ? static_cast<float>(1 - lr_ * decay_) : 1.0F;
        for (std::size_t i = 0; i < m.size(); ++i) {
            const float g = decayed(p, i, decoupled_ ? 0.0F : decay);
            m[i] = b1 * m[i] + c1 * g;
            v[i] = b2 * v[i] + c2 * g * g;
            if (kept != 1.0F) p.value[i] *= kept;
            p.value[i] -= step * (m[i] / (std::sqrt(v[i]) / root + eps));
        }
    }
    OptimiserCost cost() const override {
        return with_decay({.multiply = 8, .add = 4, .sqrt = 1, .divide = 1, .state_words = 2}, decay_);
    }
    std::vector<std::vector<float>*> state(std::size_t key, std::size_t size) override {
        return {&first_.of(key, size), &second_.of(key, size)};
    }

  private:
    double lr_, beta1_, beta2_, eps_, decay_;
    bool decoupled_;
    Slots first_, second_;
};

}  // namespace

std::unique_ptr<Optimiser> make_optimiser(const OptimiserSpec& spec) {
    const auto refuse = [&](bool given, std::string_view key) {
        if (given) throw ConfigError(fmt::format("train.optimizer.{}: {} has no {}", key, spec.kind, key));
    };
    const auto below_one = [](const std::optional<double>& v, std::string_view key) {
        if (v && *v >= 1)
            throw ConfigError(fmt::format("train.optimizer.{}: must be below 1 (got {})", key, *v));
    };
    const bool adam = spec.kind == "adam" || spec.kind == "adamw";
    if (!adam && spec.kind != "sgd" && spec.kind != "momentum")
        throw ConfigError("train.optimizer.kind: " +
                          unknown_name(spec.kind, {"sgd", "momentum", "adam", "adamw"}));
    refuse(adam && spec.momentum, "momentum");
    refuse(!adam && spec.beta1, "beta1"), refuse(!adam && spec.beta2, "beta2"),
        refuse(!adam && spec.eps, "eps");
    below_one(spec.beta1, "beta1"), below_one(spec.beta2, "beta2");
    if (adam) return std::make_unique<Adam>(spec, spec.kind == "adamw");
    if (spec.kind == "momentum" || spec.momentum) return std::make_unique<Momentum>(spec);
    return std::make_unique<Sgd>(spec);
}

}  // namespace loom::learn
