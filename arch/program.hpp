// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "arch/linear_shape.hpp"
#include "arch/lost.hpp"
#include "arch/neuron_group.hpp"
#include "base/ids.hpp"
#include "base/sparse_vector.hpp"

/// What the compiler hands to the simulator: plain data, no behaviour.
namespace loom::arch {

/// Weights of one slice; slices that hold the same numbers share the host's copy (the modelled cores
/// are each charged their own).
struct WeightBlock {
    std::variant<std::vector<std::int8_t>, std::vector<std::int16_t>, std::vector<double>> values;
};

/// Rows of a full matrix: axon a -> weights[a * columns ... + columns) onto neurons first...
struct DenseRows {
    std::uint32_t columns = 0;
};
/// Explicit rows: axon a -> entries [row[a], row[a+1]) of (target, weight).
struct SparseRows {
    std::vector<std::uint32_t> row;
    std::vector<std::uint32_t> target;  ///< relative to neuron_first
};
/// A shared kernel and an address generator: a slice of a convolution is a convolution itself, from the part
/// of the input map that the slice sees (axons [h][w][ci], ci fastest) to its tile of the output map (neurons
/// [h][w][co], co fastest); zeros count from the edge of that part, and `groups` says nothing. Weights:
/// [ci][kh][kw][columns(ci)], where columns(ci) are the output channels of the tile that input channel ci
/// reaches (all of them without groups): co_first[ci], co_count[ci] relative to the tile, weight_at[ci].
struct ConvRows {
    LinearShape shape;
    std::vector<std::uint32_t> co_first, co_count, weight_at;  ///< [in_c]
};

/// One slice of one projection on one core: a range of input axons and where their rows go.
struct AxonGroup {
    LayerId target{};
    LayerId source{};
    std::uint32_t projection = 0;  ///< index into Program::projections
    std::uint32_t first = 0;       ///< first axon of the core's axon table
    std::uint32_t count = 0;
    std::uint32_t neuron_first = 0;  ///< first neuron of the slice within the core (PsumGroup: first sum)
    std::uint8_t delay = 1;          ///< timesteps until the input counts, >= 1
    std::uint8_t shift = 0;          ///< fixed: the payload is shifted left by this before use
    bool analogue = false;           ///< input is graded: operations count as MAC, else AC
    std::uint32_t copies = 1;        ///< the matrix is in the store so many times, for throughput
    bool real_payload = false;       ///< float64: the payload holds the bits of a double
    std::variant<DenseRows, SparseRows, ConvRows> rows;
    std::shared_ptr<const WeightBlock> weights;
};

struct FanoutEntry {
    EndpointId core{};
    std::uint32_t axon = 0;
};
/// Compressed rows: source element n -> entries [row[n], row[n+1]).
struct FanoutTable {
    std::vector<std::uint32_t> row{0};
    std::vector<FanoutEntry> entries;
};

/// A slice whose neurons are on another core, their owner. Its sums are sent there in every timestep of
/// the layer, several in a packet (arch/psum_packets.hpp).
struct PsumGroup {
    LayerId layer{};
    std::uint32_t first = 0;  ///< first sum within the core; sums follow on the core's neurons
    std::uint32_t count = 0;
    std::uint32_t start_step = 0;  ///< as of the neurons
    std::uint32_t row = 0;         ///< rows of the fan-out table, one per packet, with one entry each
};
/// The same at the owner.
struct PsumInput {
    EndpointId from{};
    std::uint32_t axon = 0;          ///< of its first packet: packets are numbered behind the core's axons
    std::uint32_t neuron_first = 0;  ///< within the core
    std::uint32_t count = 0;
};

/// A group as a matrix: rows (inputs of an output position) x outputs, read once per position. neurons: of
/// its slice.
struct MatrixSize {
    std::uint64_t rows = 0, outputs = 0, positions = 1;
    /// Positions that one of several copies serves, at most.
    std::uint64_t positions_of_copy(std::uint64_t copies) const { return (positions + copies - 1) / copies; }
};
inline MatrixSize matrix_of(const AxonGroup& g, std::uint64_t neurons) {
    if (const auto* c = std::get_if<ConvRows>(&g.rows)) {
        const LinearShape& s = c->shape;
        return {s.window.taps() * s.in_c, s.out_c, s.out_h * s.out_w};
    }
    return {g.count, neurons, 1};
}

/// Everything one core holds.
struct CoreImage {
    EndpointId endpoint{};
    std::uint32_t kind = 0;  ///< of the chip's kinds of cores
    std::vector<NeuronGroup> neurons;
    std::vector<AxonGroup> axons;
    FanoutTable fanout;  ///< [neurons of the core, then packets of partial sums]
    std::vector<PsumGroup> psums_out;
    std::vector<PsumInput> psums_in;
    std::uint32_t n_neurons = 0;
    std::uint32_t n_axons = 0;
    std::uint64_t store = 0;  ///< what its weights take, in the unit of the kind's WeightStore

    /// Neurons, and sums for other cores.
    std::uint32_t n_sums() const {
        return psums_out.empty() ? n_neurons : psums_out.back().first + psums_out.back().count;
    }
    /// Neurons (or sums) of the slice that a group of axons leads to; 0: there is none.
    std::uint32_t targets_of(const AxonGroup& a) const {
        for (const NeuronGroup& n : neurons) {
            if (n.first == a.neuron_first) return n.count;
        }
        for (const PsumGroup& s : psums_out) {
            if (s.first == a.neuron_first) return s.count;
        }
        return 0;
    }
};

/// A population of the network, for reports and records.
struct LayerInfo {
    std::string name;
    std::string kind;  ///< "LIF", "CubaLIF", "Input", "Readout", ...
    std::vector<std::size_t> shape;
    std::uint32_t count = 0;
    std::uint32_t skew = 0;  ///< chip timestep of algorithmic step 0
    bool fires = true;
    bool is_input = false;
    double lsb = 1.0;  ///< fixed: one membrane LSB, in normalised units (docs/concepts/fixed-point.md)
    std::vector<double> gain{1.0};  ///< network units per normalised unit; one, or one per neuron
    double ann_macs = 0;            ///< MACs of the same-shape ANN for one inference, padding not counted
    double dense_flops = 0;         ///< the same with padding counted (the papers' FLOPs)
    LayerLoss loss;                 ///< fixed: what its numbers lose
};

struct ProjectionInfo {
    std::string name;
    LayerId source{}, target{};
    std::uint32_t delay = 1;
    bool analogue = false;
    std::string kind;  ///< dense, conv, sparse, host
    double ann_macs = 0;
    double dense_flops = 0;
};

/// Analogue input of a chip without graded spikes: the host computes the layer's input currents in
/// float64, off-chip work.
struct HostCurrent {
    LayerId target{};
    std::uint32_t delay = 0;  ///< algorithmic timesteps
    double macs = 0;          ///< of one evaluation
    /// (input element, value) -> current of every neuron of the layer, in the network's units.
    std::function<std::vector<double>(const SparseVector&)> compute;
};

struct Program {
    bool fixed = true;
    std::uint32_t max_skew = 0;
    std::vector<LayerInfo> layers;
    std::vector<ProjectionInfo> projections;
    std::vector<CoreImage> cores;
    LayerId input{};
    FanoutTable input_fanout;   ///< [input elements]
    double input_lsb = 1.0;     ///< value of payload 1 (fixed)
    bool input_graded = false;  ///< payload carries a value
    std::vector<HostCurrent> host_currents;
    std::uint64_t device_seed = 1;  ///< of what differs between chips of one design
    LayerId output{};
};

}  // namespace loom::arch
