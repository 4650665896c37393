// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cmath>
#include <cstdint>
#include <vector>

#include "arch/cim_spec.hpp"

namespace loom::cores {

/// The transfer function of the converters: sums of cell levels to codes, range, clipping.
class CimConverter {
  public:
    CimConverter(const arch::CimSpec& spec, std::uint64_t seed, std::uint32_t core,
                 std::uint64_t n_converters);

    /// Cell levels per code, D > 0.
    double step() const { return step_; }
    std::int64_t lowest() const { return lowest_; }
    std::int64_t highest() const { return highest_; }
    bool ideal() const { return ideal_; }
    /// No sum of up to rows_parallel rows is clipped or rounded.
    bool exact() const { return exact_; }

    /// Range from observed sums (exact integers): mean + fs_sigmas * sigma.
    void calibrate(std::int64_t count, std::int64_t sum, std::int64_t sum_of_squares);

    struct Code {
        std::int32_t value;
        bool clipped;
    };
    /// Of an integer sum by an ideal converter: y in [-span, span] (signed) or [0, span].
    Code of(std::int64_t y) const { return table_[static_cast<std::size_t>(y + table_origin_)]; }
    /// Of a real sum by converter `adc`, with its gain, offset and non-linearity.
    Code of(double y, std::size_t adc) const {
        const double code = (ideal_ ? y / step_ : distorted(y, adc)) + 0.5;  // before floor
        if (!(code >= static_cast<double>(lowest_))) return {static_cast<std::int32_t>(lowest_), true};
        if (code >= static_cast<double>(highest_ + 1)) return {static_cast<std::int32_t>(highest_), true};
        // truncation is floor where nothing is negative
        return {static_cast<std::int32_t>(signed_ ? std::floor(code) : code), false};
    }

  private:
    void set_range(double full_scale);
    double distorted(double y, std::size_t adc) const;
    double inl(double code) const;

    bool signed_, ideal_ = true, exact_ = false;
    arch::CimFullScale fs_;
    double fs_sigmas_, step_ = 1;
    std::int64_t lowest_ = 0, highest_ = 0, largest_sum_ = 0, table_origin_ = 0;
    std::vector<double> gain_, offset_, inl_;
    std::vector<Code> table_;
};

}  // namespace loom::cores
