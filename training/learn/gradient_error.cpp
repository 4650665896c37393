// SPDX-License-Identifier: Apache-2.0
#include "training/learn/gradient_error.hpp"

#include <algorithm>
#include <cmath>

namespace loom::learn {
namespace {

std::vector<std::vector<float>> all_gradients(Trainer& trainer, const Signal& input,
                                              std::span<const std::int64_t> labels) {
    trainer.gradients(input, labels);
    std::vector<std::vector<float>> all;
    for (auto& [layer, p] : trainer.network().parameters()) {
        all.push_back(layer->parameters()[p].grad);
        if (trainer.formats != nullptr)
            trainer.formats->round(Role::WeightGradient, all.back(), all.size() - 1, trainer.iteration(), 0);
    }
    return all;
}

/// What passes of training leave behind besides gradients and signals: statistics of norms, counts of codes.
class SideEffects {
  public:
    explicit SideEffects(Network& network) : network_(network) {
        each(
            [&](std::span<float> buffer) {
                statistics_.insert(statistics_.end(), buffer.begin(), buffer.end());
            },
            [&](const CodeCounts& c) { codes_.push_back(c); });
    }
    void restore() {
        auto value = statistics_.cbegin();
        auto count = codes_.cbegin();
        each(
            [&](std::span<float> buffer) {
                for (float& v : buffer) v = *value++;
            },
            [&](CodeCounts& c) { c = *count++; });
    }

  private:
    template <class F, class G>
    void each(F buffer, G codes) {
        for (Network::Node& node : network_.nodes())
            for (const std::span<float> b : node.layer->buffers()) buffer(b);
        network_.each_arithmetic([&](LinearLayer& layer) {
            codes(layer.arithmetic->forward_codes);
            codes(layer.arithmetic->backward_codes);
        });
    }
    Network& network_;
    std::vector<float> statistics_;
    std::vector<CodeCounts> codes_;
};

double ratio(double a, double b) {
    return a == 0 ? 0 : a / b;
}

void compare(std::span<const float> got, std::span<const float> want, GradientError& e) {
    double worst = 0, top = 0, off = 0, want2 = 0, got2 = 0, product = 0;
    for (std::size_t i = 0; i < got.size(); ++i) {
        const double a = static_cast<double>(got[i]), b = static_cast<double>(want[i]);
        worst = std::max(worst, std::abs(a - b));
        top = std::max(top, std::abs(b));
        off += (a - b) * (a - b), want2 += b * b, got2 += a * a, product += a * b;
    }
    e.largest = ratio(worst, top);
    e.relative = ratio(std::sqrt(off), std::sqrt(want2));
    e.cosine = off == 0 ? 1 : ratio(product, std::sqrt(want2 * got2));
}

}  // namespace

std::vector<GradientError> gradient_error(Trainer& trainer, const Signal& input,
                                          std::span<const std::int64_t> labels) {
    SideEffects effects(trainer.network());
    const auto got = all_gradients(trainer, input, labels);
    const Formats* formats = trainer.formats;
    trainer.formats = nullptr;
    const auto want = all_gradients(trainer, input, labels);
    trainer.formats = formats;
    effects.restore();
    std::vector<GradientError> errors;
    for (auto& [layer, p] : trainer.network().parameters()) {
        GradientError e{layer->name, layer->parameters()[p].name};
        compare(got[errors.size()], want[errors.size()], e);
        errors.push_back(e);
    }
    return errors;
}

}  // namespace loom::learn
