// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "training/learn/constant_product.hpp"
#include "training/learn/layer.hpp"

namespace loom::learn {

/// Geometry of a convolution (cross-correlation as in torch) with zero padding. Group n: the nth part of the
/// output channels sees the nth part of the input channels.
struct ConvShape {
    Shape in;
    std::size_t channels = 1;  ///< of the output
    arch::Window window = {};
    std::size_t groups = 1;  ///< divides both numbers of channels
    bool line = false;       ///< one-dimensional: maps and kernels of one row, files without that axis
    Shape out() const { return {window.rows.outputs(in.height), window.columns.outputs(in.width), channels}; }
    std::size_t group_inputs() const { return in.channels / groups; }
    std::size_t group_outputs() const { return channels / groups; }
    std::size_t weights() const { return group_inputs() * window.taps() * channels; }
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
        constant_.forget();
    }
    std::vector<float> exported(std::size_t p, bool gradient) override;
    void import(std::size_t p, std::span<const float> values) override;
    std::vector<std::size_t> file_shape(std::size_t p) override;
    arch::LinearShape linear_shape() const override;
    bool has_bias() const override { return parameters_.size() > 1; }
    const ConvShape& shape() const { return shape_; }

  private:
    std::size_t file_index(std::size_t i) const;
    void weighted_sum(std::span<const float> x, std::span<float> y, std::size_t sum_group);
    void weight_gradient(std::span<const float> x, std::span<const float> g);
    void errors_back(std::span<const float> g, std::span<float> grad_in);
    void transpose_weights();
    /// Calls f(output position, tap) for every valid tap of input position (y, x).
    template <class F>
    void each_output(std::size_t y, std::size_t x, F f) const;

    ConvShape shape_;
    Shape out_shape_;
    /// weight [tap][in channel][out channel of its group], bias [out channel]
    std::vector<Parameter> parameters_;
    std::vector<float> transposed_;  ///< weight [tap][out channel][in channel of its group]
    std::vector<float> sum_;
    ConstantProduct constant_;
};

}  // namespace loom::learn
