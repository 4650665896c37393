// SPDX-License-Identifier: Apache-2.0
#include "sim/learn/optimiser.hpp"

#include <cmath>

#include "sim/base/error.hpp"
#include "sim/base/nearest.hpp"

namespace loom::learn {
namespace {

float decayed(const Parameter& p, std::size_t i, float decay) {
    return p.decays && decay != 0 ? p.grad[i] + decay * p.value[i] : p.grad[i];
}

class Sgd final : public Optimiser {
  public:
    explicit Sgd(const OptimiserSpec& s)
        : lr_(static_cast<float>(s.lr)), decay_(static_cast<float>(s.weight_decay)) {}
    void update(Parameter& p, std::size_t, std::uint64_t) override {
        for (std::size_t i = 0; i < p.value.size(); ++i) p.value[i] -= lr_ * decayed(p, i, decay_);
    }
    OptimiserCost cost() const override { return {.multiply = 1, .add = 1}; }
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
          momentum_(static_cast<float>(s.momentum)),
          decay_(static_cast<float>(s.weight_decay)) {}
    void update(Parameter& p, std::size_t key, std::uint64_t) override {
        std::vector<float>& b = buffer_.of(key, p.value.size());
        for (std::size_t i = 0; i < b.size(); ++i) {
            b[i] = momentum_ * b[i] + decayed(p, i, decay_);
            p.value[i] -= lr_ * b[i];
        }
    }
    OptimiserCost cost() const override { return {.multiply = 2, .add = 2, .state_words = 1}; }
    std::vector<std::vector<float>*> state(std::size_t key, std::size_t size) override {
        return {&buffer_.of(key, size)};
    }

  private:
    float lr_, momentum_, decay_;
    Slots buffer_;
};

class Adam final : public Optimiser {
  public:
    Adam(const OptimiserSpec& s, bool decoupled) : spec_(s), decoupled_(decoupled) {}
    void update(Parameter& p, std::size_t key, std::uint64_t iteration) override {
        std::vector<float>& m = first_.of(key, p.value.size());
        std::vector<float>& v = second_.of(key, p.value.size());
        const auto k = static_cast<double>(iteration);
        const double power1 = std::pow(spec_.beta1, k), power2 = std::pow(spec_.beta2, k);
        const auto b1 = static_cast<float>(spec_.beta1), b2 = static_cast<float>(spec_.beta2);
        const auto c1 = static_cast<float>(1 - spec_.beta1), c2 = static_cast<float>(1 - spec_.beta2);
        const auto step = static_cast<float>(spec_.lr / (1 - power1));
        const auto root = static_cast<float>(std::sqrt(1 - power2));
        const auto eps = static_cast<float>(spec_.eps);
        const auto decay = static_cast<float>(spec_.weight_decay);
        const float kept =
            decoupled_ && p.decays ? static_cast<float>(1 - spec_.lr * spec_.weight_decay) : 1.0F;
        for (std::size_t i = 0; i < m.size(); ++i) {
            const float g = decayed(p, i, decoupled_ ? 0.0F : decay);
            m[i] = b1 * m[i] + c1 * g;
            v[i] = b2 * v[i] + c2 * g * g;
            if (kept != 1.0F) p.value[i] *= kept;
            p.value[i] -= step * (m[i] / (std::sqrt(v[i]) / root + eps));
        }
    }
    OptimiserCost cost() const override {
        return {.multiply = 8, .add = 4, .sqrt = 1, .divide = 1, .state_words = 2};
    }
    std::vector<std::vector<float>*> state(std::size_t key, std::size_t size) override {
        return {&first_.of(key, size), &second_.of(key, size)};
    }

  private:
    OptimiserSpec spec_;
    bool decoupled_;
    Slots first_, second_;
};

}  // namespace

std::unique_ptr<Optimiser> make_optimiser(const OptimiserSpec& spec) {
    if (spec.kind == "sgd") return std::make_unique<Sgd>(spec);
    if (spec.kind == "momentum") return std::make_unique<Momentum>(spec);
    if (spec.kind == "adam") return std::make_unique<Adam>(spec, false);
    if (spec.kind == "adamw") return std::make_unique<Adam>(spec, true);
    throw ConfigError("train.optimizer.kind: " +
                      unknown_name(spec.kind, {"sgd", "momentum", "adam", "adamw"}));
}

}  // namespace loom::learn
