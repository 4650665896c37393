// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "base/json/json.hpp"

#include "sim/report/area.hpp"
#include "training/work/training_chip.hpp"

namespace loom::training {

/// Processing elements of one array of a training engine.
struct ArrayArea {
    std::string name;  ///< array; forward, backward, update
    std::uint64_t elements = 0;
    stats::AreaParts element;  ///< one of them
};
/// One array, or the three of h2learn. An element has what the engine makes it do in one cycle: a multiplier
/// (first layers, pooled inputs, errors) and an adder as wide as a sum, registers for operands and sums, a
/// gate where zeros are exploited, tables where spikes address them, and outside of h2learn's update array
/// comparator, multiplexers and shifter of a neuron.
std::vector<ArrayArea> array_areas(const arch::TrainingChip& chip);
/// Cells, and the wires of the ports over the banks: port bits x banks x sqrt(bits of a bank).
stats::AreaParts buffer_area(const arch::TrainingBufferSpec& buffer, const arch::EnergySpec& prices);

/// {total_mm2, technology_nm, arrays: {name: {elements, element_um2, total_mm2, components}}, buffers: {name:
/// {bits, total_mm2, components}}, chip: {part: ...}, not_included}; components as in stats::area_json, of
/// all elements. total_mm2 is null when the list has no figure at all.
Json engine_area_json(const arch::TrainingChip& chip);

}  // namespace loom::training
