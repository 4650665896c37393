// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "training/learn/constant_product.hpp"
#include "training/learn/layer.hpp"

namespace loom::learn {

/// out = W in (+ bias). Work follows the inputs (forward, weight gradient) and errors (backward) that are not
/// zero.
class Dense final : public LinearLayer {
  public:
    Dense(std::size_t inputs, std::size_t outputs, bool bias);
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

  private:
    void weighted_sum(std::span<const float> x, std::span<float> y, std::size_t group);

    std::size_t n_in_, n_out_;
    std::vector<Parameter> parameters_;  ///< weight [in][out], bias [out]
    std::vector<float> transposed_;      ///< weight [out][in], made when needed
    std::vector<float> group_sum_;
    ConstantProduct constant_;
};

}  // namespace loom::learn
