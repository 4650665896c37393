// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "training/work/bit_signal.hpp"
#include "arch/linear_shape.hpp"

namespace loom::arch {

/// Pairs of analogue cells that hold a matrix, and the programming pulses of the update in place.
/// [weight][2]: the cell that raises the weight, the cell that lowers it; weights are [tap][in channel][out
/// channel].
struct CellWork {
    std::vector<float> conductance;    ///< before the update, 0 (Gmin) to 1 (Gmax)
    std::vector<std::int32_t> pulses;  ///< > 0: SET, < 0: RESET
    std::uint64_t worn = 0;            ///< cells that ended their life in this update
    std::uint64_t most_pulses = 0;     ///< that a cell has had in its life, this update included
};

/// A matrix that is trained (a dense layer, a convolution or recurrent weights), whatever its signals.
struct LinearLayout {
    std::string name;
    LinearShape shape;
    bool bias = false;
    bool binary_input = true;     ///< spikes: an accumulate (AC) each; false: a multiply-accumulate (MAC)
    bool constant_input = false;  ///< the same values at every timestep
    bool sends_error = true;      ///< false: nothing below is trained, no error is computed for its input
    bool operator==(const LinearLayout&) const = default;
};
/// Training of one matrix with real signals.
struct LinearWork : LinearLayout {
    std::uint64_t spikes_before_pool =
        0;             ///< spikes that fed it when pooling lies between (else ones of `input`)
    BitSignal input;   ///< values that are not zero
    BitSignal trace;   ///< OTTT: traces that are not zero; else empty
    BitSignal error;   ///< dL/d output that are not zero
    BitSignal wanted;  ///< inputs whose error is of use: h != 0 (behind pooling: any h of the window)
    CellWork cells;    ///< empty unless weights are updated in place
};

/// A population of neurons that is trained, whatever its signals.
struct NeuronLayout {
    std::string name;
    std::size_t count = 0;
    bool fires = true, hard_reset = true;
    bool leaks = true;             ///< false: integrate and fire, no leak multiplication
    bool adaptive = false;         ///< a threshold with a state of its own (ALIF)
    bool filters_current = false;  ///< a current with a state of its own (CUBA)
    bool learns_leak = false;      ///< PLIF
    bool scales_input = false;     ///< PLIF whose gain is 1 - leak: it is multiplied with the current
    bool rectifier = false;  ///< of an ANN: values, no state; a comparison each way, counted as an addition
    bool learns_window = false;  ///< LSG with a trained width
    /// State words of one neuron.
    unsigned states() const { return 1U + (adaptive ? 1U : 0U) + (filters_current ? 1U : 0U); }
    /// State words of its errors that pass from timestep to timestep beside dL/du.
    unsigned carried_errors() const { return (adaptive ? 1U : 0U) + (filters_current ? 1U : 0U); }
    unsigned parameters() const { return (learns_leak ? 1U : 0U) + (learns_window ? 1U : 0U); }
    unsigned lut = 0, compare = 0, multiply = 0, add = 0, shift = 0,
             divide = 0;  ///< one surrogate evaluation
    bool operator==(const NeuronLayout&) const = default;
};
/// Training of one population of neurons with real signals.
struct NeuronWork : NeuronLayout {
    BitSignal spikes;
    BitSignal error;       ///< dL/du that are not zero
    BitSignal derivative;  ///< h != 0
};

/// Where an element-wise layer puts its inputs: same place, the windows that have them, or channel-first
/// order of a vector.
enum class ElementMove : std::uint8_t { Same, Pool, Flatten };

struct ElementOperations {
    std::uint64_t add = 0, multiply = 0, divide = 0, sqrt = 0;
    std::uint64_t all() const { return add + multiply + divide + sqrt; }
    ElementOperations& operator+=(const ElementOperations& o) {
        add += o.add, multiply += o.multiply, divide += o.divide, sqrt += o.sqrt;
        return *this;
    }
    friend ElementOperations operator+(ElementOperations a, const ElementOperations& b) { return a += b; }
    friend ElementOperations operator/(const ElementOperations& a, std::uint64_t n) {
        return {a.add / n, a.multiply / n, a.divide / n, a.sqrt / n};
    }
    friend ElementOperations operator-(ElementOperations a, const ElementOperations& b) {
        a.add -= b.add, a.multiply -= b.multiply, a.divide -= b.divide, a.sqrt -= b.sqrt;
        return a;
    }
};

/// An element-wise layer (pooling, a sum, a norm), whatever there is to do.
struct ElementLayout {
    std::string name;
    ElementMove move = ElementMove::Same;
    std::size_t in_h = 1, in_w = 1, in_c = 1;  ///< of Pool and Flatten
    std::size_t out_h = 1, out_w = 1;          ///< of Pool
    Window window = {};                        ///< of Pool
    /// Calls f(output element) for every output that input element i is in: none of what is dropped at the
    /// border, several where windows overlap.
    template <class F>
    void each_output(std::size_t i, F f) const {
        if (move == ElementMove::Same) return f(i);
        const std::size_t c = i % in_c, x = i / in_c % in_w, y = i / in_c / in_w;
        if (move == ElementMove::Flatten) return f((c * in_h + y) * in_w + x);
        window.rows.each_output(y, out_h, [&](std::size_t row, std::size_t) {
            window.columns.each_output(
                x, out_w, [&](std::size_t column, std::size_t) { f((row * out_w + column) * in_c + c); });
        });
    }
    std::uint64_t outputs = 0;  ///< of one timestep and sample
    std::uint64_t parameters = 0;
    /// Norms: timesteps that share statistics over the whole minibatch; 0: no statistics.
    std::size_t statistics_steps = 0;
    bool operator==(const ElementLayout&) const = default;
};
/// Its work: operations of the whole minibatch.
struct ElementWork : ElementLayout {
    ElementOperations forward, backward;
    /// Norms, of the operations above: the sums of statistics, made as values come, and what is done once for
    /// each statistic (channel and window). What is left is done value by value when statistics are known.
    ElementOperations forward_sums, forward_statistics, backward_sums, backward_statistics;
    /// Operations of more timesteps.
    void add(const ElementWork& more);
};

enum class WorkKind : std::uint8_t { Linear, Neuron, Element };
/// Reference to one item of TrainingWork, in the order of the forward pass.
struct WorkItem {
    WorkKind kind;
    std::uint32_t index;
    /// Items; UINT32_MAX: the network's input. Recurrent weights come right before their population and have
    /// it as source: what a later item gave in the timestep before.
    std::vector<std::uint32_t> sources;
    bool operator==(const WorkItem&) const = default;
};

/// How a step of training goes: what is the same in all steps of a training.
struct StepLayout {
    std::size_t steps = 0, batch = 0;
    std::vector<WorkItem> items;
    bool temporal = true;  ///< errors through time (BPTT); false: SLTT, OTTT
    bool detach_reset = true;
    bool traces = false;  ///< OTTT
    std::size_t truncate = 0;
    std::size_t updates = 1;  ///< optimiser updates in this step (OTTT-O: one per timestep)
    /// Optimiser, per weight and update.
    unsigned update_multiply = 1, update_add = 1, update_sqrt = 0, update_divide = 0, state_words = 0;
    std::uint64_t parameters = 0;  ///< all trained values
    bool operator==(const StepLayout&) const = default;
};

/// One optimiser step on one minibatch: what every engine executes. Values are known, so are all zeros.
struct TrainingWork : StepLayout {
    std::vector<LinearWork> linear;
    std::vector<NeuronWork> neurons;
    std::vector<ElementWork> elements;
};

/// A TrainingWork without its signals: what the place of everything on a chip follows from.
struct NetworkLayout : StepLayout {
    NetworkLayout() = default;
    /// cost: a copy of the layout alone.
    NetworkLayout(const TrainingWork& work);  // NOLINT: a work is taken for its layout
    std::vector<LinearLayout> linear;
    std::vector<NeuronLayout> neurons;
    std::vector<ElementLayout> elements;
    bool operator==(const NetworkLayout&) const = default;
};

}  // namespace loom::arch
