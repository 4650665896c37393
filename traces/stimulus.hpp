// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/fields.hpp"
#include "base/rng.hpp"
#include "base/sparse_vector.hpp"
#include "traces/array.hpp"

namespace loom::traces {

enum class Encoding { Constant, Spikes, Bernoulli, Poisson };
inline std::span<const std::string_view> enum_names(Encoding*) {
    static constexpr std::array<std::string_view, 4> names{"constant", "spikes", "bernoulli", "poisson"};
    return names;
}

enum class InputRounding { Nearest, Floor, TowardZero };
inline std::span<const std::string_view> enum_names(InputRounding*) {
    static constexpr std::array<std::string_view, 3> names{"nearest", "floor", "toward_zero"};
    return names;
}

/// Spikes of a random encoding: a pure function of the generator, the element and the timestep.
double random_spikes(Encoding encoding, double rate, const CounterRng& rng, std::uint64_t element,
                     std::uint32_t step);

/// The `input:` section of a run.
struct StimulusSpec {
    std::string file;
    std::string array;
    double scale = 1.0;
    std::uint64_t bits = 0;
    InputRounding rounding = InputRounding::Nearest;
    Encoding encoding = Encoding::Constant;
    std::uint64_t timesteps = 0;
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
    v("bits", s.bits,
      {.doc = "values are rounded to whole multiples of 2^-k, with the largest k for which the largest of them has so "
              "many bits; 0: they stay as they are",
       .max = 31});
    v("rounding", s.rounding, {.doc = "with bits: nearest (ties to even), floor or toward_zero"});
    v("encoding", s.encoding,
      {.doc = "constant: [samples, ...] in every timestep; spikes: [timesteps, samples, ...]; bernoulli, "
              "poisson: random spikes at the rate of [samples, ...]"});
    v("timesteps", s.timesteps, {.doc = "timesteps of a sample; 0: all there are (spikes only)"});
    v("packed", s.packed, {.doc = "bits packed along the last axis, true shape in the array `shape`"});
    v("labels", s.labels, {.doc = "array of class labels in the same .npz"});
    v("limit", s.limit, {.doc = "first so many samples only; 0: all"});
    v("seed", s.seed, {.doc = "of the random encodings", .max = kAnyWhole});
}

/// Input of all samples. Random encodings are pure functions of seed, sample, step and element.
class Stimulus {
  public:
    /// n_inputs: elements of the network's input. Throws IoError, InputError.
    static Stimulus load(const StimulusSpec& spec, const std::string& path, std::size_t n_inputs);

    std::size_t samples() const { return samples_; }
    std::size_t timesteps() const { return timesteps_; }
    bool constant() const { return spec_.encoding == Encoding::Constant; }
    const std::vector<std::int64_t>& labels() const { return labels_; }
    /// Values of the file, those of the samples that are used, that input.bits has rounded.
    std::uint64_t rounded() const { return rounded_; }
    /// The values of one timestep that are not zero.
    void values(std::size_t sample, std::size_t step, SparseVector& out) const;

  private:
    class Loader;
    double element(std::size_t sample, std::size_t step, std::size_t i) const;
    double kept(double value) const;
    void round_values();

    StimulusSpec spec_;
    Array data_;
    std::size_t samples_ = 0, timesteps_ = 0, n_inputs_ = 0;
    std::size_t sample_stride_ = 0, step_stride_ = 0;  ///< elements
    std::size_t last_axis_ = 0, packed_axis_ = 0;      ///< packed: true and stored length of the last axis
    std::vector<std::int64_t> labels_;
    int exponent_ = 0;  ///< with input.bits: values are multiples of 2^-exponent
    std::uint64_t rounded_ = 0;
};

}  // namespace loom::traces
