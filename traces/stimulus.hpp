// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/fields.hpp"
#include "base/rng.hpp"
#include "base/sparse_vector.hpp"
#include "traces/array.hpp"
#include "traces/sample_rules.hpp"

namespace loom::traces {

enum class Encoding { Constant, Spikes, Bernoulli, Poisson };
inline std::span<const std::string_view> enum_names(Encoding*) {
    static constexpr std::array<std::string_view, 4> names{"constant", "spikes", "bernoulli", "poisson"};
    return names;
}

/// How values of the input become multiples of a power of two.
enum class Rounding { Nearest, Floor, Stochastic };
inline std::span<const std::string_view> enum_names(Rounding*) {
    static constexpr std::array<std::string_view, 3> names{"nearest", "floor", "stochastic"};
    return names;
}

/// What `input.bits` did to the values.
struct RoundedInput {
    std::uint64_t bits = 0;
    int exponent = 0;                       ///< the values are multiples of 2^-exponent
    double max_error = 0, mean_error = 0;   ///< of values other than 0
    std::uint64_t values = 0;               ///< other than 0, before
    std::uint64_t changed = 0, zeroed = 0;  ///< of those
};

/// Spikes of a random encoding: a pure function of the generator, the element and the timestep.
double random_spikes(Encoding encoding, double rate, const CounterRng& rng, std::uint64_t element,
                     std::uint32_t step);

/// The `input:` section of a run.
struct StimulusSpec {
    std::string file;
    std::string array;
    double scale = 1.0;
    Encoding encoding = Encoding::Constant;
    std::uint64_t timesteps = 0;
    std::optional<std::uint64_t> samples;
    std::optional<AxisOrder> order;
    std::optional<std::uint64_t> bits;
    std::optional<Rounding> rounding;
    bool packed = false;
    std::string labels;
    std::uint64_t limit = 0;
    std::uint64_t seed = 1;
};
template <class V>
void fields(V& v, StimulusSpec& s) {
    v("file", s.file, {.doc = ".npy, .npz, NIRData (.h5, .hdf5, .nird) or AER as .csv", .required = true});
    v("array", s.array, {.doc = "array of an .npz, node of a NIRData file"});
    v("scale", s.scale, {.doc = "values are multiplied by this"});
    v("encoding", s.encoding,
      {.doc = "constant: [samples, ...] in every timestep; spikes: [timesteps, samples, ...]; bernoulli, "
              "poisson: random spikes at the rate of [samples, ...]"});
    v("timesteps", s.timesteps, {.doc = "timesteps of a sample; 0: all there are (spikes only)"});
    v("samples", s.samples, {.doc = "of a .csv of events; default: up to the last that has one", .min = 1});
    v("order", s.order,
      {.doc = "of the first two axes of spikes in .npy and .npz; default: timesteps_first"});
    v("bits", s.bits,
      {.doc = "values are rounded to so many bits, as chips in fixed point need it of values that are not "
              "whole; "
              "default: not rounded",
       .min = 1,
       .max = 30});
    v("rounding", s.rounding,
      {.doc = "of `bits`: nearest (ties to even), floor, stochastic; default: nearest"});
    v("packed", s.packed, {.doc = "bits packed along the last axis, true shape in the array `shape`"});
    v("labels", s.labels, {.doc = "array of class labels in the same .npz"});
    v("limit", s.limit, {.doc = "first so many samples only; 0: all"});
    v("seed", s.seed, {.doc = "of the random encodings", .max = kAnyWhole});
}

/// What the network and its profile say of the data.
struct NetworkSide {
    std::vector<std::size_t> input;  ///< shape of a sample
    std::size_t classes = 0;         ///< that a label may name
    double dt = 1e-4;                ///< seconds of a timestep
};

/// Input of all samples. Random encodings are pure functions of seed, sample, step and element.
class Stimulus {
  public:
    /// Throws IoError, InputError.
    static Stimulus load(const StimulusSpec& spec, const std::string& path, const NetworkSide& network);

    std::size_t samples() const { return samples_; }
    std::size_t timesteps() const { return timesteps_; }
    bool constant() const { return spec_.encoding == Encoding::Constant; }
    const std::vector<std::int64_t>& labels() const { return labels_; }
    /// What was lost to `bits`; none: nothing was rounded.
    const std::optional<RoundedInput>& rounded() const { return rounded_; }
    /// What a user may not expect of the data.
    const std::vector<std::string>& notes() const { return notes_; }
    /// The values of one timestep that are not zero.
    void values(std::size_t sample, std::size_t step, SparseVector& out) const;

  private:
    class Loader;
    double element(std::size_t sample, std::size_t step, std::size_t i) const;

    StimulusSpec spec_;
    Array data_;
    SampleAxes axes_;
    std::size_t samples_ = 0, timesteps_ = 0, n_inputs_ = 0;
    std::size_t last_axis_ = 0, packed_axis_ = 0;  ///< packed: true and stored length of the last axis
    std::vector<std::int64_t> labels_;
    std::optional<RoundedInput> rounded_;
    std::vector<std::string> notes_;
};

}  // namespace loom::traces
