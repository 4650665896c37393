// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "training/learn/layer.hpp"

namespace loom::learn {

struct NormSpec {
    float epsilon = 1e-5F;
    float momentum = 0.1F;  ///< of the running statistics: r += momentum (batch - r), variance without bias
    bool affine = true;     ///< trained gamma and beta per channel
};

/// y = scale * gamma (x - mean) / sqrt(variance + eps) + beta per channel. A kind of norm says over which
/// timesteps of a pass statistics are taken; samples and positions always count. Evaluation uses running
/// statistics. Backward is exact, through mean and variance; channels without spread (one element) give
/// errors of 0.
class Norm : public Layer {
  public:
    void forward(const Pass& pass, const Signal& in, Signal& out) override;
    void backward(const Pass& pass, const Signal& in, const Signal& out, const Signal& grad_out,
                  Signal* grad_in) override;
    std::span<Parameter> parameters() override { return parameters_; }
    std::vector<std::span<float>> buffers() override { return {running_mean_, running_variance_}; }
    void describe(const Pass& pass, arch::ElementWork& work) const override;
    bool makes_currents() const override { return true; }

  protected:
    /// `scale`: beyond gamma (tdBN: alpha x threshold).
    Norm(const Shape& shape, const NormSpec& spec, float scale);
    /// Timesteps that share statistics: 1, or all of the pass.
    virtual std::size_t window(const Pass& pass) const = 0;

  private:
    struct Moments {
        std::vector<float> mean, inverse;  ///< 1 / sqrt(variance + eps)
    };
    float gamma(std::size_t c) const { return scale_ * (spec_.affine ? parameters_[0].used()[c] : 1.0F); }
    Moments measure(const Signal& in, std::size_t first, std::size_t steps);
    Moments running() const;
    void apply(const Moments& m, const Signal& in, Signal& out, std::size_t first, std::size_t steps) const;
    void errors_back(const Moments& m, const Signal& in, const Signal& grad_out, std::size_t first,
                     std::size_t steps, Signal* grad_in);

    NormSpec spec_;
    float scale_;
    std::vector<Parameter> parameters_;  ///< gamma, beta
    std::vector<float> running_mean_, running_variance_;
    std::vector<Moments> moments_;  ///< of the last training pass, by window
};

}  // namespace loom::learn
