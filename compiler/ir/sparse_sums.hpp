// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <algorithm>

#include "base/sparse_vector.hpp"

namespace loom::compiler {

/// Adds up contributions to the elements of a sparse vector. Those of one element are added in the order in
/// which they come, so that the sums do not depend on how they are stored.
class SparseSums {
  public:
    void add(std::size_t element, double value) {
        if (entries_.size() >= limit_) {
            merge();
            limit_ = std::max(kLimit, 2 * entries_.size());
        }
        entries_.emplace_back(static_cast<std::uint32_t>(element), value);
    }
    /// The sums, elements ascending; there is nothing left after it.
    void take(SparseVector& out) {
        merge();
        out.clear();
        out.swap(entries_);
        limit_ = kLimit;
    }

  private:
    void merge() {
        std::stable_sort(entries_.begin(), entries_.end(),
                         [](const auto& a, const auto& b) { return a.first < b.first; });
        std::size_t n = 0;
        for (std::size_t i = 0; i < entries_.size();) {
            const std::uint32_t element = entries_[i].first;
            double sum = 0;
            for (; i < entries_.size() && entries_[i].first == element; ++i) sum += entries_[i].second;
            entries_[n++] = {element, sum};
        }
        entries_.resize(n);
    }
    static constexpr std::size_t kLimit = std::size_t{1} << 16;  ///< entries before they are merged
    SparseVector entries_;
    std::size_t limit_ = kLimit;
};

}  // namespace loom::compiler
