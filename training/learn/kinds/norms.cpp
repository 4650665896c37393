// SPDX-License-Identifier: Apache-2.0
#include "training/learn/layer_kinds.hpp"
#include "training/learn/norms/batch_norm.hpp"
#include "training/learn/norms/tdbn.hpp"

namespace loom::learn {
namespace {

NormSpec norm(const LayerContext& c) {
    NormSpec s;
    s.epsilon = static_cast<float>(c.spec.epsilon.value_or(double{s.epsilon}));
    s.momentum = static_cast<float>(c.spec.momentum.value_or(double{s.momentum}));
    s.affine = c.spec.affine.value_or(true);
    return s;
}

}  // namespace

std::unique_ptr<Layer> make_batch_norm(const LayerContext& c) {
    return std::make_unique<BatchNorm>(c.in, norm(c));
}

std::unique_ptr<Layer> make_td_batch_norm(const LayerContext& c) {
    return std::make_unique<TdBatchNorm>(c.in, static_cast<float>(c.spec.alpha.value_or(1)),
                                         static_cast<float>(c.spec.threshold.value_or(1)), norm(c));
}

}  // namespace loom::learn
