// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstddef>
#include <span>
#include <vector>

namespace loom::learn {

/// Shape of one timestep of one sample. Elements are stored [row][column][channel]; vectors are 1 x 1 x n.
struct Shape {
    std::size_t height = 1, width = 1, channels = 1;
    std::size_t count() const { return height * width * channels; }
    bool spatial() const { return height * width > 1; }
    bool operator==(const Shape&) const = default;
    /// Place of stored element i in [channel][row][column] order, as NIR and numpy files count.
    std::size_t channel_first(std::size_t i) const { return (i % channels) * height * width + i / channels; }
};

/// float32 values [timestep][sample][element].
class Signal {
  public:
    Signal() = default;
    Signal(std::size_t steps, std::size_t batch, std::size_t count) { resize(steps, batch, count); }
    /// All zero afterwards.
    void resize(std::size_t steps, std::size_t batch, std::size_t count) {
        steps_ = steps, batch_ = batch, count_ = count;
        data_.assign(steps * batch * count, 0.0F);
    }
    std::size_t steps() const { return steps_; }
    std::size_t batch() const { return batch_; }
    std::size_t count() const { return count_; }
    std::span<float> at(std::size_t t, std::size_t b) {
        return {data_.data() + (t * batch_ + b) * count_, count_};
    }
    std::span<const float> at(std::size_t t, std::size_t b) const {
        return {data_.data() + (t * batch_ + b) * count_, count_};
    }
    std::span<float> all() { return data_; }
    std::span<const float> all() const { return data_; }

    /// The same values at every timestep (a constant input current): work on it is done once.
    bool constant = false;

  private:
    std::size_t steps_ = 0, batch_ = 0, count_ = 0;
    std::vector<float> data_;
};

}  // namespace loom::learn
