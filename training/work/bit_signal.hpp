// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <bit>
#include <cstdint>
#include <span>
#include <vector>

namespace loom::arch {

/// One bit per element, [timestep][sample][element]; every row (timestep, sample) starts a 64-bit word, spare
/// bits are 0.
class BitSignal {
  public:
    BitSignal() = default;
    BitSignal(std::size_t steps, std::size_t batch, std::size_t count)
        : steps_(steps),
          batch_(batch),
          count_(count),
          words_((count + 63) / 64),
          bits_(steps * batch * words_) {}
    std::size_t steps() const { return steps_; }
    std::size_t batch() const { return batch_; }
    std::size_t count() const { return count_; }
    std::span<std::uint64_t> row(std::size_t t, std::size_t b) {
        return {bits_.data() + (t * batch_ + b) * words_, words_};
    }
    std::span<const std::uint64_t> row(std::size_t t, std::size_t b) const {
        return {bits_.data() + (t * batch_ + b) * words_, words_};
    }
    void set(std::size_t t, std::size_t b, std::size_t i) { row(t, b)[i / 64] |= std::uint64_t{1} << i % 64; }
    bool test(std::size_t t, std::size_t b, std::size_t i) const {
        return (row(t, b)[i / 64] >> i % 64 & 1) != 0;
    }
    /// Set bits of a row.
    std::uint64_t ones(std::size_t t, std::size_t b) const {
        std::uint64_t n = 0;
        for (const std::uint64_t w : row(t, b)) n += static_cast<std::uint64_t>(std::popcount(w));
        return n;
    }
    std::uint64_t ones() const {
        std::uint64_t n = 0;
        for (const std::uint64_t w : bits_) n += static_cast<std::uint64_t>(std::popcount(w));
        return n;
    }
    bool empty() const { return bits_.empty(); }

  private:
    std::size_t steps_ = 0, batch_ = 0, count_ = 0, words_ = 0;
    std::vector<std::uint64_t> bits_;
};

}  // namespace loom::arch
