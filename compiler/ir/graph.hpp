// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "compiler/ir/nir_graph.hpp"

namespace loom::compiler {

/// A population: everything that has state or is a border of the graph. `node` is an index into the
/// NIR model; a read-out without a neuron is the Output node itself.
struct Population {
    std::string name;
    std::uint32_t node = 0;
    std::vector<std::size_t> shape;
    std::uint32_t count = 0;
    std::vector<double> bias;  ///< [count] constant input of every step, or empty
    std::uint32_t skew = 0;    ///< chip timestep of its algorithmic step 0
    bool is_input = false;
};

/// A linear map between two populations as a chain of NIR nodes, never as a matrix.
struct Projection {
    std::uint32_t source = 0, target = 0;  ///< populations
    std::vector<std::uint32_t> chain;      ///< NIR nodes in order of evaluation
    std::uint32_t delay = 0;               ///< algorithmic timesteps
    std::uint32_t chip_delay = 1;          ///< after balancing
    double mask_delay = -1;                ///< heterogeneous Delay: only elements with this delay
};

struct Graph {
    const NirModel* model = nullptr;
    std::vector<Population> populations;
    std::vector<Projection> projections;
    std::uint32_t input = 0, output = 0;
    std::uint32_t max_skew = 0;
};

}  // namespace loom::compiler
