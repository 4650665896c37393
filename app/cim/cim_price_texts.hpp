// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <array>
#include <cstdint>
#include <string_view>

namespace loom::app {

/// The price lists configs/energy/cim_<node>.yaml, for arrays whose file names none.
struct CimPriceText {
    std::uint64_t node;
    std::string_view text;
};
extern const std::array<CimPriceText, 4> kCimPriceTexts;

}  // namespace loom::app
