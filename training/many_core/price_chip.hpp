// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "base/json/json.hpp"

#include "training/many_core/many_core_engine.hpp"
#include "training/price/pricing.hpp"

namespace loom::training {

/// Energy of everything that an engine of the chip has executed: lanes and buffers of the cores by
/// chip.training_energy, arrays and network by chip.energy (a last layer "network"), leakage of cores,
/// routers and links over all cycles. Throws ConfigError when something counted has no price and is not
/// excused.
/// `widths`: of the values in the cores (widths_of).
Pricing price(const EngineRecord& record, const arch::ChipSpec& chip, const arch::TrainingBits& widths);
arch::TrainingBits widths_of(const CoreRoom& room);
inline Pricing price(const ManyCoreEngine& engine) {
    return price(engine.record(), engine.chip(), widths_of(engine.arithmetic().room()));
}

/// Area in um2 of the second set of converters, with which the arrays of the chip are read transposed: one
/// per adc_share rows of each array. 0 when arrays are not transposable. Throws ConfigError without
/// energy.area."adc.<bits>".
double transposed_converter_area(const arch::ChipSpec& chip);
/// stats::area_json() with that second set as the component `transposed_converters` of the cores.
Json many_core_area_json(const arch::ChipSpec& chip);

}  // namespace loom::training
