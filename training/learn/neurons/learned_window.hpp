// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "training/learn/neurons/part.hpp"
#include "training/learn/surrogate.hpp"

namespace loom::learn {

enum class WindowRule {
    Trained,      ///< a parameter of its own
    FollowsLeak,  ///< in proportion to the leak as it is trained (PLIF)
};

/// LSG: h = 1/(2 a) on |x| < a, half width a learned. Trained: by the gradient of the clipped line
/// 1/2 + x/(2a) that the window is the slope of, da = sum over -z x/(2 a^2) within the window. That the width
/// follows the leak is from the paper's abstract; both forms here are our reading, not checked against the
/// paper.
class LearnedWindow final : public NeuronPart {
  public:
    LearnedWindow(float half_width, WindowRule rule);
    void attach(const Shape& shape, NeuronConstants& constants, std::vector<Parameter>& parameters) override;
    void begin(const Pass& pass, NeuronConstants& constants) override;
    void begin_backward(const Pass&) override { sum_ = 0; }
    void backward(const NeuronErrorRow& row) override;
    void end_backward() override;
    const Surrogate* surrogate() const override { return &window_; }
    void describe(arch::NeuronWork& work) const override {
        work.learns_window = rule_ == WindowRule::Trained;
    }
    float half_width() const { return window_.half; }

  private:
    struct Window final : Surrogate {
        void derivative(std::span<const float> x, std::span<float> h, double) const override;
        bool windowed() const override { return true; }
        SurrogateCost cost() const override { return {.compare = 2}; }
        float half = 0.5F;
    };
    static constexpr float kNarrowest = 1e-3F;
    Window window_;
    WindowRule rule_;
    float per_leak_ = 0;
    std::vector<Parameter>* parameters_ = nullptr;
    std::size_t index_ = 0;
    double sum_ = 0;
};

}  // namespace loom::learn
