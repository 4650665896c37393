// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "arch/area.hpp"
#include "arch/cim_spec.hpp"

namespace loom::cores {

/// Cells, converters and multiplexers of so many arrays.
arch::AreaParts array_area(const arch::CimSpec& spec, const arch::EnergySpec& prices, double arrays);

}  // namespace loom::cores
