// SPDX-License-Identifier: Apache-2.0
#include "app/train/train_data.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <numeric>
#include <random>

#include "base/error.hpp"
#include "base/key_error.hpp"
#include "base/rng.hpp"
#include "traces/npy.hpp"

namespace loom::app {
namespace {

constexpr std::uint32_t kSpikeStream = 0x73706b74, kTestStream = 0x73706b65;

traces::Array array_of(const std::string& path, const std::string& key, const std::string& name) {
    try {
        return traces::read_npz(path, name);
    } catch (const InputError& e) {
        throw KeyError("data." + key, e.what());
    }
}

/// A rule that all verbs share, with key and file before its problem.
template <class F>
void rule(const std::string& key, const std::string& path, F f) {
    try {
        f();
    } catch (const InputError& e) {
        throw KeyError("data." + key, (path.empty() ? "" : path + ": ") + e.what());
    }
}

/// Channel first, as files have it.
std::vector<std::size_t> axes_of(const learn::Shape& s) {
    if (!s.spatial()) return {s.channels};
    if (s.height == 1) return {s.channels, s.width};
    return {s.channels, s.height, s.width};
}

bool is_random(traces::Encoding e) {
    return e == traces::Encoding::Bernoulli || e == traces::Encoding::Poisson;
}

}  // namespace

TrainData::TrainData(const DataSpec& spec, const std::string& path, std::optional<learn::Shape> shape,
                     std::size_t timesteps)
    : spec_(spec), path_(path), given_(shape), timesteps_(timesteps) {
    if (!std::isfinite(spec.scale)) throw KeyError("data.scale", "is not finite");
    if (spec.order && spec.encoding != traces::Encoding::Spikes)
        throw KeyError("data.order", "is for data.encoding: spikes");
    if (spec.drawn()) {
        draw();
        return;
    }
    const std::vector<std::string> names = traces::npz_names(path);
    train_ = read("x", spec.x, "y", spec.y, spec.limit);
    given_ = shape_;
    const auto has = [&](const char* name) { return std::ranges::find(names, name) != names.end(); };
    if (!spec.x_test && !(has("x_test") && has("y_test"))) return;
    test_ = read("x_test", spec.x_test.value_or("x_test"), "y_test", spec.y_test.value_or("y_test"),
                 spec.limit_test);
}

void TrainData::draw() {
    const SyntheticSpec images = spec_.synthetic.value_or(SyntheticSpec{});
    if (!given_) throw KeyError("network.input", "missing; synthetic images have its shape");
    if (spec_.encoding == traces::Encoding::Spikes)
        throw KeyError("data.encoding", "spikes: synthetic images have none");
    shape_ = *given_;
    const auto set = [&](std::uint64_t first, std::uint64_t count, std::uint64_t limit) {
        SampleSet s;
        s.steps = 1;
        s.samples = limit == 0 ? count : std::min(count, limit);
        s.values = synthetic_images(images, shape_, first, s.samples);
        for (float& v : s.values) v *= static_cast<float>(spec_.scale);
        for (std::uint64_t i = 0; i < s.samples; ++i)
            s.labels.push_back(static_cast<std::int64_t>((first + i) % images.classes));
        return s;
    };
    train_ = set(0, images.samples, spec_.limit);
    test_ = set(images.samples, images.test, spec_.limit_test);
}

/// Checks an array against the network's input, or takes the shape of a sample when nobody says it.
traces::SampleAxes TrainData::take_shape(const traces::Array& array) {
    std::optional<traces::AxisOrder> order;
    if (spec_.encoding == traces::Encoding::Spikes)
        order = spec_.order.value_or(traces::AxisOrder::TimestepsFirst);
    traces::SampleAxes axes = traces::sample_axes(array.shape(), order);
    if (axes.sample.empty()) throw InputError("a sample has no axis (" + axes.text + ")");
    const std::vector<std::size_t>& s = axes.sample;
    traces::check_sample_shape(axes, given_ ? axes_of(*given_) : s);
    shape_ = given_          ? *given_
             : s.size() == 3 ? learn::Shape{s[1], s[2], s[0]}
                             : learn::Shape{1, 1, axes.elements};
    if (order && axes.timesteps < timesteps_)
        throw InputError(fmt::format("train.timesteps is {}, the samples have {} ({})", timesteps_,
                                     axes.timesteps, axes.text));
    return axes;
}

void TrainData::take_values(const std::string& key, const traces::Array& array,
                            const traces::SampleAxes& axes, SampleSet& set) const {
    const std::size_t n = shape_.count();
    set.values.resize(set.samples * set.steps * n);
    for (std::size_t s = 0; s < set.samples; ++s)
        for (std::size_t t = 0; t < set.steps; ++t)
            for (std::size_t i = 0; i < n; ++i) {
                const double v = array.at(axes.at(s, t) + shape_.channel_first(i)) * spec_.scale;
                const bool fits = std::isfinite(static_cast<float>(v));
                if (!fits || (is_random(spec_.encoding) && (v < 0 || v > 100)))
                    throw KeyError(
                        fmt::format("data.{}", key),
                        fmt::format("{}: value {} of sample {} is {}; expected {}", path_,
                                    shape_.channel_first(i), s, v,
                                    is_random(spec_.encoding) ? "a rate from 0 to 100"
                                                              : "a finite number in the range of float32"));
                set.values[(s * set.steps + t) * n + i] = static_cast<float>(v);
            }
}

SampleSet TrainData::read(const std::string& x_key, const std::string& x, const std::string& y_key,
                          const std::string& y, std::uint64_t limit) {
    const traces::Array values = array_of(path_, x_key, x), labels = array_of(path_, y_key, y);
    traces::SampleAxes axes;
    rule(x_key, path_, [&] { axes = take_shape(values); });
    const bool timed = spec_.encoding == traces::Encoding::Spikes;
    SampleSet set;
    set.samples = limit == 0 ? axes.samples : std::min<std::size_t>(axes.samples, limit);
    set.steps = timed ? timesteps_ : 1;
    rule(y_key, path_, [&] { set.labels = traces::class_labels(labels, axes, set.samples); });
    take_values(x_key, values, axes, set);
    if (!timed || spec_.scale != 1) return set;
    if (const std::string note = traces::graded_note(values); !note.empty())
        notes_.push_back(fmt::format("data.{}: {}: {}", x_key, path_, note));
    return set;
}

void TrainData::check_labels(std::size_t outputs) const {
    rule("y", path_, [&] { traces::check_classes(train_.labels, outputs); });
    rule("y_test", path_, [&] { traces::check_classes(test_.labels, outputs); });
}

std::vector<std::uint32_t> TrainData::order(std::uint64_t epoch) const {
    std::vector<std::uint32_t> order(train_.samples);
    std::iota(order.begin(), order.end(), 0U);
    if (!spec_.shuffle) return order;
    // Fisher-Yates with masked rejection, as numpy does it
    std::mt19937 words(static_cast<std::uint32_t>(spec_.seed + epoch));
    for (auto i = static_cast<std::uint32_t>(order.size() - 1); i > 0; --i) {
        const std::uint32_t mask = std::bit_ceil(i + 1) - 1;
        std::uint32_t j = i + 1;
        while (j > i) j = static_cast<std::uint32_t>(words()) & mask;
        std::swap(order[i], order[j]);
    }
    return order;
}

/// Sample `sample` of a set as sample `b` of the signal; `entity` numbers its random spikes.
void TrainData::fill(const SampleSet& set, std::size_t sample, std::uint64_t entity, std::size_t b,
                     learn::Signal& signal) const {
    const std::size_t n = shape_.count();
    const CounterRng rng(spec_.seed, &set == &test_ ? kTestStream : kSpikeStream);
    for (std::size_t t = 0; t < timesteps_; ++t) {
        const auto to = signal.at(t, b);
        const float* from = set.values.data() + (sample * set.steps + (set.steps == 1 ? 0 : t)) * n;
        if (!is_random(spec_.encoding)) {
            std::copy(from, from + n, to.begin());
            continue;
        }
        for (std::size_t i = 0; i < n; ++i)
            if (from[i] != 0)
                to[i] = static_cast<float>(traces::random_spikes(spec_.encoding, static_cast<double>(from[i]),
                                                                 rng, entity * n + i,
                                                                 static_cast<std::uint32_t>(t)));
    }
}

void TrainData::batch(std::span<const std::uint32_t> which, std::uint64_t epoch, learn::Signal& signal,
                      std::vector<std::int64_t>& labels) const {
    signal.resize(timesteps_, which.size(), shape_.count());
    signal.constant = spec_.encoding == traces::Encoding::Constant;
    labels.clear();
    for (std::size_t b = 0; b < which.size(); ++b) {
        fill(train_, which[b], epoch * train_.samples + which[b], b, signal);
        labels.push_back(train_.labels[which[b]]);
    }
}

void TrainData::test_batch(std::size_t first, std::size_t count, learn::Signal& signal,
                           std::vector<std::int64_t>& labels) const {
    signal.resize(timesteps_, count, shape_.count());
    signal.constant = spec_.encoding == traces::Encoding::Constant;
    labels.clear();
    for (std::size_t b = 0; b < count; ++b) {
        fill(test_, first + b, first + b, b, signal);
        labels.push_back(test_.labels[first + b]);
    }
}

}  // namespace loom::app
