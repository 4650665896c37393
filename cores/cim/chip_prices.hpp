// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "arch/chip_spec.hpp"

namespace loom::cores {

/// The chip with the prices that follow from its arrays (arch/cim_prices.hpp) in the lists of its kinds
/// of cores. Throws ConfigError.
arch::ChipSpec with_derived_prices(arch::ChipSpec chip);

}  // namespace loom::cores
