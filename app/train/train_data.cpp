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

bool is_random(traces::Encoding e) {
    return e == traces::Encoding::Bernoulli || e == traces::Encoding::Poisson;
}

}  // namespace

TrainData::TrainData(const DataSpec& spec, const std::string& path, std::optional<learn::Shape> shape,
                     std::size_t timesteps)
    : spec_(spec), path_(path), given_(shape), timesteps_(timesteps) {
    if (!std::isfinite(spec.scale)) throw KeyError("data.scale", "is not finite");
    if (spec.drawn()) {
        draw();
        return;
    }
    const std::vector<std::string> names = traces::npz_names(path);
    train_ = read("x", spec.x, "y", spec.y, spec.limit);
    if (train_.samples == 0) throw KeyError("data.x", path + ": array '" + spec.x + "' has no samples");
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

/// The shape of the network's input, or of a sample when nobody says it.
void TrainData::take_shape(const std::string& key, const traces::Array& array) {
    const std::size_t leading = spec_.encoding == traces::Encoding::Spikes ? 2 : 1;
    const std::vector<std::size_t>& s = array.shape();
    const auto fail = [&](const std::string& what) {
        throw KeyError(fmt::format("data.{}", key),
                       fmt::format("{}: array has shape {}; {}", path_, array.shape_text(), what));
    };
    if (s.size() <= leading)
        fail(leading == 2 ? "expected [samples, timesteps, ...]" : "expected [samples, ...]");
    std::size_t count = 1;
    for (std::size_t d = leading; d < s.size(); ++d) count *= s[d];
    if (given_) {
        if (count != given_->count())
            fail(fmt::format("a sample has {} values, the network's input has {}", count, given_->count()));
        shape_ = *given_;
    } else if (s.size() == leading + 3) {
        shape_ = {s[leading + 1], s[leading + 2], s[leading]};
    } else {
        shape_ = {1, 1, count};
    }
    if (leading == 2 && s[1] < timesteps_)
        fail(fmt::format("train.timesteps is {}, the samples have {}", timesteps_, s[1]));
}

SampleSet TrainData::read(const std::string& x_key, const std::string& x, const std::string& y_key,
                          const std::string& y, std::uint64_t limit) {
    const traces::Array values = array_of(path_, x_key, x), labels = array_of(path_, y_key, y);
    take_shape(x_key, values);
    SampleSet set;
    set.samples = values.shape()[0];
    const std::vector<std::size_t>& axes = labels.shape();
    if (axes.size() > 2 || (axes.size() == 2 && axes[1] != 1))
        throw KeyError(fmt::format("data.{}", y_key),
                       fmt::format("{}: array has shape {}; expected one class per sample, [samples]", path_,
                                   labels.shape_text()));
    if (labels.size() != set.samples)
        throw KeyError(fmt::format("data.{}", y_key),
                       fmt::format("{}: {} labels for {} samples", path_, labels.size(), set.samples));
    if (limit != 0) set.samples = std::min<std::size_t>(set.samples, limit);
    const bool timed = spec_.encoding == traces::Encoding::Spikes;
    const std::size_t stored = timed ? values.shape()[1] : 1, n = shape_.count();
    set.steps = timed ? timesteps_ : 1;
    set.values.resize(set.samples * set.steps * n);
    for (std::size_t s = 0; s < set.samples; ++s)
        for (std::size_t t = 0; t < set.steps; ++t)
            for (std::size_t i = 0; i < n; ++i) {
                const double v = values.at((s * stored + t) * n + shape_.channel_first(i)) * spec_.scale;
                const bool fits = std::isfinite(static_cast<float>(v));
                if (!fits || (is_random(spec_.encoding) && (v < 0 || v > 100)))
                    throw KeyError(
                        fmt::format("data.{}", x_key),
                        fmt::format("{}: value {} of sample {} is {}; expected {}", path_,
                                    shape_.channel_first(i), s, v,
                                    is_random(spec_.encoding) ? "a rate from 0 to 100"
                                                              : "a finite number in the range of float32"));
                set.values[(s * set.steps + t) * n + i] = static_cast<float>(v);
            }
    for (std::size_t s = 0; s < set.samples; ++s) {
        const double label = labels.at(s);
        if (!(label >= 0) || label != std::floor(label) || label > 1e9)
            throw KeyError(fmt::format("data.{}", y_key),
                           fmt::format("{}: label {} of sample {}; expected 0, 1, ...", path_, label, s));
        set.labels.push_back(static_cast<std::int64_t>(label));
    }
    return set;
}

void TrainData::check_labels(std::size_t outputs) const {
    for (const auto& [set, key] : {std::pair{&train_, "y"}, std::pair{&test_, "y_test"}})
        for (std::size_t s = 0; s < set->samples; ++s)
            if (set->labels[s] >= static_cast<std::int64_t>(outputs))
                throw KeyError(fmt::format("data.{}", key),
                               fmt::format("{}: label {} of sample {}; the network has {} outputs", path_,
                                           set->labels[s], s, outputs));
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
