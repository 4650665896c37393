// SPDX-License-Identifier: Apache-2.0
#include "traces/stimulus.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <filesystem>

#include "base/error.hpp"
#include "traces/aer.hpp"
#include "traces/nirdata.hpp"
#include "traces/npy.hpp"

namespace loom::traces {
namespace {

constexpr std::uint32_t kEncoderStream = 0x656e636f;
constexpr std::size_t kMaxTimesteps = std::size_t{1} << 24;

std::string lower_extension(const std::string& path) {
    std::string e = std::filesystem::path(path).extension().string();
    std::transform(e.begin(), e.end(), e.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return e;
}

Array read_array(const StimulusSpec& spec, const std::string& path) {
    const std::string e = lower_extension(path);
    if (e == ".npy") return read_npy(path);
    if (e == ".npz") {
        if (!spec.array.empty()) return read_npz(path, spec.array);
        const auto names = npz_names(path);
        if (names.size() != 1) {
            throw InputError(fmt::format("{}: holds several arrays; name one with input.array ({})", path,
                                         fmt::join(names, ", ")));
        }
        return read_npz(path, names[0]);
    }
    if (e == ".h5" || e == ".hdf5" || e == ".nird") {
        if (spec.array.empty()) throw InputError(path + ": name the node with input.array");
        return read_nir_data(path, spec.array);
    }
    throw InputError(path + ": unknown kind of file; expected .npy, .npz, .h5, .hdf5, .nird or .csv");
}

/// Poisson variate by inversion from one uniform number.
double poisson(double rate, double u) {
    double p = std::exp(-rate), sum = p, k = 0;
    while (u >= sum && k < 1000) {
        k += 1;
        p *= rate / k;
        sum += p;
    }
    return k;
}

}  // namespace

double random_spikes(Encoding encoding, double rate, const CounterRng& rng, std::uint64_t element,
                     std::uint32_t step) {
    if (encoding == Encoding::Bernoulli) return rng.bernoulli(std::min(rate, 1.0), element, step) ? 1.0 : 0.0;
    return poisson(rate, rng.uniform(element, step));
}

Stimulus Stimulus::load(const StimulusSpec& spec, const std::string& path, std::size_t n_inputs) {
    Stimulus s;
    s.spec_ = spec;
    s.n_inputs_ = n_inputs;
    const auto fail = [&](const std::string& what) { throw InputError(path + ": " + what); };
    const std::string kind = lower_extension(path);
    const bool nirdata = kind == ".h5" || kind == ".hdf5" || kind == ".nird", aer = kind == ".csv";
    const bool spikes = spec.encoding == Encoding::Spikes;
    if ((nirdata || aer) && !spikes) fail("recorded events need input.encoding: spikes");
    if (spec.packed && !spikes) fail("input.packed is for input.encoding: spikes");
    if (!std::isfinite(spec.scale)) fail("input.scale is not finite");
    std::vector<std::size_t> shape;
    if (aer) {
        const auto events = read_aer(path);
        std::size_t steps = 0, samples = 0;
        for (const AerEvent& e : events) {
            if (e.address >= n_inputs)
                fail(fmt::format("address {} is beyond the network's {} inputs", e.address, n_inputs));
            if (e.step >= kMaxTimesteps || e.sample >= kMaxTimesteps) fail("step or sample out of range");
            steps = std::max<std::size_t>(steps, e.step + 1);
            samples = std::max<std::size_t>(samples, e.sample + 1);
        }
        if (spec.timesteps > steps) steps = spec.timesteps;
        if (samples * steps > (std::size_t{1} << 31) / std::max<std::size_t>(n_inputs, 1))
            fail("too many events to hold");
        std::vector<double> grid(steps * samples * n_inputs, 0.0);
        for (const AerEvent& e : events)
            grid[(e.step * samples + e.sample) * n_inputs + e.address] += e.value;
        s.data_ = Array::of({steps, samples, n_inputs}, grid);
    } else {
        s.data_ = read_array(spec, path);
    }
    shape = s.data_.shape();
    if (spec.packed) {
        if (s.data_.type() != Array::Type::U1) fail("packed bits must be uint8");
        const Array true_shape = read_npz(path, "shape");
        shape.clear();
        for (std::size_t i = 0; i < true_shape.size(); ++i) {
            const double d = true_shape.at(i);
            if (!(d >= 0 && d < 1e12)) fail("array 'shape': not a shape");
            shape.push_back(static_cast<std::size_t>(d));
        }
        std::vector<std::size_t> packed = shape;
        if (!packed.empty()) packed.back() = (packed.back() + 7) / 8;
        if (packed != s.data_.shape() || shape.size() < 2) {
            fail(fmt::format("packed array has shape {}, but `shape` says {}", s.data_.shape_text(),
                             fmt::join(shape, ", ")));
        }
        s.last_axis_ = shape.back();
        s.packed_axis_ = packed.back();
    }
    const std::size_t leading = spikes ? 2 : 1;
    if (shape.size() < leading) {
        fail(fmt::format("array has shape {}; expected {}", s.data_.shape_text(),
                         spikes ? "[timesteps, samples, ...]" : "[samples, ...]"));
    }
    std::size_t elements = 1;
    for (std::size_t d = leading; d < shape.size(); ++d) elements *= shape[d];
    if (elements != n_inputs) {
        fail(fmt::format("a sample has {} values ({}), the network's input has {}", elements,
                         s.data_.shape_text(), n_inputs));
    }
    if (spikes) {
        const std::size_t steps = nirdata ? shape[1] : shape[0];
        s.samples_ = nirdata ? shape[0] : shape[1];
        s.step_stride_ = nirdata ? elements : s.samples_ * elements;
        s.sample_stride_ = nirdata ? steps * elements : elements;
        if (spec.timesteps > steps)
            fail(fmt::format("input.timesteps is {}, the array has {}", spec.timesteps, steps));
        s.timesteps_ = spec.timesteps == 0 ? steps : spec.timesteps;
    } else {
        s.samples_ = shape[0];
        s.sample_stride_ = elements;
        s.timesteps_ = spec.timesteps;
        if (spec.timesteps == 0) fail("input.timesteps: required for this encoding");
    }
    if (s.timesteps_ > kMaxTimesteps) fail("input.timesteps is too large");
    if (!spec.packed) {
        for (std::size_t i = 0; i < s.data_.size(); ++i) {
            const double v = s.data_.at(i) * spec.scale;
            if (!std::isfinite(v)) fail(fmt::format("value {} is not finite", i));
            if ((spec.encoding == Encoding::Bernoulli || spec.encoding == Encoding::Poisson) &&
                (v < 0 || v > 100)) {
                fail(fmt::format("value {} times input.scale is {}; a rate must be from 0 to 100", i, v));
            }
        }
    }
    if (spec.limit != 0) s.samples_ = std::min<std::size_t>(s.samples_, spec.limit);
    if (!spec.labels.empty()) {
        if (kind != ".npz") fail("input.labels needs an .npz");
        const Array labels = read_npz(path, spec.labels);
        const std::size_t all = spikes ? (nirdata ? shape[0] : shape[1]) : shape[0];
        if (labels.size() != all) fail(fmt::format("{} labels for {} samples", labels.size(), all));
        for (std::size_t i = 0; i < s.samples_; ++i)
            s.labels_.push_back(static_cast<std::int64_t>(labels.at(i)));
    }
    return s;
}

double Stimulus::element(std::size_t sample, std::size_t step, std::size_t i) const {
    const std::size_t at = sample * sample_stride_ + step * step_stride_ + i;
    if (!spec_.packed) {
        const double v = data_.type() == Array::Type::U1 ? data_.bytes()[at] : data_.at(at);
        return v * spec_.scale;
    }
    const std::size_t row = at / last_axis_, bit = at % last_axis_;
    return (data_.bytes()[row * packed_axis_ + bit / 8] >> (7 - bit % 8) & 1) != 0 ? spec_.scale : 0.0;
}

void Stimulus::values(std::size_t sample, std::size_t step, Values& out) const {
    out.clear();
    const bool timed = spec_.encoding == Encoding::Spikes;
    const CounterRng rng(spec_.seed, kEncoderStream);
    for (std::size_t i = 0; i < n_inputs_; ++i) {
        double v = element(sample, timed ? step : 0, i);
        if (v == 0.0) continue;
        if (spec_.encoding == Encoding::Bernoulli || spec_.encoding == Encoding::Poisson)
            v = random_spikes(spec_.encoding, v, rng, sample * n_inputs_ + i,
                              static_cast<std::uint32_t>(step));
        if (v != 0.0) out.emplace_back(static_cast<std::uint32_t>(i), v);
    }
}

}  // namespace loom::traces
