// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "training/work/training_work.hpp"

namespace loom::training {

/// Which positions of the other map each position of a map is connected to, and by which tap. Forward: of
/// each output its inputs; backward: of each input its outputs. Padding has no entries.
class Neighbours {
  public:
    struct Entry {
        std::uint32_t position, tap;
    };
    static Neighbours forward(const arch::LinearShape& s);
    static Neighbours backward(const arch::LinearShape& s);
    std::span<const Entry> of(std::size_t position) const {
        return {entries_.data() + first_[position], entries_.data() + first_[position + 1]};
    }
    std::size_t positions() const { return first_.size() - 1; }

  private:
    std::vector<Entry> entries_;
    std::vector<std::uint32_t> first_{0};
};

/// Channels [first, first + count) of `all`.
struct ChannelRange {
    std::size_t first, count, all;
    /// Those of group `group` of a matrix.
    static ChannelRange inputs(const arch::LinearShape& s, std::size_t group) {
        return {group * s.group_inputs(), s.group_inputs(), s.in_c};
    }
    static ChannelRange outputs(const arch::LinearShape& s, std::size_t group) {
        return {group * s.group_outputs(), s.group_outputs(), s.out_c};
    }
};

/// The bits of some samples of one timestep, each position's channels (of a range) starting a word. Of
/// several signals of one shape the bits are put together (or) and their numbers added. With `group` > 1 a
/// bit stands for a group of so many neighbouring channels with any bit set (group: 1, 2, 4 or 8).
class Pixels {
  public:
    Pixels(const std::vector<const arch::BitSignal*>& signals, std::size_t t, std::size_t b0, std::size_t b1,
           std::size_t positions, const ChannelRange& channels, std::size_t group = 1);
    std::span<const std::uint64_t> words(std::size_t pixel) const {
        return {words_.data() + pixel * per_pixel_, per_pixel_};
    }
    /// Set bits of a pixel (sample - b0) * positions + position.
    std::uint32_t ones(std::size_t pixel) const { return ones_[pixel]; }
    /// Set bits among channels [first, end) of a pixel; not grouped.
    std::uint32_t ones(std::size_t pixel, std::size_t first, std::size_t end) const;
    std::size_t words_per_pixel() const { return per_pixel_; }
    std::size_t channels() const { return channels_; }

  private:
    std::size_t per_pixel_, channels_;
    std::vector<std::uint64_t> words_;
    std::vector<std::uint32_t> ones_;
};

/// Bits at the lowest place of every group of `group` (a power of two <= 64) that has any bit set.
std::uint64_t group_bits(std::uint64_t word, std::size_t group);

/// Channel-major bits over places (timestep, sample, output position): what meets in a weight gradient.
class Places {
  public:
    Places(std::size_t rows, std::size_t places) : words_((places + 63) / 64), bits_(rows * words_) {}
    void set(std::size_t row, std::size_t place) {
        bits_[row * words_ + place / 64] |= std::uint64_t{1} << place % 64;
    }
    std::span<const std::uint64_t> row(std::size_t r) const { return {bits_.data() + r * words_, words_}; }
    std::uint64_t ones(std::size_t r) const;
    std::uint64_t pairs(std::size_t r, const Places& other, std::size_t s) const {
        std::uint64_t n = 0;
        const std::uint64_t* a = bits_.data() + r * words_;
        const std::uint64_t* b = other.bits_.data() + s * words_;
        for (std::size_t w = 0; w < words_; ++w) n += static_cast<std::uint64_t>(std::popcount(a[w] & b[w]));
        return n;
    }
    void fold(std::size_t group);

  private:
    std::size_t words_;
    std::vector<std::uint64_t> bits_;
};

}  // namespace loom::training
