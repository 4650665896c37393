// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <vector>

#include "sim/arch/chip_spec.hpp"
#include "sim/arch/training_work.hpp"

namespace loom::training {

/// Part of a population on one core: positions first_position.. of its map, channels first_channel.. of each.
struct Block {
    std::uint32_t population = 0, core = 0;
    std::size_t first_position = 0, last_position = 0, first_channel = 0,
                last_channel = 0;  ///< last: exclusive
    std::uint64_t memory_bits = 0, arrays = 0;
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
    std::vector<std::uint32_t> to_input;  ///< [neuron]: input element of the matrix; UINT32_MAX: none
};

/// A matrix with what it joins. Populations are numbered as TrainingWork::neurons.
struct Feed {
    std::uint32_t linear = 0, target = 0;
    bool from_input = false;
    std::vector<SourceMap> sources;
    /// Source neurons (source number, neuron) of each input element.
    std::vector<std::vector<std::pair<std::uint32_t, std::uint32_t>>> back;
};

/// Element-wise layers (norms) that are computed where the population is.
struct Population {
    std::size_t height = 1, width = 1, channels = 1;
    std::uint32_t depth = 0;              ///< longest way from the input, in populations
    std::vector<std::uint32_t> feeds;     ///< matrices into it
    std::vector<std::uint32_t> elements;  ///< items of TrainingWork::elements on the way from its matrices
    std::vector<std::uint32_t> blocks;
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
    std::uint32_t max_depth = 0;
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
/// Weights, their gradients, optimiser state, and spikes, membranes and errors of all timesteps of one sample
/// must fit. MappingError with need and have; UnsupportedError for networks where neurons feed neurons
/// without a matrix.
Placement place_training(const arch::TrainingWork& work, const CoreRoom& room);

}  // namespace loom::training
