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

/// Adds counters, and counters times prices, to a layer and phase.
class Adder {
  public:
    Adder(const stats::PriceTable& prices, Pricing& to) : prices_(prices), to_(to) {}
    template <class C>
    void add(std::size_t layer, std::size_t phase, const C& counters) {
        fields(
            [&](const char* name, const std::uint64_t& n, bool priced, const char*) {
                if (n == 0) return;
                to_.layers[layer].events[phase][name] += n;
                if (priced) add_event(layer, phase, name, n);
            },
            const_cast<C&>(counters));  // only read
    }

  private:
    void add_event(std::size_t layer, std::size_t phase, const char* name, std::uint64_t n) {
        const stats::PriceTable::Entry& entry = prices_.of(name);
        if (entry.spec == nullptr && !entry.excused)
            throw ConfigError(fmt::format("energy.actions.{}: missing; it was counted in training", name));
        to_.add(static_cast<Phase>(phase),
                {.layer = static_cast<std::uint32_t>(layer),
                 .count = n,
                 .price_pj = entry.pj,
                 .category = static_cast<std::uint32_t>(level_of(entry.category))});
    }

    const stats::PriceTable& prices_;
    Pricing& to_;
};

}  // namespace

arch::TrainingBits widths_of(const CoreRoom& room) {
    arch::TrainingBits bits;
    bits.weight = room.weight_bits;
    bits.membrane = room.membrane_bits;
    bits.error = room.error_bits;
    bits.gradient = room.gradient_bits;
    bits.state = room.state_bits;
    return bits;
}

Pricing price(const EngineRecord& record, const arch::ChipSpec& described, const arch::TrainingBits& widths) {
    const arch::ChipSpec chip = arch::with_derived_prices(described);
    check_training_prices(chip.training_energy);
    // What arrays do is priced by their own events (cim.*).
    Pricing result =
        TrainingPrices(chip.training_energy, widths, {"array_ac", "array_mac", "pulses"}).dynamic(record);
    const stats::ChipPrices prices(chip);
    Adder adder(prices.of_kind(0), result);
    const std::size_t network = result.layers.size();
    result.layers.push_back({"network", {}, {}});
    const ManyCoreCounters none;
    const ManyCoreCounters& counters = record.many_core != nullptr ? *record.many_core : none;
    for (std::size_t p = 0; p < kPhases; ++p) {
        for (std::size_t item = 0; counters.arrays && item < network; ++item)
            adder.add(item, p, counters.arrays->items[item][p]);
        adder.add(network, p, counters.network[p]);
    }
    const stats::Leakage l = stats::StaticPower(chip).over(record.cycles);
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

Json many_core_area_json(const arch::ChipSpec& chip) {
    Json j = stats::area_json(chip);
    const auto* cells = chip.kind(0).own<arch::CimCoreSpec>();
    if (j["total_mm2"].is_null() || cells == nullptr || !cells->training.transposable) return j;
    const auto figure = chip.energy.area.find(fmt::format("adc.{}", cells->adc.adc_bits));
    if (figure == chip.energy.area.end()) {
        j["not_included"].push_back("converters of transposed reads");
        return j;
    }
    const double um2 = transposed_converter_area(chip);
    Json& kind = j["kinds"].items().front().value;
    kind["components"]["transposed_converters"] =
        stats::part_json({"", um2 / figure->second.value, figure->second});
    kind["core_mm2"] = kind["core_mm2"].get<double>() + um2 * 1e-6 / static_cast<double>(chip.n_cores());
    kind["total_mm2"] = kind["total_mm2"].get<double>() + um2 * 1e-6;
    j["total_mm2"] = j["total_mm2"].get<double>() + um2 * 1e-6;
    return j;
}

}  // namespace loom::training
