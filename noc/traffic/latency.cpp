// SPDX-License-Identifier: Apache-2.0
#include "noc/traffic/latency.hpp"

#include <algorithm>
#include <cmath>

namespace loom::noc {

void LatencyStats::clear() {
    count_ = sum_ = max_ = min_ = 0;
    std::fill(histogram_.begin(), histogram_.end(), 0u);
}

void LatencyStats::merge(const LatencyStats& o) {
    if (o.count_ == 0) return;
    min_ = count_ == 0 ? o.min_ : std::min(min_, o.min_);
    max_ = std::max(max_, o.max_);
    count_ += o.count_;
    sum_ += o.sum_;
    if (histogram_.size() < o.histogram_.size()) histogram_.resize(o.histogram_.size());
    for (std::size_t i = 0; i < o.histogram_.size(); ++i) histogram_[i] += o.histogram_[i];
}

std::uint64_t LatencyStats::quantile(double q) const {
    const auto need = static_cast<std::uint64_t>(std::ceil(q * static_cast<double>(count_)));
    std::uint64_t seen = 0;
    for (std::size_t i = 0; i < histogram_.size(); ++i) {
        seen += histogram_[i];
        if (seen >= need && seen > 0) return i;
    }
    return max_;
}

}  // namespace loom::noc
