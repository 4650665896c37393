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

constexpr std::uint32_t kEncoderStream = 0x656e636f, kRoundingStream = 0x726f756e;
constexpr int kFinest = 30;
constexpr std::size_t kMaxTimesteps = std::size_t{1} << 24;

std::string lower_extension(const std::string& path) {
    std::string e = std::filesystem::path(path).extension().string();
    std::transform(e.begin(), e.end(), e.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return e;
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
    Loader(const StimulusSpec& spec, const std::string& path, const NetworkSide& network)
        : spec_(spec), path_(path), network_(network), kind_(lower_extension(path)) {
        s_.spec_ = spec;
        s_.n_inputs_ = 1;
        for (const std::size_t d : network.input) s_.n_inputs_ *= d;
    }

    Stimulus load() {
        check_spec();
        s_.data_ = read_array();
        shape_ = s_.data_.shape();
        if (spec_.packed) unpack_shape();
        rule([&] {
            s_.axes_ = sample_axes(shape_, order());
            check_sample_shape(s_.axes_, network_.input);
        });
        take_counts();
        if (!spec_.packed) check_values();
        if (spec_.bits) round_values();
        if (!spec_.labels.empty()) take_labels();
        return std::move(s_);
    }

  private:
    [[noreturn]] void fail(const std::string& what) const { throw InputError(path_ + ": " + what); }
    /// A rule that all verbs share, with the file before its problem.
    template <class F>
    void rule(F f, const std::string& what = "") const {
        try {
            f();
        } catch (const InputError& e) {
            fail(what + e.what());
        }
    }
    bool spikes() const { return spec_.encoding == Encoding::Spikes; }
    bool random() const {
        return spec_.encoding == Encoding::Bernoulli || spec_.encoding == Encoding::Poisson;
    }
    bool nirdata() const { return kind_ == ".h5" || kind_ == ".hdf5" || kind_ == ".nird"; }
    bool events() const { return kind_ == ".csv"; }
    /// NIRData has samples before timesteps.
    std::optional<AxisOrder> order() const {
        if (!spikes()) return std::nullopt;
        return nirdata() ? AxisOrder::SamplesFirst : spec_.order.value_or(AxisOrder::TimestepsFirst);
    }

    void check_spec() const {
        if ((nirdata() || events()) && !spikes()) fail("recorded events need input.encoding: spikes");
        if (spec_.packed && !spikes()) fail("input.packed is for input.encoding: spikes");
        if (spec_.order && (!spikes() || nirdata() || events()))
            fail("input.order is for arrays of spikes in .npy and .npz");
        if (spec_.samples && !events()) fail("input.samples is for events in .csv; use input.limit");
        if (!std::isfinite(spec_.scale)) fail("input.scale is not finite");
        if (spec_.bits && (random() || spec_.packed))
            fail("input.bits is for values that are presented, not for rates or packed bits");
        if (spec_.rounding && !spec_.bits) fail("input.rounding does nothing without input.bits");
        if (!spikes() && spec_.timesteps == 0) fail("input.timesteps: required for this encoding");
        if (spec_.timesteps > kMaxTimesteps) fail("input.timesteps is too large");
    }

    Array read_array() {
        if (events()) return grid_of(read_aer(path_));
        if (kind_ == ".npy") return read_npy(path_);
        if (kind_ == ".npz") {
            if (!spec_.array.empty()) return read_npz(path_, spec_.array);
            const auto names = npz_names(path_);
            if (names.size() == 1) return read_npz(path_, names[0]);
            fail(fmt::format("holds several arrays; name one with input.array ({})", fmt::join(names, ", ")));
        }
        if (!nirdata()) fail("unknown kind of file; expected .npy, .npz, .h5, .hdf5, .nird or .csv");
        if (spec_.array.empty()) fail("name the node with input.array");
        return read_nir_data(path_, spec_.array, network_.dt, s_.notes_);
    }

    /// Events as an array [timesteps, samples, inputs].
    Array grid_of(const std::vector<AerEvent>& events) {
        const std::size_t n_inputs = s_.n_inputs_;
        std::size_t steps = 0, samples = 0;
        for (const AerEvent& e : events) {
            if (e.address >= n_inputs)
                fail(fmt::format("address {} is beyond the network's {} inputs", e.address, n_inputs));
            if (e.step >= kMaxTimesteps || e.sample >= kMaxTimesteps)
                fail(
                    fmt::format("step {} of sample {} is out of range, at most 2^24 of either; a step counts "
                                "timesteps of profile.dt",
                                e.step, e.sample));
            steps = std::max<std::size_t>(steps, e.step + 1);
            samples = std::max<std::size_t>(samples, e.sample + 1);
        }
        if (samples > spec_.samples.value_or(samples))
            fail(fmt::format("sample {} has events, input.samples is {}", samples - 1, *spec_.samples));
        if (!spec_.samples || spec_.timesteps == 0)
            s_.notes_.push_back(
                fmt::format("{}: {} samples of {} timesteps, up to the last event; input.samples and "
                            "input.timesteps keep silent ones behind it",
                            path_, spec_.samples.value_or(samples), std::max(steps, spec_.timesteps)));
        samples = spec_.samples.value_or(samples);
        steps = std::max<std::size_t>(steps, spec_.timesteps);
        if (samples > kMaxTimesteps ||
            samples * steps > (std::size_t{1} << 31) / std::max<std::size_t>(n_inputs, 1))
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
            if (!(d >= 0 && d < 1e12) || d != std::floor(d)) fail("array 'shape': not a shape");
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

    void take_counts() {
        s_.samples_ = s_.axes_.samples;
        if (spec_.limit != 0) s_.samples_ = std::min<std::size_t>(s_.samples_, spec_.limit);
        s_.timesteps_ = spec_.timesteps;
        if (!spikes()) return;
        if (spec_.timesteps > s_.axes_.timesteps)
            fail(fmt::format("input.timesteps is {}, the array has {} ({})", spec_.timesteps,
                             s_.axes_.timesteps, s_.axes_.text));
        if (spec_.timesteps == 0) s_.timesteps_ = s_.axes_.timesteps;
        if (s_.timesteps_ > kMaxTimesteps) fail("input.timesteps is too large");
    }

    void check_values() {
        for (std::size_t i = 0; i < s_.data_.size(); ++i) {
            const double v = s_.data_.at(i) * spec_.scale;
            if (!std::isfinite(v)) fail(fmt::format("value {} is not finite", i));
            if (random() && (v < 0 || v > 100)) {
                fail(fmt::format("value {} times input.scale is {}; a rate must be from 0 to 100", i, v));
            }
        }
        if (!spikes() || spec_.scale != 1) return;
        if (const std::string note = graded_note(s_.data_); !note.empty())
            s_.notes_.push_back(path_ + ": " + note);
    }

    /// Finest multiples of a power of two that the largest value has `bits` bits of.
    void round_values() {
        std::vector<double> values(s_.data_.size());
        double largest = 0;
        for (std::size_t i = 0; i < values.size(); ++i) {
            values[i] = s_.data_.at(i) * spec_.scale;
            largest = std::max(largest, std::abs(values[i]));
        }
        RoundedInput r{*spec_.bits, kFinest, 0, 0, 0, 0, 0};
        const double most = std::ldexp(1.0, static_cast<int>(r.bits)) - 1;
        while (r.exponent > 0 && std::ceil(std::ldexp(largest, r.exponent)) > most) --r.exponent;
        if (std::ceil(largest) > most)
            fail(fmt::format("values up to {} do not fit input.bits: {}; scale them (input.scale)", largest,
                             r.bits));
        const CounterRng rng(spec_.seed, kRoundingStream);
        for (std::size_t i = 0; i < values.size(); ++i) {
            if (values[i] == 0) continue;
            const double whole = rounded(std::ldexp(values[i], r.exponent), rng, i);
            const double error = std::abs(std::ldexp(whole, -r.exponent) - values[i]);
            ++r.values;
            r.changed += error != 0 ? 1 : 0;
            r.zeroed += whole == 0 ? 1 : 0;
            r.max_error = std::max(r.max_error, error);
            r.mean_error += error;
            values[i] = std::ldexp(whole, -r.exponent);
        }
        r.mean_error /= static_cast<double>(std::max<std::uint64_t>(r.values, 1));
        s_.data_ = Array::of(s_.data_.shape(), values);
        s_.spec_.scale = 1;
        s_.rounded_ = r;
        if (r.changed != 0)
            s_.notes_.push_back(
                fmt::format("{}: rounded to {} bits, multiples of 2^-{}: {} of {} values changed, {} of them "
                            "to 0; largest error {:.4g}",
                            path_, r.bits, r.exponent, r.changed, r.values, r.zeroed, r.max_error));
    }

    double rounded(double x, const CounterRng& rng, std::size_t i) const {
        switch (spec_.rounding.value_or(Rounding::Nearest)) {
            case Rounding::Floor:
                return std::floor(x);
            case Rounding::Stochastic:
                return std::floor(x + rng.uniform(i, 0));
            case Rounding::Nearest:
                break;
        }
        return std::nearbyint(x);
    }

    void take_labels() {
        if (kind_ != ".npz") fail("input.labels needs an .npz");
        const Array labels = read_npz(path_, spec_.labels);
        rule(
            [&] {
                s_.labels_ = class_labels(labels, s_.axes_, s_.samples_);
                check_classes(s_.labels_, network_.classes);
            },
            "array '" + spec_.labels + "': ");
    }

    const StimulusSpec& spec_;
    const std::string& path_;
    const NetworkSide& network_;
    std::string kind_;  ///< extension, lower case
    Stimulus s_;
    std::vector<std::size_t> shape_;  ///< of the values, bits not packed
};

Stimulus Stimulus::load(const StimulusSpec& spec, const std::string& path, const NetworkSide& network) {
    return Loader(spec, path, network).load();
}

double Stimulus::element(std::size_t sample, std::size_t step, std::size_t i) const {
    const std::size_t at = axes_.at(sample, step) + i;
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
        if (v != 0.0) out.emplace_back(static_cast<std::uint32_t>(i), v);
    }
}

}  // namespace loom::traces
