// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "sim/arch/window.hpp"

namespace loom::learn {

/// Outputs along one axis that each input reaches, with their taps, in the order of taps.
class AxisTaps {
  public:
    struct Entry {
        std::uint32_t output, tap;
    };
    AxisTaps(const arch::WindowAxis& axis, std::size_t inputs, std::size_t outputs) {
        for (std::size_t i = 0; i < inputs; ++i) {
            axis.each_output(i, outputs, [&](std::size_t output, std::size_t tap) {
                entries_.push_back({static_cast<std::uint32_t>(output), static_cast<std::uint32_t>(tap)});
            });
            first_.push_back(static_cast<std::uint32_t>(entries_.size()));
        }
    }
    std::span<const Entry> of(std::size_t input) const {
        return {entries_.data() + first_[input], entries_.data() + first_[input + 1]};
    }

  private:
    std::vector<Entry> entries_;
    std::vector<std::uint32_t> first_{0};
};

}  // namespace loom::learn
