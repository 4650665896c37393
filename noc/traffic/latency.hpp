// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <vector>

namespace loom::noc {

/// Latencies in cycles: exact sums and an exact histogram, longest values aside.
class LatencyStats {
  public:
    void add(std::uint64_t cycles) {
        ++count_;
        sum_ += cycles;
        if (cycles > max_) max_ = cycles;
        if (count_ == 1 || cycles < min_) min_ = cycles;
        if (cycles < kLongest) {
            if (cycles >= histogram_.size()) histogram_.resize(cycles + 1 + cycles / 2);
            ++histogram_[cycles];
        }
    }
    void clear();
    void merge(const LatencyStats& o);
    std::uint64_t count() const { return count_; }
    // Without packets the figures below are 0 and mean nothing.
    std::uint64_t max() const { return max_; }
    std::uint64_t min() const { return min_; }
    double mean() const { return count_ == 0 ? 0 : static_cast<double>(sum_) / static_cast<double>(count_); }
    /// Smallest latency that at least the share q of the packets does not exceed.
    std::uint64_t quantile(double q) const;
    const std::vector<std::uint64_t>& histogram() const { return histogram_; }

  private:
    static constexpr std::uint64_t kLongest = 1u << 20;
    std::uint64_t count_ = 0, sum_ = 0, max_ = 0, min_ = 0;
    std::vector<std::uint64_t> histogram_;
};

}  // namespace loom::noc
