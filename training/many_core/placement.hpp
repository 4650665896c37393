// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "arch/chip_spec.hpp"
#include "arch/cim_core_spec.hpp"
#include "training/work/training_work.hpp"

namespace loom::training {

/// Part of a population on one core: positions first_position.. of its map, channels first_channel.. of each.
struct Block {
    std::uint32_t population = 0, core = 0;
    std::size_t first_position = 0, last_position = 0, first_channel = 0,
                last_channel = 0;  ///< last: exclusive
    std::uint64_t memory_bits = 0, arrays = 0;
    std::size_t neurons_before = 0;  ///< in earlier blocks of the population
    std::size_t channels() const { return last_channel - first_channel; }
    std::size_t neurons() const { return (last_position - first_position) * channels(); }
    bool holds(std::size_t position, std::size_t channel) const {
        return position >= first_position && position < last_position && channel >= first_channel &&
               channel < last_channel;
    }
};

/// Neurons of a source population and where the matrix sees them (through pooling and flattening).
struct SourceMap {
    std::uint32_t population = 0;
    std::vector<std::uint32_t> first{0}, inputs;
    /// Input elements of the matrix where a neuron is: none behind a border, several behind windows that
    /// overlap.
    std::span<const std::uint32_t> inputs_of(std::size_t neuron) const {
        return {inputs.data() + first[neuron], inputs.data() + first[neuron + 1]};
    }
};

/// What happens where packets of several neurons are for the same input element.
enum class Join : std::uint8_t {
    Each,   ///< spikes are added one by one (sums, mean pooling)
    First,  ///< one spike or several: the same (pooling by maximum)
    Sum     ///< values are added before they are multiplied
};

/// A matrix with what it joins. Populations are numbered as TrainingWork::neurons.
struct Feed {
    std::uint32_t linear = 0, target = 0;
    bool from_input = false;
    bool delayed = false;  ///< recurrent: takes what its population gave in the timestep before
    bool values = false;   ///< its inputs are values: packets carry them, and they are multiplied
    Join join = Join::Each;
    std::size_t window = 0;  ///< timesteps of the norm's statistics between it and its neurons; 0: none
    std::vector<SourceMap> sources;
    /// Source neurons (source number, neuron) of each input element.
    std::vector<std::vector<std::pair<std::uint32_t, std::uint32_t>>> back;
    /// Of an input element with so many source neurons, where all are sent.
    std::size_t packets(std::size_t neurons) const { return neurons + (from_input ? 1 : 0); }
};

/// An element-wise layer (pooling, sum, norm) that the cores of a population execute.
struct PlacedElement {
    std::uint32_t element = 0, item = 0;
    std::uint32_t linear = UINT32_MAX;  ///< the matrix that takes its outputs; none: neurons do
};

/// Work goes through a chip in pairs (timestep, sample), one pair per step of the chip. A population is so
/// many steps behind the first pair that enters.
struct Population {
    std::size_t height = 1, width = 1, channels = 1;
    std::vector<std::uint32_t> feeds;     ///< matrices into it
    std::vector<PlacedElement> elements;  ///< on the way from neurons to its matrices and from these to it
    std::vector<std::uint32_t> blocks;
    std::size_t window = 0;  ///< most timesteps of statistics before it; 0: none
    /// A channel's neurons are on several cores: partial sums of its statistics travel, which takes a step.
    bool statistics_travel = false;
    std::size_t sums_ready = 0;  ///< forward: all inputs have come
    std::size_t fires = 0;       ///< forward: neurons are updated; after statistics, if there are any
    std::size_t recursion = 0;   ///< backward: dL/du
    std::size_t errors_out = 0;  ///< backward: errors below its norms; after statistics, if there are any
};

/// Blocks of one population with the same channels share their weights: each core has a copy of the kernels.
struct SharedKernel {
    std::uint32_t owner = 0;            ///< block whose core updates the weights
    std::vector<std::uint32_t> copies;  ///< a block on each other core that has them
};

struct Placement {
    std::vector<SharedKernel> shared;
    std::vector<Population> populations;
    std::vector<Feed> feeds;
    std::vector<Block> blocks;
    std::vector<std::vector<std::uint32_t>> blocks_of_core;  ///< [core]
    /// Samples whose state is on the chip together: the minibatch where norms take statistics of it or
    /// weights change at every timestep, else 1.
    std::size_t samples = 1;
    /// Steps after which a pair has passed all populations.
    std::size_t forward_steps = 1, backward_steps = 0;
};

/// What a core can hold and how wide things are there.
struct CoreRoom {
    std::size_t cores = 1;
    std::uint64_t memory_bits = 0, max_neurons = 0;
    std::uint64_t weight_bits = 16, gradient_bits = 32, state_bits = 32, membrane_bits = 16, error_bits = 16;
    /// Weights are in arrays instead of memory; null: none. A kernel is then on one core for all positions.
    const arch::CimCoreSpec* cim = nullptr;
};

/// Cuts populations into blocks and gives them to cores: each block to the emptiest core that has room.
/// Weights, their gradients, optimiser state, and spikes, membranes and errors of all timesteps of
/// Placement::samples must fit. MappingError with need and have; UnsupportedError for networks where neurons
/// feed neurons without a matrix, for matrices without neurons, and for norms elsewhere than between the two.
Placement place_training(const arch::NetworkLayout& work, const CoreRoom& room);

}  // namespace loom::training
