// SPDX-License-Identifier: Apache-2.0
#include "traces/sample_rules.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

#include "base/error.hpp"

namespace loom::traces {
namespace {

using Axes = std::vector<std::size_t>;

std::string text_of(const Axes& shape) {
    return fmt::format("[{}]", fmt::join(shape, ", "));
}

std::size_t count_of(const Axes& shape) {
    std::size_t n = 1;
    for (const std::size_t d : shape) n *= d;
    return n;
}

/// Without the axes of one element, which lay nothing out.
Axes laid_out(Axes shape) {
    std::erase(shape, std::size_t{1});
    return shape;
}

bool channels_last(const Axes& sample, const Axes& input) {
    Axes turned = input;
    if (turned.size() > 1) std::rotate(turned.begin(), turned.begin() + 1, turned.end());
    return turned.size() > 1 && laid_out(turned) == laid_out(sample);
}

}  // namespace

SampleAxes sample_axes(const Axes& shape, std::optional<AxisOrder> order) {
    const bool samples_first = order == AxisOrder::SamplesFirst;
    const std::string names = !order          ? "[samples, ...]"
                              : samples_first ? "[samples, timesteps, ...]"
                                              : "[timesteps, samples, ...]";
    const std::size_t leading = order ? 2 : 1;
    if (shape.size() < leading)
        throw InputError(fmt::format("array has shape {}; expected {}", text_of(shape), names));
    SampleAxes a;
    a.text = fmt::format("{} = {}", names, text_of(shape));
    a.sample.assign(shape.begin() + static_cast<std::ptrdiff_t>(leading), shape.end());
    a.elements = count_of(a.sample);
    a.samples = !order || samples_first ? shape[0] : shape[1];
    a.timesteps = !order ? 1 : samples_first ? shape[1] : shape[0];
    const bool samples_outside = !order || samples_first;
    a.sample_stride = samples_outside ? a.timesteps * a.elements : a.elements;
    a.step_stride = !order ? 0 : samples_outside ? a.elements : a.samples * a.elements;
    return a;
}

void check_sample_shape(const SampleAxes& axes, const Axes& input) {
    if (axes.samples == 0) throw InputError(fmt::format("there are no samples ({})", axes.text));
    if (axes.timesteps == 0) throw InputError(fmt::format("there are no timesteps ({})", axes.text));
    const Axes sample = laid_out(axes.sample), wanted = laid_out(input);
    if (sample == wanted) return;
    const std::size_t inputs = count_of(input);
    if (axes.elements != inputs)
        throw InputError(
            fmt::format("a sample has {} values, shape {}; the network's input has {}, shape {} ({})",
                        axes.elements, text_of(axes.sample), inputs, text_of(input), axes.text));
    if (sample.size() <= 1 || wanted.size() <= 1) return;
    std::string problem = fmt::format("a sample has shape {}, the network's input has {} ({})",
                                      text_of(axes.sample), text_of(input), axes.text);
    if (channels_last(axes.sample, input)) {
        problem +=
            fmt::format("; its channels are last, and channels first are wanted: numpy.moveaxis(x, -1, {})",
                        axes.step_stride == 0 && axes.timesteps == 1 ? 1 : 2);
    } else {
        problem += "; transpose it, or store each sample as a vector if its order is right";
    }
    throw InputError(problem);
}

std::vector<std::int64_t> class_labels(const Array& labels, const SampleAxes& axes, std::size_t used) {
    const Axes& shape = labels.shape();
    if (shape.empty() || shape.size() > 2 || (shape.size() == 2 && shape[1] != 1)) {
        const bool one_hot = shape.size() == 2 && shape[0] == axes.samples;
        throw InputError(fmt::format("array has shape {}; expected one class per sample, [samples]{}",
                                     labels.shape_text(), one_hot ? " (y.argmax(1), if it is one-hot)" : ""));
    }
    if (labels.size() != axes.samples) {
        const bool swapped = axes.step_stride != 0 && labels.size() == axes.timesteps;
        throw InputError(fmt::format(
            "{} labels for {} samples ({}){}", labels.size(), axes.samples, axes.text,
            !swapped                                ? ""
            : axes.step_stride < axes.sample_stride ? "; the key `order: timesteps_first` swaps the two axes"
                                                    : "; the key `order: samples_first` swaps the two axes"));
    }
    std::vector<std::int64_t> classes;
    for (std::size_t s = 0; s < used; ++s) {
        const double label = labels.at(s);
        if (!(label >= 0) || label != std::floor(label) || label > 1e9)
            throw InputError(
                fmt::format("label {} of sample {}; expected a whole number, 0, 1, ...", label, s));
        classes.push_back(static_cast<std::int64_t>(label));
    }
    return classes;
}

void check_classes(std::span<const std::int64_t> labels, std::size_t classes) {
    const auto beyond =
        std::ranges::find_if(labels, [&](std::int64_t l) { return l >= static_cast<std::int64_t>(classes); });
    if (beyond == labels.end()) return;
    const auto [least, most] = std::ranges::minmax_element(labels);
    const bool from_one = *least == 1 && *most == static_cast<std::int64_t>(classes);
    throw InputError(fmt::format("label {} of sample {}; the network has {} outputs, classes 0 to {}{}",
                                 *beyond, beyond - labels.begin(), classes, classes - 1,
                                 from_one ? " (these count from 1)" : ""));
}

std::string graded_note(const Array& spikes) {
    double only = 0;
    for (std::size_t i = 0; i < spikes.size(); ++i) {
        const double v = spikes.at(i);
        if (v == 0) continue;
        if (v == 1 || (only != 0 && v != only)) return "";
        only = v;
    }
    if (only == 0) return "";
    return fmt::format(
        "every spike has the value {0}, so it is a graded spike of {0}; `scale: {1}` makes it 1", only,
        1 / only);
}

}  // namespace loom::traces
