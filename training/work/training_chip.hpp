// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "arch/energy_spec.hpp"
#include "arch/sparsity_rules.hpp"
#include "base/fields.hpp"

namespace loom::arch {

/// Processing elements: a row works on one output position (forward, backward) or one kernel element (weight
/// gradient) at a time, columns on neighbouring channels.
struct TrainingArraySpec {
    std::uint64_t rows = 8, columns = 16, accumulators = 4;
    std::uint64_t neuron_cycles = 1, tile_cycles = 1, divide_cycles = 16;
    std::uint64_t elements() const { return rows * columns; }
};
template <class V>
void fields(V& v, TrainingArraySpec& s) {
    v("rows", s.rows, {.doc = "rows of processing elements", .min = 1, .max = 4096});
    v("columns", s.columns, {.doc = "processing elements of a row", .min = 1, .max = 4096});
    v("accumulators", s.accumulators, {.doc = "sums that one of them holds", .min = 1, .max = 65536});
    v("neuron_cycles", s.neuron_cycles,
      {.doc = "cycles per membrane update or error recursion", .unit = Unit::CycleCount, .min = 1});
    v("tile_cycles", s.tile_cycles, {.doc = "cycles to start a tile", .unit = Unit::CycleCount});
    v("divide_cycles", s.divide_cycles,
      {.doc = "cycles per division or square root", .unit = Unit::CycleCount, .min = 1});
}

/// An on-chip buffer that reads and writes `banks` words of `port` bits side by side per cycle.
struct TrainingBufferSpec {
    std::string name;
    std::vector<std::string> holds;
    std::uint64_t capacity = 0, port = 128, banks = 1;
};
template <class V>
void fields(V& v, TrainingBufferSpec& s) {
    v("name", s.name, {.doc = "of the buffer", .required = true});
    v("holds", s.holds,
      {.doc = "weights, spikes, membranes, errors, masks, gradients, tables, state", .required = true});
    v("capacity", s.capacity, {.doc = "size", .unit = Unit::Memory, .min = 1, .required = true});
    v("port", s.port,
      {.doc = "bits of a bank's port, per cycle and direction", .unit = Unit::Memory, .min = 1});
    v("banks", s.banks, {.doc = "banks that serve side by side", .min = 1, .max = 65536});
}

struct TrainingDramSpec {
    std::uint64_t bytes_per_cycle = 16, latency = 40, burst = 64;
};
template <class V>
void fields(V& v, TrainingDramSpec& s) {
    v("bytes_per_cycle", s.bytes_per_cycle, {.doc = "bandwidth, both directions together", .min = 1});
    v("latency", s.latency, {.doc = "first byte of a transfer", .unit = Unit::CycleCount});
    v("burst", s.burst, {.doc = "bytes; transfers are rounded up to it", .min = 1});
}

/// Widths, in bits.
struct TrainingBits {
    std::uint64_t weight = 16, membrane = 16, error = 16, gradient = 16, state = 16, input = 16;
};
template <class V>
void fields(V& v, TrainingBits& s) {
    v("weight", s.weight, {.doc = "bits of a weight", .min = 1, .max = 64});
    v("membrane", s.membrane,
      {.doc = "bits of a membrane (and of a presynaptic trace)", .min = 1, .max = 64});
    v("error", s.error, {.doc = "bits of an error", .min = 1, .max = 64});
    v("gradient", s.gradient, {.doc = "bits of a weight gradient", .min = 1, .max = 64});
    v("state", s.state, {.doc = "bits of a word of optimiser state", .min = 1, .max = 64});
    v("input", s.input, {.doc = "bits of an input that is no spike", .min = 1, .max = 64});
}

/// time: all layers of a timestep, then the next; layer: all timesteps of a layer, then the next.
enum class LoopOrder { Time, Layer };
inline std::span<const std::string_view> enum_names(LoopOrder*) {
    static constexpr std::array<std::string_view, 2> names{"time", "layer"};
    return names;
}
/// Kept from forward to backward: membranes; derivative masks where they suffice (a rectangle with the reset
/// detached), else membranes; or spikes alone, and forward is done again.
enum class KeepRule { Membranes, Masks, Recompute };
inline std::span<const std::string_view> enum_names(KeepRule*) {
    static constexpr std::array<std::string_view, 3> names{"membranes", "masks", "recompute"};
    return names;
}
/// When gradients of weights are summed: after the errors of all timesteps are known, or in each timestep.
enum class GradientRule { AtEnd, EachTimestep };
inline std::span<const std::string_view> enum_names(GradientRule*) {
    static constexpr std::array<std::string_view, 2> names{"at_end", "each_timestep"};
    return names;
}
/// How weights lie in their banks: skewed (rows and columns without conflict), or linear (columns conflict).
enum class WeightLayout { Skewed, Linear };
inline std::span<const std::string_view> enum_names(WeightLayout*) {
    static constexpr std::array<std::string_view, 2> names{"skewed", "linear"};
    return names;
}

struct TrainingScheduleSpec {
    LoopOrder order = LoopOrder::Time;
    KeepRule keep = KeepRule::Masks;
    GradientRule gradients = GradientRule::AtEnd;
    WeightLayout weight_layout = WeightLayout::Skewed;
    std::uint64_t batch_block = 0, prefetch = 4;
    bool double_buffer = true, reuse_constant_input = true, leak_shift = true;
    bool spikes_through_pools = false;
};
template <class V>
void fields(V& v, TrainingScheduleSpec& s) {
    v("order", s.order, {.doc = "outer loop: time or layer"});
    v("keep", s.keep, {.doc = "from forward to backward: membranes, masks (where enough) or recompute"});
    v("gradients", s.gradients, {.doc = "weight gradients: at_end or each_timestep"});
    v("weight_layout", s.weight_layout,
      {.doc = "skewed, or linear: the transposed access conflicts in banks"});
    v("batch_block", s.batch_block,
      {.doc = "samples trained together; 0: the block of fewest cycles beside arithmetic"});
    v("prefetch", s.prefetch, {.doc = "tiles that DRAM loads ahead", .min = 1, .max = 64});
    v("double_buffer", s.double_buffer, {.doc = "operands of the next tile stream while one computes"});
    v("reuse_constant_input", s.reuse_constant_input,
      {.doc = "a constant input is multiplied once, not in every timestep"});
    v("spikes_through_pools", s.spikes_through_pools,
      {.doc = "each spike behind an average pooling is added by itself, instead of the pooled value "
              "multiplied"});
    v("leak_shift", s.leak_shift, {.doc = "leaks are powers of two: a shift instead of a multiplication"});
}

/// A chip that trains: `kind`, processing elements, buffers, DRAM, prices.
struct TrainingChip {
    std::string name, source;
    std::string kind = "sata";
    double clock_period = 2500;  ///< ps
    SparsityRules sparsity;
    TrainingArraySpec array;
    std::optional<TrainingArraySpec> backward_array, update_array;
    std::uint64_t lut_inputs = 1;
    bool multiplies_spikes = false;
    std::vector<TrainingBufferSpec> buffers;
    TrainingDramSpec dram;
    TrainingBits bits;
    TrainingScheduleSpec schedule;
    EnergySpec energy;
};
template <class V>
void fields(V& v, TrainingChip& s) {
    v("name", s.name, {.doc = "of the chip", .required = true});
    v("source", s.source, {.doc = "where its figures come from, or `assumed`", .required = true});
    v("kind", s.kind, {.doc = "engine: sata, h2learn, mac_array"});
    v("clock_period", s.clock_period, {.doc = "of the one clock", .unit = Unit::Time, .min = 1});
    v("sparsity", s.sparsity, {.doc = "which zeros are exploited, and how (mac_array: none, all dense)"});
    v("array", s.array, {.doc = "processing elements (h2learn: of the forward engine)"});
    v.optional_section("backward_array", s.backward_array, {.doc = "h2learn: of the backward engine"});
    v.optional_section("update_array", s.update_array, {.doc = "h2learn: of the weight update engine"});
    v("lut_inputs", s.lut_inputs,
      {.doc = "neighbouring inputs that address a table of partial sums (1, 2, 4 or 8); 1: no tables",
       .min = 1,
       .max = 8});
    v("multiplies_spikes", s.multiplies_spikes,
      {.doc = "spikes pass multipliers like any value (no accumulate-only path)"});
    v("buffers", s.buffers, {.doc = "on-chip memories"});
    v("dram", s.dram, {.doc = "external memory"});
    v("bits", s.bits, {.doc = "widths of values"});
    v("schedule", s.schedule, {.doc = "loop order, what is kept, batch blocks"});
    v("energy", s.energy, {.doc = "price list"});
}

}  // namespace loom::arch

namespace loom {
extern template const ValueType& type_of<arch::TrainingChip>();  // compiled once
}
