// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "sim/learn/layer.hpp"

namespace loom::learn {

/// Geometry of a two-dimensional convolution (cross-correlation as in torch), zero padding, one group.
struct ConvShape {
    Shape in;
    std::size_t channels = 1, kernel_h = 1, kernel_w = 1, stride = 1, padding = 0;
    Shape out() const {
        return {(in.height + 2 * padding - kernel_h) / stride + 1,
                (in.width + 2 * padding - kernel_w) / stride + 1, channels};
    }
    std::size_t weights() const { return in.channels * kernel_h * kernel_w * channels; }
};

/// out = W * in (+ bias per channel). Work follows the inputs and errors that are not zero; taps in the
/// padding cost nothing.
class Conv final : public LinearLayer {
  public:
    Conv(const ConvShape& shape, bool bias);
    void forward(const Pass& pass, const Signal& in, Signal& out) override;
    void backward(const Pass& pass, const Signal& in, const Signal& out, const Signal& grad_out,
                  Signal* grad_in) override;
    std::span<Parameter> parameters() override { return parameters_; }
    void updated() override {
        LinearLayer::updated();
        transposed_.clear();
    }
    std::vector<float> exported(std::size_t p, bool gradient) override;
    void import(std::size_t p, std::span<const float> values) override;
    arch::LinearShape linear_shape() const override;
    bool has_bias() const override { return parameters_.size() > 1; }
    const ConvShape& shape() const { return shape_; }

  private:
    std::size_t file_index(std::size_t i) const;
    void weighted_sum(std::span<const float> x, std::span<float> y, std::size_t group);
    void weight_gradient(std::span<const float> x, std::span<const float> g);
    void errors_back(std::span<const float> g, std::span<float> grad_in);
    /// Calls f(output position, tap) for every valid tap of input position (y, x).
    template <class F>
    void each_output(std::size_t y, std::size_t x, F f) const;

    ConvShape shape_;
    Shape out_shape_;
    std::vector<Parameter> parameters_;  ///< weight [tap][in channel][out channel], bias [out channel]
    std::vector<float> transposed_;      ///< weight [tap][out channel][in channel]
    std::vector<float> sum_;
};

}  // namespace loom::learn
