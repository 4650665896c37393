// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "training/learn/layer.hpp"

namespace loom::learn {

/// A trainable network: layers in an order in which sources come first. Keeps the signals of the last pass.
class Network {
  public:
    static constexpr std::uint32_t kInput = UINT32_MAX;
    struct Node {
        std::unique_ptr<Layer> layer;
        std::vector<std::uint32_t> sources;  ///< nodes, or kInput; their outputs are added
        Signal out, grad;                    ///< of the last pass; grad: dL/d out
        Signal sum;                          ///< of several sources
        bool trains_below = false;           ///< something below has parameters: errors go there
    };

    explicit Network(const Shape& input) : input_shape_(input) {}
    /// Sources must have been added before; their shapes must agree with the layer's (InternalError).
    std::uint32_t add(std::unique_ptr<Layer> layer, std::vector<std::uint32_t> sources);

    /// Computes all layers; the input stays referenced until backward() is done.
    void forward(const Pass& pass, const Signal& input);
    /// output_gradient(): filled by the loss before.
    void backward(const Pass& pass);
    /// In place of backward() for timesteps without an error: all gradients of signals are zero.
    void no_errors(const Pass& pass);
    void clear_gradients();
    void updated();

    const Shape& input_shape() const { return input_shape_; }
    const Signal& output() const { return nodes_.back().out; }
    /// Zero, in the shape of the output.
    Signal& output_gradient();
    const Signal& input_of(const Node& node) const;
    std::vector<Node>& nodes() { return nodes_; }
    const std::vector<Node>& nodes() const { return nodes_; }
    /// nullptr when there is no node of that name.
    Node* find(const std::string& name);
    /// Every parameter with its layer, in a fixed order.
    std::vector<std::pair<Layer*, std::size_t>> parameters();
    /// Calls f(LinearLayer&) for every matrix whose products are not float32.
    template <class F>
    void each_arithmetic(F f) const {
        for (const Node& n : nodes_)
            if (auto* layer = dynamic_cast<LinearLayer*>(n.layer.get());
                layer != nullptr && layer->arithmetic)
                f(*layer);
    }
    std::size_t weights() const;

  private:
    Shape input_shape_;
    std::vector<Node> nodes_;
    const Signal* input_ = nullptr;
};

}  // namespace loom::learn
