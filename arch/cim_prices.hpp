// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <charconv>
#include <map>
#include <string>
#include <utility>

#include "arch/chip_spec.hpp"
#include "arch/cim_layout.hpp"
#include "arch/cim_spec.hpp"
#include "base/error.hpp"
#include "base/portable_math.hpp"

/// Prices of an array's events that follow from its description: converters, wires' lengths, V^2 G t.
namespace loom::arch {

/// Entries of a table by bits. Throws ConfigError for what is no `bits: price above 0`.
template <class Price>
std::map<double, const Price*> entries_by_bits(const std::map<std::string, Price>& table,
                                               const std::string& path) {
    std::map<double, const Price*> entries;
    for (const auto& [name, price] : table) {
        unsigned n = 0;
        const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), n);
        if (error != std::errc{} || end != name.data() + name.size() || n == 0 || !(price.value.pj > 0))
            throw ConfigError(path + "." + name + ": expected bits: price above 0");
        entries[n] = &price;
    }
    return entries;
}

/// The entry of so many bits, or geometrically between and beyond the two nearest, then of grade `assumed`.
/// Not empty.
template <class Price>
Price price_of_bits(const std::map<double, const Price*>& entries, std::uint64_t bits) {
    const auto x = static_cast<double>(bits);
    if (const auto exact = entries.find(x); exact != entries.end()) return *exact->second;
    Price result = *entries.begin()->second;
    if (entries.size() > 1) {
        auto above = entries.upper_bound(x);
        if (above == entries.end()) --above;
        if (above == entries.begin()) ++above;
        const auto below = std::prev(above);
        const double t = (x - below->first) / (above->first - below->first);
        result = *below->second;
        result.value.pj *= portable_pow(above->second->value.pj / below->second->value.pj, t);
        if constexpr (requires { result.per_uA; }) {
            if (below->second->per_uA > 0 && above->second->per_uA > 0)
                result.per_uA *= portable_pow(above->second->per_uA / below->second->per_uA, t);
        }
    }
    result.grade = "assumed";
    result.note = "interpolated to " + std::to_string(bits) + " bits; " + result.note;
    return result;
}

/// Energy of a conversion of so many bits from a table (energy.adc.<table>.<bits>). One bit is a sense
/// amplifier, another circuit: nothing is interpolated towards it. Throws ConfigError without such a table.
inline AdcPriceSpec conversion_price(const EnergySpec& list, const std::string& table, std::uint64_t bits) {
    const auto found = list.adc.find(table);
    if (found == list.adc.end() || found->second.empty()) {
        throw ConfigError("energy.adc: has no table '" + table + "' (adc.price_table)");
    }
    auto entries = entries_by_bits(found->second, "energy.adc." + table);
    if (bits != 1 && entries.size() > 1) entries.erase(1);
    return price_of_bits(entries, bits);
}

/// Prices that are formulas over an array's description.
class CimPriceFormulas {
  public:
    CimPriceFormulas(EnergySpec& list, const CimSpec& s) : list_(list), s_(s) {}

    /// Where the list says nothing.
    void put(const char* event, double pj, const char* category, const char* source, const char* note) {
        if (list_.actions.count(event) != 0 || list_.unpriced.count(event) != 0) return;
        PriceSpec p;
        p.value = pj;
        p.category = category;
        p.grade = "derived";
        p.source = source;
        p.note = note;
        list_.actions[event] = p;
    }
    /// V^2 G t: V^2 nS ps = 1e-21 J.
    void pulse(const char* event, double volt, double ps, const char* category, const char* note) {
        put(event, volt * volt * 1e-9 * ps, category, "V^2 G t of the array's description", note);
    }
    /// A conversion, and the part of it that follows the column's current.
    void conversions() {
        if (s_.array.type == CimType::SramDigital) return;
        const bool own = list_.actions.count("cim.conversions") != 0;
        AdcPriceSpec price;
        if (!own) {
            price = conversion_price(list_, s_.adc.price_table, s_.adc.adc_bits);
            list_.actions["cim.conversions"] = price;
        }
        if (list_.actions.count("cim.column_current") != 0 || list_.unpriced.count("cim.column_current") != 0)
            return;
        if (price.per_uA > 0) {
            price.value = price.per_uA * s_.device.Vr * 1e-3;  // nS V = 1e-3 uA
            price.note = "per nS of a converted column at Vr";
            list_.actions["cim.column_current"] = price;
        } else {
            list_.unpriced["cim.column_current"] =
                own ? "a conversion has one price" : "the table has no term of the current";
        }
    }
    /// An adder tree's MAC, over the cells of a weight: a tenth of them clocked, the rest with an active
    /// input.
    void digital_mac() {
        if (s_.array.type != CimType::SramDigital || list_.digital_mac.empty()) return;
        PriceSpec price =
            price_of_bits(entries_by_bits(list_.digital_mac, "energy.digital_mac"), s_.weights.weight_bits);
        const double cell = price.value.pj / static_cast<double>(cim_layout(s_, 1, 1).columns_per_weight);
        constexpr double kIdle = 0.1;
        for (const auto& [event, share] :
             {std::pair{"cim.digital_rows", kIdle}, {"cim.digital_active", 1 - kIdle}}) {
            price.value = cell * share;
            list_.actions.emplace(event, price);
        }
    }
    /// C V^2 of rows and columns, and what cells conduct until a column has settled to half a code's step:
    /// ln 2^(bits + 1) time constants of C_col / G_col, to which its driven cells add V^2 G each.
    void voltage() {
        if (s_.array.readout != CimReadout::Voltage) return;
        constexpr double kPj = 1e-3;  // fF V^2
        const double square = s_.device.Vr * s_.device.Vr * kPj;
        const double settle = static_cast<double>(s_.adc.adc_bits + 1) * 0.69314718055994531;
        for (const char* event : {"cim.columns_charged", "cim.cell_charges"}) list_.actions.erase(event);
        put("cim.columns_charged", square * s_.device.c_col * static_cast<double>(s_.array.rows), "compute",
            "C V^2 of the array's description", "a column at most by Vr");
        put("cim.cell_charges", square * (s_.device.c_row + settle * s_.device.c_col), "compute",
            "C V^2 of the array's description",
            "a cell's share of its row, and its conduction while columns settle");
    }

  private:
    EnergySpec& list_;
    const CimSpec& s_;
};

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
    CimPriceFormulas formulas(list, s);
    formulas.voltage();
    formulas.conversions();
    formulas.digital_mac();
    formulas.pulse("cim.cell_conductance", s.device.Vr, period_ps, "compute", "per nS and cycle at Vr");
    formulas.pulse("cim.set_energy", s.write.Vset, pulse_ps, "memory", "per nS and pulse at Vset");
    formulas.pulse("cim.reset_energy", s.write.Vreset, pulse_ps, "memory", "per nS and pulse at Vreset");
    formulas.pulse("cim.half_select", s.write.Vset / 2, pulse_ps, "memory", "per nS and pulse at Vset / 2");
    return list;
}

}  // namespace loom::arch
