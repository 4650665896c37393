// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <charconv>
#include <map>
#include <string>

#include "sim/arch/chip_spec.hpp"
#include "sim/arch/cim_spec.hpp"
#include "sim/base/error.hpp"
#include "sim/base/portable_math.hpp"

/// Prices of an array's events that follow from its description: converters, wires' lengths, V^2 G t.
namespace loom::arch {

/// Energy of a conversion of so many bits from a table (energy.adc.<table>.<bits>): the entry, or
/// geometrically between and beyond the two nearest, then of grade `assumed`. Throws ConfigError without such
/// a table.
inline PriceSpec conversion_price(const EnergySpec& list, const std::string& table, std::uint64_t bits) {
    const auto found = list.adc.find(table);
    if (found == list.adc.end() || found->second.empty()) {
        throw ConfigError("energy.adc: has no table '" + table + "' (adc.price_table)");
    }
    std::map<double, const PriceSpec*> entries;
    for (const auto& [name, price] : found->second) {
        unsigned n = 0;
        const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), n);
        if (error != std::errc{} || end != name.data() + name.size() || n == 0 || !(price.value.pj > 0)) {
            throw ConfigError("energy.adc." + table + "." + name + ": expected bits: price above 0");
        }
        entries[n] = &price;
    }
    const auto x = static_cast<double>(bits);
    if (const auto exact = entries.find(x); exact != entries.end()) return *exact->second;
    PriceSpec result = *entries.begin()->second;
    if (entries.size() > 1) {
        auto above = entries.upper_bound(x);
        if (above == entries.end()) --above;
        if (above == entries.begin()) ++above;
        const auto below = std::prev(above);
        const double t = (x - below->first) / (above->first - below->first);
        result = *below->second;
        result.value.pj *= portable_pow(above->second->value.pj / below->second->value.pj, t);
    }
    result.grade = "assumed";
    result.note = "interpolated to " + std::to_string(bits) + " bits; " + result.note;
    return result;
}

/// The list with prices for this array. Entries that the list has already are kept, but wordlines and columns
/// (given for 128 cells) and fetches (for 256 bits) are scaled to its size.
inline EnergySpec with_cim_prices(EnergySpec list, const CimSpec& s, double period_ps, double pulse_ps) {
    const auto scale = [&](const char* event, double factor) {
        const auto it = list.actions.find(event);
        if (it != list.actions.end()) it->second.value.pj *= factor;
    };
    scale("cim.rows_driven", static_cast<double>(s.array.cols) / 128);
    scale("cim.columns_charged", static_cast<double>(s.array.rows) / 128);
    if (s.rows.bus_bits != 0) scale("cim.fetch_beats", static_cast<double>(s.rows.bus_bits) / 256);
    if (s.array.type != CimType::SramDigital && list.actions.count("cim.conversions") == 0) {
        list.actions["cim.conversions"] = conversion_price(list, s.adc.price_table, s.adc.adc_bits);
    }
    const auto physics = [&](const char* event, double volt, double ps, const char* category,
                             const char* note) {
        if (list.actions.count(event) != 0 || list.unpriced.count(event) != 0) return;
        PriceSpec p;
        p.value = volt * volt * 1e-9 * ps;  // V^2 nS ps = 1e-21 J
        p.category = category;
        p.grade = "derived";
        p.source = "V^2 G t of the array's description";
        p.note = note;
        list.actions[event] = p;
    };
    physics("cim.cell_conductance", s.device.Vr, period_ps, "compute", "per nS and cycle at Vr");
    physics("cim.set_energy", s.write.Vset, pulse_ps, "memory", "per nS and pulse at Vset");
    physics("cim.reset_energy", s.write.Vreset, pulse_ps, "memory", "per nS and pulse at Vreset");
    physics("cim.half_select", s.write.Vset / 2, pulse_ps, "memory", "per nS and pulse at Vset / 2");
    return list;
}

}  // namespace loom::arch
