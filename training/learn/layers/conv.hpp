// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "training/learn/constant_product.hpp"
#include "training/learn/layer.hpp"

namespace loom::learn {

/// The convolution of a map to so many channels.
arch::LinearShape conv_shape(const Shape& in, std::size_t channels, const arch::Window& window,
                             std::size_t groups = 1);

/// out = W * in (+ bias per channel). Work follows the inputs and errors that are not zero; taps in the
/// padding cost nothing.
class Conv final : public LinearLayer {
  public:
    /// line: one-dimensional, with maps and kernels of one row; files do not have that axis.
    Conv(const arch::LinearShape& shape, bool bias, bool line = false);
    void forward(const Pass& pass, const Signal& in, Signal& out) override;
    void backward(const Pass& pass, const Signal& in, const Signal& out, const Signal& grad_out,
                  Signal* grad_in) override;
    std::span<Parameter> parameters() override { return parameters_; }
    void updated() override {
        LinearLayer::updated();
        transposed_.clear();
        constant_.forget();
    }
    std::vector<float> exported(std::size_t p, bool gradient) override;
    void import(std::size_t p, std::span<const float> values) override;
    std::vector<std::size_t> file_shape(std::size_t p) override;
    arch::LinearShape linear_shape() const override { return shape_; }
    bool has_bias() const override { return parameters_.size() > 1; }
    bool line() const { return line_; }

  private:
    std::size_t file_index(std::size_t i) const;
    void weighted_sum(std::span<const float> x, std::span<float> y, std::size_t sum_group);
    void weight_gradient(std::span<const float> x, std::span<const float> g);
    void errors_back(std::span<const float> g, std::span<float> grad_in);
    void transpose_weights();
    arch::LinearShape shape_;
    bool line_;
    /// weight [tap][in channel][out channel of its group], bias [out channel]
    std::vector<Parameter> parameters_;
    std::vector<float> transposed_;  ///< weight [tap][out channel][in channel of its group]
    std::vector<float> sum_;
    ConstantProduct constant_;
};

}  // namespace loom::learn
