// SPDX-License-Identifier: Apache-2.0
#include "cores/cim/chip_prices.hpp"

#include "cores/cim/shape.hpp"
#include "arch/cim_prices.hpp"

namespace loom::cores {
namespace {

arch::EnergySpec derived(const arch::EnergySpec& list, const arch::CimSpec& spec, double period_ps) {
    const CimShape shape = cim_shape(spec, 1, 1, period_ps);
    return arch::with_cim_prices(list, spec, shape.period_ps,
                                 static_cast<double>(shape.t_pulse) * shape.period_ps);
}

}  // namespace

arch::ChipSpec with_derived_prices(arch::ChipSpec chip) {
    const double period = chip.clock.period;
    if (chip.cores.empty()) {
        if (chip.core.in_memory() && chip.core.cim)
            chip.energy = derived(chip.energy, *chip.core.cim, period);
        return chip;
    }
    for (arch::CoreKindSpec& kind : chip.cores) {
        if (!kind.in_memory() || !kind.cim) continue;
        arch::EnergySpec list = kind.energy;
        for (const auto& [event, price] : chip.energy.actions) {
            if (event.starts_with("cim.") && list.unpriced.count(event) == 0)
                list.actions.emplace(event, price);
        }
        for (const auto& [event, reason] : chip.energy.unpriced) {
            if (event.starts_with("cim.") && list.actions.count(event) == 0)
                list.unpriced.emplace(event, reason);
        }
        if (list.adc.empty()) list.adc = chip.energy.adc;
        if (list.digital_mac.empty()) list.digital_mac = chip.energy.digital_mac;
        kind.energy = derived(list, *kind.cim, period);
    }
    return chip;
}

}  // namespace loom::cores
