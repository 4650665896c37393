// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <array>
#include <cstddef>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "arch/linear_shape.hpp"
#include "base/sparse_vector.hpp"
#include "compiler/ir/neuron_form.hpp"
#include "compiler/ir/nir_graph.hpp"

namespace loom::compiler {

using Shape = std::vector<std::size_t>;

/// What a key of a node may hold.
enum class KeyKind {
    Array,          ///< real numbers (bias, a scalar factor, a kernel)
    Matrix,         ///< real numbers [..., out, in]; a large one stays in its file
    PerElement,     ///< real numbers that broadcast to the output shape
    Positive,       ///< per element, > 0
    NonNegative,    ///< per element, >= 0
    Factor,         ///< per element; infinite where a time constant is (a neuron that never decays)
    Count,          ///< one integer >= 1
    Counts,         ///< `length` integers >= 1, one value stands for all
    Padding,        ///< `length` integers >= 0, one value stands for all
    PaddingOrName,  ///< the same, or "same" or "valid"
    Integer,        ///< one integer
    Flag,           ///< 0 or 1
    Declared,       ///< integers >= 1: the shape of an Input or Output
    InputShape,     ///< the same, equal to the shape of the (first) input; inferred if absent
    SecondShape,    ///< the same for port b
    SpatialShape,   ///< the input shape without the channels; inferred if absent
};

enum class Presence { Required, Default, Inferred };

struct KeyRule {
    std::string name;
    KeyKind kind;
    Presence need = Presence::Required;
    double fallback = 0;     ///< for Presence::Default
    std::size_t length = 1;  ///< for Counts and Padding
};

/// What a node is in a network.
enum class NodeRole : std::uint8_t {
    Input,    ///< a border: values enter here
    Output,   ///< a border: values leave here
    Linear,   ///< a linear map of one signal; LinearForm says which
    Neuron,   ///< a population with a state; NeuronForm says which
    Product,  ///< of two signals, which arrive at the ports "name.a" and "name.b"
};

/// Elements of a heterogeneous Delay that a projection stands for.
struct DelayMask {
    double steps = -1;  ///< only elements with this delay pass; < 0: all
    double dt = 1;      ///< seconds of a timestep
};

/// How a linear node acts, and what it is to hardware. Only `apply` is needed: a node that says nothing else
/// becomes explicit rows of weights, which every core has. Each further member lets the compiler do better.
struct LinearForm {
    /// out = W * in, without the bias. `in` may have elements in any order; `out` is empty at the call.
    std::function<void(const NirNode&, const SparseVector& in, SparseVector& out, const DelayMask&)> apply;
    /// Factors (one, or one per element) of a node that passes every element on to the element of the same
    /// number and does nothing else; empty for one that does more. Folded into the weights beside it.
    std::function<std::span<const double>(const NirNode&)> scale;
    /// Weights [out, in] of a node that is one dense matrix on a vector; nullptr for one that is not.
    std::function<const Tensor*(const NirNode&)> matrix;
    /// Seconds (one, or one per element) by which the node holds its input back.
    std::function<std::span<const double>(const NirNode&)> delay;
};

/// A convolution: weights [out channel][in channel of the group][taps] in the key "weight".
struct ConvForm {
    std::size_t axes = 2;  ///< of its maps, channels not counted: 1 or 2
    std::function<arch::LinearShape(const NirNode&)> shape;
    /// The keys of a node with this geometry, weights and bias excepted.
    std::function<void(const arch::LinearShape&, NirNode&)> write;
};

/// A sum or a mean over windows of each channel. Zeros around the map count in the mean, as in torch.
struct PoolForm {
    std::size_t axes = 2;  ///< of its maps, channels not counted: 1 or 2
    bool mean = false;
    std::function<arch::Window(const NirNode&)> window;
    /// The keys of a node with this window.
    std::function<void(const arch::Window&, NirNode&)> write;
};

/// One NIR type: its keys, its shapes, and what it does. Everything that is particular to a type is here; a
/// node holds its rule, so that nothing behind the import asks for a type by its name.
struct NodeRule {
    std::string type;
    NodeRole role = NodeRole::Linear;
    std::vector<KeyRule> keys;
    /// Output shape from the input shape (b: second port). Throws NodeProblem if they do not fit.
    std::function<Shape(const NirNode&, const Shape& a, const Shape& b)> output;
    /// Input shape as far as the node's own keys tell it.
    std::function<std::optional<Shape>(const NirNode&)> input;
    /// What it gives depends on earlier timesteps, so that it may close a loop.
    bool keeps_time = false;
    LinearForm linear = {};
    std::optional<ConvForm> conv = {};
    std::optional<PoolForm> pool = {};
    std::optional<NeuronForm> neuron = {};

    bool two_ports() const { return role == NodeRole::Product; }
    bool is_border() const { return role == NodeRole::Input || role == NodeRole::Output; }
    /// It feeds itself: a population without an input may still do something.
    bool integrates() const { return role == NodeRole::Neuron && keeps_time; }
    bool has_key(std::string_view name) const;
};

/// Factors of a node that passes its input on as it is.
inline constexpr std::array<double, 1> kUnscaled{1.0};

/// Integer keys as files have them.
Tensor integer(std::size_t value);
Tensor integers(const std::vector<std::size_t>& values);
/// Number `i` of an integer key; the last one stands for all that follow.
std::size_t whole(const NirNode& node, const char* key, std::size_t i = 0);

}  // namespace loom::compiler
