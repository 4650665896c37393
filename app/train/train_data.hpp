// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "app/train/train_spec.hpp"
#include "traces/array.hpp"
#include "training/learn/signal.hpp"

namespace loom::app {

/// Samples with their classes, float32, in the order of the network's elements ([row][column][channel]).
struct SampleSet {
    std::size_t samples = 0;
    std::size_t steps = 0;      ///< recorded timesteps; 1: the same value in all
    std::vector<float> values;  ///< [sample][step][element]
    std::vector<std::int64_t> labels;
};

/// Training and test samples of a file, and how they become input signals.
class TrainData {
  public:
    /// Reads arrays and checks their shapes. `shape`: of the network's input; not given: that of a sample.
    /// Throws ConfigError "data.<key>: ...", IoError.
    TrainData(const DataSpec& spec, const std::string& path, std::optional<learn::Shape> shape,
              std::size_t timesteps);
    /// Labels must be below the number of outputs. Throws ConfigError "data.y: ...".
    void check_labels(std::size_t outputs) const;

    /// What a user may not expect of the data.
    const std::vector<std::string>& notes() const { return notes_; }
    const learn::Shape& shape() const { return shape_; }
    std::size_t samples() const { return train_.samples; }
    std::size_t test_samples() const { return test_.samples; }

    /// Samples of epoch `epoch` in its order: numpy.random.RandomState(seed + epoch).permutation(samples).
    std::vector<std::uint32_t> order(std::uint64_t epoch) const;
    /// A minibatch of training samples; random encodings differ from epoch to epoch.
    void batch(std::span<const std::uint32_t> which, std::uint64_t epoch, learn::Signal& signal,
               std::vector<std::int64_t>& labels) const;
    /// Test samples first ... first + count - 1.
    void test_batch(std::size_t first, std::size_t count, learn::Signal& signal,
                    std::vector<std::int64_t>& labels) const;

  private:
    SampleSet read(const std::string& x_key, const std::string& x, const std::string& y_key,
                   const std::string& y, std::uint64_t limit);
    void draw();
    traces::SampleAxes take_shape(const traces::Array& array);
    void take_values(const std::string& key, const traces::Array& array, const traces::SampleAxes& axes,
                     SampleSet& set) const;
    void fill(const SampleSet& set, std::size_t sample, std::uint64_t entity, std::size_t b,
              learn::Signal& signal) const;

    DataSpec spec_;
    std::string path_;
    std::optional<learn::Shape> given_;
    learn::Shape shape_;
    std::size_t timesteps_;
    SampleSet train_, test_;
    std::vector<std::string> notes_;
};

}  // namespace loom::app
