// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>

#include "arch/cim_spec.hpp"

namespace loom::cores {

/// The width of a partial sum: what does not fit saturates or wraps, and is counted.
class PsumWidth {
  public:
    explicit PsumWidth(const arch::CimPsumSpec& spec)
        : top_((std::int64_t{1} << (spec.psum_bits - 1)) - 1),
          unused_(64 - static_cast<int>(spec.psum_bits)),
          saturate_(spec.overflow == arch::CimOverflow::Saturate) {}
    std::int64_t top() const { return top_; }
    std::int64_t kept(std::int64_t s, std::uint64_t& overflows) const {
        if (s <= top_ && s >= -top_ - 1) [[likely]]
            return s;
        ++overflows;
        if (saturate_) return s > 0 ? top_ : -top_ - 1;
        return static_cast<std::int64_t>(static_cast<std::uint64_t>(s) << unused_) >> unused_;
    }

  private:
    std::int64_t top_;
    int unused_;
    bool saturate_;
};

}  // namespace loom::cores
