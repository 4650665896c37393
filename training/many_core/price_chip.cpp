// SPDX-License-Identifier: Apache-2.0
#include "training/many_core/price_chip.hpp"

#include <fmt/format.h>

#include "arch/cim_core_spec.hpp"
#include "arch/core_kinds.hpp"
#include "base/error.hpp"
#include "sim/report/area_report.hpp"
#include "sim/report/energy_ledger.hpp"
#include "sim/report/energy_prices.hpp"

namespace loom::training {
namespace {

Level level_of(std::uint32_t category) {
    const std::string_view name = stats::kCategories.at(category);
    if (name == "memory") return Level::Buffer;
    return name == "noc" ? Level::Network : Level::Compute;
}

/// What the price list of lanes and buffers must know of the chip.
arch::TrainingChip lanes_of(const arch::ChipSpec& chip, const CoreRoom& room) {
    arch::TrainingChip lanes;
    lanes.clock_period = chip.clock.period;
    lanes.energy = chip.training_energy;
    lanes.energy.leakage.clear();  // by chip.energy
    for (const char* array : {"array_ac", "array_mac", "pulses"})
        lanes.energy.unpriced.emplace(array, "priced by what the arrays do (cim.*)");
    lanes.bits.weight = room.weight_bits;
    lanes.bits.membrane = room.membrane_bits;
    lanes.bits.error = room.error_bits;
    lanes.bits.gradient = room.gradient_bits;
    lanes.bits.state = room.state_bits;
    return lanes;
}

/// Adds counters, and counters times prices, to a layer and phase.
class Adder {
  public:
    Adder(const stats::PriceTable& prices, Pricing& to) : prices_(prices), to_(to) {}
    template <class C>
    void add(LayerEnergy& layer, std::size_t phase, const C& counters) {
        fields(
            [&](const char* name, std::uint64_t& n, bool priced, const char*) {
                if (n == 0) return;
                layer.events[phase][name] += n;
                if (!priced) return;
                const stats::PriceTable::Entry& entry = prices_.of(name);
                if (entry.spec == nullptr && !entry.excused)
                    throw ConfigError(
                        fmt::format("energy.actions.{}: missing; it was counted in training", name));
                const double pj = static_cast<double>(n) * entry.pj;
                layer.pj[phase][static_cast<std::size_t>(level_of(entry.category))] += pj;
                to_.dynamic_pj += pj;
            },
            const_cast<C&>(counters));  // only read
    }

  private:
    const stats::PriceTable& prices_;
    Pricing& to_;
};

}  // namespace

Pricing price(const ManyCoreEngine& engine) {
    const arch::ChipSpec chip = arch::with_derived_prices(engine.chip());
    const arch::TrainingChip lanes = lanes_of(chip, engine.arithmetic().room());
    check_prices(lanes);
    Pricing result = price(engine.record(), lanes);
    const stats::ChipPrices prices(chip);
    Adder adder(prices.of_kind(0), result);
    LayerEnergy network{"network", {}};
    for (std::size_t p = 0; p < kPhases; ++p) {
        const auto phase = static_cast<Phase>(p);
        for (std::uint32_t item = 0; item < result.layers.size(); ++item)
            if (const cores::CimCounters* c = engine.arithmetic().array_counters(item, phase))
                adder.add(result.layers[item], p, *c);
        adder.add(network, p, engine.network_counters(phase));
    }
    result.layers.push_back(std::move(network));
    const stats::Leakage l = stats::StaticPower(chip).over(engine.record().cycles);
    result.leakage_pj = {{"core", l.core_pj},
                         {"router", l.router_pj},
                         {"link", l.link_pj},
                         {"bridge", l.bridge_pj},
                         {"chip", l.chip_pj}};
    result.total_pj = result.dynamic_pj + l.total_pj();
    return result;
}

double transposed_converter_area(const arch::ChipSpec& chip) {
    const auto* cells = chip.kind(0).own<arch::CimCoreSpec>();
    if (cells == nullptr || !cells->training.transposable) return 0;
    const arch::CimCoreSpec& s = *cells;
    const std::string key = fmt::format("adc.{}", s.adc.adc_bits);
    const auto area = chip.energy.area.find(key);
    if (area == chip.energy.area.end())
        throw ConfigError(
            fmt::format("energy.area.{}: missing; the arrays' second set of converters needs it", key));
    const std::uint64_t converters = s.array.rows / std::min(s.adc.adc_share, s.array.rows) * s.arrays;
    return area->second.value * static_cast<double>(converters * chip.n_cores());
}

nlohmann::ordered_json many_core_area_json(const arch::ChipSpec& chip) {
    nlohmann::ordered_json j = stats::area_json(chip);
    const auto* cells = chip.kind(0).own<arch::CimCoreSpec>();
    if (j["total_mm2"].is_null() || cells == nullptr || !cells->training.transposable) return j;
    const auto figure = chip.energy.area.find(fmt::format("adc.{}", cells->adc.adc_bits));
    if (figure == chip.energy.area.end()) {
        j["not_included"].push_back("converters of transposed reads");
        return j;
    }
    const double um2 = transposed_converter_area(chip);
    auto& kind = j["kinds"].begin().value();
    kind["components"]["transposed_converters"] =
        stats::part_json({"", um2 / figure->second.value, figure->second});
    kind["core_mm2"] = kind["core_mm2"].get<double>() + um2 * 1e-6 / static_cast<double>(chip.n_cores());
    kind["total_mm2"] = kind["total_mm2"].get<double>() + um2 * 1e-6;
    j["total_mm2"] = j["total_mm2"].get<double>() + um2 * 1e-6;
    return j;
}

}  // namespace loom::training
