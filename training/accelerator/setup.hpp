// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <vector>

#include "training/accelerator/geometry.hpp"
#include "training/accelerator/layout.hpp"
#include "training/accelerator/task.hpp"

namespace loom::training {

/// Who feeds and follows an item of the work, and what that means for buffers.
struct ItemLinks {
    std::vector<std::uint32_t> users;  ///< items that read this one's output
    bool sums_stay = false;  ///< linear: its sums stay in the processing elements for the neurons that follow
    bool errors_stay = false;  ///< neurons: the error from above stays in the processing elements
};

/// A chip, one step's work and what follows from both: read by everything that makes tiles.
struct Setup {
    Setup(const arch::TrainingChip& chip, const BufferMap& buffers, const arch::TrainingWork& work);

    const arch::TrainingChip& chip;
    const BufferMap& buffers;
    const arch::TrainingWork& work;
    std::vector<ItemLinks> links;
    std::vector<Neighbours> forward, backward;  ///< by LinearWork
    /// By LinearWork; not empty: spikes that come through pooling one by one (schedule.spikes_through_pools),
    /// plane j holds the (j + 1)th spike of each input.
    std::vector<std::vector<arch::BitSignal>> planes;

    const arch::LinearWork& linear(std::uint32_t item) const { return work.linear[work.items[item].index]; }
    const arch::NeuronWork& neurons(std::uint32_t item) const { return work.neurons[work.items[item].index]; }
    const arch::ElementWork& element(std::uint32_t item) const {
        return work.elements[work.items[item].index];
    }
    /// Values trained in an item, biases included.
    std::uint64_t parameters(std::uint32_t item) const;
    /// Outputs of an item per sample and timestep, and bits of one of them.
    std::uint64_t outputs(std::uint32_t item) const;
    std::uint64_t output_bits(std::uint32_t item) const;
    /// Bits of one value of a linear layer's input.
    std::uint64_t input_bits(const arch::LinearWork& w) const { return binary(w) ? 1 : chip.bits.input; }
    bool binary(const arch::LinearWork& w) const { return w.binary_input || !planes[index_of(w)].empty(); }
    /// What is added up: the input, or its planes.
    std::vector<const arch::BitSignal*> signals(const arch::LinearWork& w) const;
    /// From forward to backward: a membrane word, a mask bit, or nothing.
    std::uint64_t kept_bits(const arch::NeuronWork& n) const;
    bool keeps_mask(const arch::NeuronWork& n) const;
    /// Neighbouring inputs that are added in one look-up in a layer's forward pass.
    std::size_t group(const arch::LinearWork& w) const {
        return binary(w) ? static_cast<std::size_t>(chip.lut_inputs) : 1;
    }
    /// An element-wise layer without operations (flatten).
    bool is_wiring(std::uint32_t item) const;
    /// The item behind wiring, or UINT32_MAX: the network's input.
    std::uint32_t origin(std::uint32_t item) const;
    /// A source that comes later in the list: what it gave in the timestep before (recurrent weights).
    static bool late(std::uint32_t item, std::uint32_t source) {
        return source != UINT32_MAX && source >= item;
    }
    bool recurrent() const;
    /// Timesteps over which a norm takes statistics of the whole minibatch; 0: none does.
    std::size_t statistics_steps() const;
    /// Whether g[t+1] enters g[t].
    bool joined(std::size_t t) const {
        return work.temporal && (work.truncate == 0 || (t + 1) % work.truncate != 0);
    }
    /// Forward of a linear layer at t needs no work: the input is that of t = 0.
    bool reused(const arch::LinearWork& w, std::size_t t) const {
        return w.constant_input && t > 0 && chip.schedule.reuse_constant_input;
    }

    void read(Task& task, Tensor where, TrainingEvent e, std::uint64_t n, std::uint64_t bits) const {
        move(task.read, task, where, e, n, bits);
    }
    void write(Task& task, Tensor where, TrainingEvent e, std::uint64_t n, std::uint64_t bits) const {
        move(task.write, task, where, e, n, bits);
    }

  private:
    std::size_t index_of(const arch::LinearWork& w) const {
        return static_cast<std::size_t>(&w - work.linear.data());
    }
    void through_pools();
    bool pooled_by_planes(std::uint32_t item) const;
    void move(std::array<std::uint64_t, kMaxBuffers>& ports, Task& task, Tensor where, TrainingEvent e,
              std::uint64_t n, std::uint64_t bits) const {
        task.count(e, n);
        if (const auto b = buffers.of(where)) ports[*b] += n * bits;
    }
};

}  // namespace loom::training
