// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <optional>

#include "training/learn/layer.hpp"

namespace loom::learn {

class Surrogate;
struct AdaptationSpec;

/// Constants of a population, one value per neuron. Parts may change them at the start of a pass.
struct NeuronConstants {
    std::vector<float> leak, gain, drift, threshold, reset_value;
};

/// One timestep of one sample, forward.
struct NeuronRow {
    std::size_t t, b;                      ///< of the pass
    std::span<const float> spikes_before;  ///< of t - 1
    std::span<float> current, threshold;   ///< a part may change both
};

/// One timestep of one sample, backward.
struct NeuronErrorRow {
    std::size_t t, b;
    bool joined;                                            ///< errors of t + 1 reach t
    std::span<const float> spikes_before, membrane_before;  ///< of t - 1; the membrane after its reset
    std::span<const float> current;  ///< as it reached the membranes; empty unless wants_currents()
    std::span<const float> x, h;     ///< membrane - threshold; the surrogate derivative there
    std::span<float> z;              ///< dL/ds[t]
    std::span<const float> g;        ///< dL/du[t]
    std::span<float> grad_current;   ///< dL/d current[t]
};

/// What a neuron has besides membrane, leak, threshold and reset: adaptation, a synaptic filter, recurrent
/// weights, trained constants. One call per timestep and sample; parts are called in their order forward, in
/// the opposite order backward.
class NeuronPart {
  public:
    virtual ~NeuronPart() = default;
    /// Parameters are added to `parameters`, which outlives the part.
    virtual void attach(const Shape&, NeuronConstants&, std::vector<Parameter>&) {}
    /// Start of a pass; pass.first = 0: of a sample. Evaluates parameters.
    virtual void begin(const Pass&, NeuronConstants&) {}
    virtual void forward(const NeuronRow&) {}
    /// Start of the backward pass.
    virtual void begin_backward(const Pass&) {}
    /// Adds to z what t + 1 says of the spikes of t.
    virtual void spike_error(const NeuronErrorRow&) {}
    /// z, h, g of t are known: parameter gradients, own error through time, changes to grad_current.
    virtual void backward(const NeuronErrorRow&) {}
    /// End of the backward pass.
    virtual void end_backward() {}

    virtual bool changes_currents() const { return false; }
    virtual bool wants_currents() const { return false; }
    virtual bool varies_threshold() const { return false; }
    virtual const Recurrence* recurrence() const { return nullptr; }
    /// In place of the layer's surrogate, if not null.
    virtual const Surrogate* surrogate() const { return nullptr; }
    virtual void describe(arch::NeuronWork&) const {}
    /// What is left of the current after a timestep, if it decays.
    virtual std::optional<float> current_decay() const { return std::nullopt; }
    /// How spikes raise the threshold, if they do.
    virtual const AdaptationSpec* adaptation() const { return nullptr; }
    /// Values of a parameter in the order of files, and back; square matrices are transposed.
    virtual std::size_t matrix_rows() const { return 0; }
};

}  // namespace loom::learn
