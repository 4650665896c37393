// SPDX-License-Identifier: Apache-2.0
#include "cores/cim/converter.hpp"

#include <algorithm>
#include <cmath>

#include "cores/cim/random.hpp"
#include "base/error.hpp"

namespace loom::cores {

CimConverter::CimConverter(const arch::CimSpec& s, std::uint64_t seed, std::uint32_t core,
                           std::uint64_t n_converters)
    : signed_(s.weights.sub_position == arch::CimSubtraction::Analog ||
              s.weights.encoding == arch::CimEncoding::DifferentialRows),
      fs_(s.adc.fs),
      fs_sigmas_(s.adc.fs_sigmas),
      inl_(s.adc.inl) {
    const std::int64_t codes = std::int64_t{1} << s.adc.adc_bits;
    lowest_ = signed_ ? -codes / 2 : 0;
    highest_ = signed_ ? codes / 2 - 1 : codes - 1;
    largest_sum_ = static_cast<std::int64_t>(s.rows.rows_parallel * ((1u << s.array.cell_bits) - 1));
    if (s.weights.encoding == arch::CimEncoding::DifferentialRows) largest_sum_ /= 2;  // one cell of a pair
    if (s.adc.gain_sigma > 0 || s.adc.offset_sigma > 0) {
        const CounterRng gain(seed, cim_stream(CimDraw::AdcGain)),
            offset(seed, cim_stream(CimDraw::AdcOffset));
        for (std::uint64_t i = 0; i < n_converters; ++i) {
            gain_.push_back(1.0 + s.adc.gain_sigma * gain.normal(i, core));
            offset_.push_back(s.adc.offset_sigma * offset.normal(i, core));
        }
    }
    ideal_ = gain_.empty() && inl_.empty();
    set_range(fs_ == arch::CimFullScale::Fixed ? s.adc.fs_value
                                               : static_cast<double>(std::max(highest_, largest_sum_)));
}

void CimConverter::set_range(double full_scale) {
    step_ = full_scale / static_cast<double>(highest_);
    table_origin_ = signed_ ? largest_sum_ : 0;
    table_.clear();
    exact_ = ideal_ && step_ == 1.0;
    for (std::int64_t y = -table_origin_; y <= largest_sum_; ++y) {
        const double code = std::floor(static_cast<double>(y) / step_ + 0.5);
        const double kept = std::clamp(code, static_cast<double>(lowest_), static_cast<double>(highest_));
        table_.push_back({static_cast<std::int32_t>(kept), kept != code});
        exact_ = exact_ && kept == code;
    }
}

void CimConverter::calibrate(std::int64_t count, std::int64_t sum, std::int64_t sum_of_squares) {
    if (fs_ != arch::CimFullScale::Calibrated || count == 0) return;
    const double n = static_cast<double>(count), mean = static_cast<double>(sum) / n;
    const double variance = std::max(0.0, static_cast<double>(sum_of_squares) / n - mean * mean);
    set_range(std::max(1.0, std::abs(mean) + fs_sigmas_ * std::sqrt(variance)));
}

double CimConverter::inl(double code) const {
    const double range = static_cast<double>(highest_ - lowest_);
    const double x = std::clamp((code - static_cast<double>(lowest_)) / range, 0.0, 1.0) *
                     static_cast<double>(inl_.size() - 1);
    const auto i = std::min(static_cast<std::size_t>(x), inl_.size() - 1);
    const std::size_t next = std::min(i + 1, inl_.size() - 1);
    return inl_[i] + (inl_[next] - inl_[i]) * (x - static_cast<double>(i));
}

/// In codes, with the converter's gain, offset and non-linearity.
double CimConverter::distorted(double y, std::size_t adc) const {
    double x = y;
    if (!gain_.empty()) x = gain_[adc] * x + offset_[adc];
    x /= step_;
    return inl_.empty() ? x : x + inl(x);
}

}  // namespace loom::cores
