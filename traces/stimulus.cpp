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

/// The steps of a load, in order; each of them refuses what it cannot take.
class Stimulus::Loader {
  public:
    Loader(const StimulusSpec& spec, const std::string& path, std::size_t n_inputs)
        : spec_(spec), path_(path), kind_(lower_extension(path)) {
        s_.spec_ = spec;
        s_.n_inputs_ = n_inputs;
    }

    Stimulus load() {
        check_spec();
        s_.data_ = kind_ == ".csv" ? grid_of(read_aer(path_)) : read_array(spec_, path_);
        shape_ = s_.data_.shape();
        if (spec_.packed) unpack_shape();
        check_elements();
        take_axes();
        if (!spec_.packed) check_values();
        const std::size_t all = s_.samples_;
        if (spec_.limit != 0) s_.samples_ = std::min<std::size_t>(s_.samples_, spec_.limit);
        if (!spec_.labels.empty()) take_labels(all);
        if (spec_.bits != 0) s_.round_values();
        return std::move(s_);
    }

  private:
    [[noreturn]] void fail(const std::string& what) const { throw InputError(path_ + ": " + what); }
    bool spikes() const { return spec_.encoding == Encoding::Spikes; }
    bool random() const {
        return spec_.encoding == Encoding::Bernoulli || spec_.encoding == Encoding::Poisson;
    }
    /// NIRData has samples before timesteps.
    bool nirdata() const { return kind_ == ".h5" || kind_ == ".hdf5" || kind_ == ".nird"; }

    void check_spec() const {
        if ((nirdata() || kind_ == ".csv") && !spikes()) fail("recorded events need input.encoding: spikes");
        if (spec_.packed && !spikes()) fail("input.packed is for input.encoding: spikes");
        if (spec_.bits != 0 && random())
            fail("input.bits is for values; input.encoding bernoulli and poisson take rates");
        if (!std::isfinite(spec_.scale)) fail("input.scale is not finite");
    }

    /// Events as an array [timesteps, samples, inputs].
    Array grid_of(const std::vector<AerEvent>& events) const {
        const std::size_t n_inputs = s_.n_inputs_;
        std::size_t steps = 0, samples = 0;
        for (const AerEvent& e : events) {
            if (e.address >= n_inputs)
                fail(fmt::format("address {} is beyond the network's {} inputs", e.address, n_inputs));
            if (e.step >= kMaxTimesteps || e.sample >= kMaxTimesteps) fail("step or sample out of range");
            steps = std::max<std::size_t>(steps, e.step + 1);
            samples = std::max<std::size_t>(samples, e.sample + 1);
        }
        if (spec_.timesteps > steps) steps = spec_.timesteps;
        if (samples * steps > (std::size_t{1} << 31) / std::max<std::size_t>(n_inputs, 1))
            fail("too many events to hold");
        std::vector<double> grid(steps * samples * n_inputs, 0.0);
        for (const AerEvent& e : events)
            grid[(e.step * samples + e.sample) * n_inputs + e.address] += e.value;
        return Array::of({steps, samples, n_inputs}, grid);
    }

    /// The shape before the bits were packed is in the array `shape` of the same file.
    void unpack_shape() {
        if (s_.data_.type() != Array::Type::U1) fail("packed bits must be uint8");
        const Array true_shape = read_npz(path_, "shape");
        shape_.clear();
        for (std::size_t i = 0; i < true_shape.size(); ++i) {
            const double d = true_shape.at(i);
            if (!(d >= 0 && d < 1e12)) fail("array 'shape': not a shape");
            shape_.push_back(static_cast<std::size_t>(d));
        }
        std::vector<std::size_t> packed = shape_;
        if (!packed.empty()) packed.back() = (packed.back() + 7) / 8;
        if (packed != s_.data_.shape() || shape_.size() < 2) {
            fail(fmt::format("packed array has shape {}, but `shape` says {}", s_.data_.shape_text(),
                             fmt::join(shape_, ", ")));
        }
        s_.last_axis_ = shape_.back();
        s_.packed_axis_ = packed.back();
    }

    void check_elements() {
        const std::size_t leading = spikes() ? 2 : 1;
        if (shape_.size() < leading) {
            fail(fmt::format("array has shape {}; expected {}", s_.data_.shape_text(),
                             spikes() ? "[timesteps, samples, ...]" : "[samples, ...]"));
        }
        elements_ = 1;
        for (std::size_t d = leading; d < shape_.size(); ++d) elements_ *= shape_[d];
        if (elements_ != s_.n_inputs_) {
            fail(fmt::format("a sample has {} values ({}), the network's input has {}", elements_,
                             s_.data_.shape_text(), s_.n_inputs_));
        }
    }

    /// Samples, timesteps, and how far apart they are in the array.
    void take_axes() {
        if (spikes()) {
            const std::size_t steps = nirdata() ? shape_[1] : shape_[0];
            s_.samples_ = nirdata() ? shape_[0] : shape_[1];
            s_.step_stride_ = nirdata() ? elements_ : s_.samples_ * elements_;
            s_.sample_stride_ = nirdata() ? steps * elements_ : elements_;
            if (spec_.timesteps > steps)
                fail(fmt::format("input.timesteps is {}, the array has {}", spec_.timesteps, steps));
            s_.timesteps_ = spec_.timesteps == 0 ? steps : spec_.timesteps;
        } else {
            s_.samples_ = shape_[0];
            s_.sample_stride_ = elements_;
            s_.timesteps_ = spec_.timesteps;
            if (spec_.timesteps == 0) fail("input.timesteps: required for this encoding");
        }
        if (s_.timesteps_ > kMaxTimesteps) fail("input.timesteps is too large");
    }

    void check_values() const {
        for (std::size_t i = 0; i < s_.data_.size(); ++i) {
            const double v = s_.data_.at(i) * spec_.scale;
            if (!std::isfinite(v)) fail(fmt::format("value {} is not finite", i));
            if (random() && (v < 0 || v > 100)) {
                fail(fmt::format("value {} times input.scale is {}; a rate must be from 0 to 100", i, v));
            }
        }
    }

    /// all: samples in the file, before input.limit.
    void take_labels(std::size_t all) {
        if (kind_ != ".npz") fail("input.labels needs an .npz");
        const Array labels = read_npz(path_, spec_.labels);
        if (labels.size() != all) fail(fmt::format("{} labels for {} samples", labels.size(), all));
        for (std::size_t i = 0; i < s_.samples_; ++i)
            s_.labels_.push_back(static_cast<std::int64_t>(labels.at(i)));
    }

    const StimulusSpec& spec_;
    const std::string& path_;
    std::string kind_;  ///< extension, lower case
    Stimulus s_;
    std::vector<std::size_t> shape_;  ///< of the values, bits not packed
    std::size_t elements_ = 0;        ///< of a timestep of a sample
};

Stimulus Stimulus::load(const StimulusSpec& spec, const std::string& path, std::size_t n_inputs) {
    return Loader(spec, path, n_inputs).load();
}

/// Finds the exponent, and counts what it changes.
void Stimulus::round_values() {
    const std::size_t steps = constant() ? 1 : timesteps_;
    const auto each = [&](auto f) {
        for (std::size_t s = 0; s < samples_; ++s) {
            for (std::size_t t = 0; t < steps; ++t) {
                for (std::size_t i = 0; i < n_inputs_; ++i) f(element(s, t, i));
            }
        }
    };
    double largest = 0;
    each([&](double v) { largest = std::max(largest, std::abs(v)); });
    const double top = std::ldexp(1.0, static_cast<int>(spec_.bits)) - 1;
    constexpr int kFinest = 30;  // that the compiler gives a payload
    exponent_ = kFinest;
    while (exponent_ > 0 && std::abs(kept(largest)) > std::ldexp(top, -exponent_)) --exponent_;
    if (std::abs(kept(largest)) > std::ldexp(top, -exponent_))
        throw InputError(fmt::format("{}: values up to {} do not have input.bits: {}; make them smaller with input.scale",
                                     spec_.file, largest, spec_.bits));
    each([&](double v) { rounded_ += kept(v) != v ? 1u : 0u; });
}

double Stimulus::kept(double value) const {
    const double x = std::ldexp(value, exponent_);
    const double whole = spec_.rounding == InputRounding::Nearest ? std::nearbyint(x)
                         : spec_.rounding == InputRounding::Floor ? std::floor(x)
                                                                  : std::trunc(x);
    return std::ldexp(whole, -exponent_);
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

void Stimulus::values(std::size_t sample, std::size_t step, SparseVector& out) const {
    out.clear();
    const bool timed = spec_.encoding == Encoding::Spikes;
    const CounterRng rng(spec_.seed, kEncoderStream);
    for (std::size_t i = 0; i < n_inputs_; ++i) {
        double v = element(sample, timed ? step : 0, i);
        if (v == 0.0) continue;
        if (spec_.encoding == Encoding::Bernoulli || spec_.encoding == Encoding::Poisson)
            v = random_spikes(spec_.encoding, v, rng, sample * n_inputs_ + i,
                              static_cast<std::uint32_t>(step));
        else if (spec_.bits != 0)
            v = kept(v);
        if (v != 0.0) out.emplace_back(static_cast<std::uint32_t>(i), v);
    }
}

}  // namespace loom::traces
