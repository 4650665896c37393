// SPDX-License-Identifier: Apache-2.0
// What input data must be, once for every verb that reads some (docs/reference/input-data.md). Each rule
// throws InputError with the problem alone: who asks puts file and key before it.
#pragma once
#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "traces/array.hpp"

namespace loom::traces {

/// Order of the first two axes of recorded spikes.
enum class AxisOrder { TimestepsFirst, SamplesFirst };
inline std::span<const std::string_view> enum_names(AxisOrder*) {
    static constexpr std::array<std::string_view, 2> names{"timesteps_first", "samples_first"};
    return names;
}

/// An array of samples: how many there are of what, and how far apart they are in it.
struct SampleAxes {
    std::size_t samples = 0, timesteps = 1, elements = 1;
    std::size_t sample_stride = 0, step_stride = 0;  ///< elements
    std::vector<std::size_t> sample;                 ///< shape of a sample in a timestep
    std::string text;                                ///< "[timesteps, samples, ...] = [16, 360, 64]"

    std::size_t at(std::size_t s, std::size_t t) const { return s * sample_stride + t * step_stride; }
};

/// `order`: of recorded spikes; none: values without timesteps, [samples, ...].
SampleAxes sample_axes(const std::vector<std::size_t>& shape, std::optional<AxisOrder> order);

/// There must be samples and timesteps, and each sample must have the shape of the network's input. Axes of
/// one element do not count, and a vector may stand for a map, or a map for a vector, of as many elements.
void check_sample_shape(const SampleAxes& axes, const std::vector<std::size_t>& input);

/// One class for each sample, [samples] or [samples, 1], whole numbers from 0 on; the first `used` of them.
std::vector<std::int64_t> class_labels(const Array& labels, const SampleAxes& axes, std::size_t used);
/// Every label must be one of so many classes.
void check_classes(std::span<const std::int64_t> labels, std::size_t classes);

/// What a user may not expect of recorded spikes, or an empty text: 0 and 255 are graded spikes of 255.
std::string graded_note(const Array& spikes);

}  // namespace loom::traces
