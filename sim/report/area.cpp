// SPDX-License-Identifier: Apache-2.0
#include "sim/report/area.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <string_view>

#include "base/error.hpp"
#include "base/nearest.hpp"

namespace loom::stats {
namespace {

constexpr std::array<std::string_view, 12> kFigures{
    "cell", "sram_cell", "sram_port", "digital_cell", "row_driver", "sample_hold",
    "mux",  "shift_add", "core",      "router",       "control",    "dram_interface"};
/// Operators of training engines, by width.
constexpr std::array<std::string_view, 7> kOperators{"register", "adder", "multiplier", "comparator",
                                                     "and",      "mux",   "shifter"};
/// Bits of an entry of the axon and fan-out tables: the price lists' figure.
constexpr double kTableBits = 32;

/// Bits of "<prefix>.8"; 0 when the name is no such one.
std::uint64_t bits_in(const std::string& name, const std::string& prefix) {
    std::uint64_t n = 0;
    if (!name.starts_with(prefix + ".")) return 0;
    const char* end_of_name = name.data() + name.size();
    const auto [end, error] = std::from_chars(name.data() + prefix.size() + 1, end_of_name, n);
    return error == std::errc{} && end == end_of_name ? n : 0;
}

const arch::AreaSpec* find(const arch::EnergySpec& prices, const std::string& name) {
    const auto it = prices.area.find(name);
    return it == prices.area.end() ? nullptr : &it->second;
}

/// A converter of the table's own if there is one.
const arch::AreaSpec* converter(const arch::EnergySpec& prices, const std::string& table,
                                std::uint64_t bits) {
    const arch::AreaSpec* own = table.empty() ? nullptr : area_of_width(prices, "adc." + table, bits);
    return own != nullptr ? own : area_of_width(prices, "adc", bits);
}

/// All names; those by width with the width of `name`, if it has one.
std::vector<std::string> parts_like(const std::string& name) {
    const std::size_t dot = name.rfind('.');
    const std::string bits = dot == std::string::npos ? ".<bits>" : name.substr(dot);
    std::vector<std::string> names(kFigures.begin(), kFigures.end());
    names.push_back("adc" + bits);
    for (const std::string_view o : kOperators) names.push_back(std::string(o) + bits);
    return names;
}

}  // namespace

const arch::AreaSpec* area_of_width(const arch::EnergySpec& prices, const std::string& family,
                                    std::uint64_t bits) {
    const arch::AreaSpec* best = nullptr;
    std::uint64_t best_bits = ~std::uint64_t{0};
    for (const auto& [name, area] : prices.area) {
        const std::uint64_t n = bits_in(name, family);
        if (n == 0 || n < bits || n >= best_bits) continue;
        best = &area;
        best_bits = n;
    }
    return best;
}

void add_part(AreaParts& to, const std::string& name, double instances, const arch::AreaSpec* figure) {
    if (figure != nullptr) {
        to.parts.push_back({name, instances, *figure});
    } else {
        to.missing.push_back(name);
    }
}

double AreaParts::mm2() const {
    double sum = 0;
    for (const AreaPart& p : parts) sum += p.mm2();
    return sum;
}

AreaParts array_area(const arch::CimSpec& s, const arch::EnergySpec& prices, double arrays) {
    AreaParts out;
    const bool digital = s.array.type == arch::CimType::SramDigital;
    const bool sram = digital || s.array.type == arch::CimType::SramAnalog;
    const double cells = arrays * static_cast<double>(s.array.rows * s.array.cols);
    const bool tree = digital && s.array.digital == arch::CimDigital::AdderTree;
    const auto* with_adders = tree ? find(prices, "digital_cell") : nullptr;
    add_part(out, "cells", cells, with_adders ? with_adders : find(prices, sram ? "sram_cell" : "cell"));
    if (digital) {
        if (with_adders == nullptr) out.missing.emplace_back("adders in the arrays");
        return out;
    }
    add_part(out, "row_drivers", arrays * static_cast<double>(s.array.rows), find(prices, "row_driver"));
    if (s.timing.sample_hold) {
        add_part(out, "sample_holds", arrays * static_cast<double>(s.array.cols),
                 find(prices, "sample_hold"));
    }
    const double converters = arrays * static_cast<double>(s.array.cols / s.adc.adc_share);
    add_part(out, "converters", converters, converter(prices, s.adc.price_table, s.adc.adc_bits));
    if (s.adc.adc_share > 1) add_part(out, "multiplexers", converters, find(prices, "mux"));
    add_part(out, "shift_adders", converters, find(prices, "shift_add"));
    out.missing.emplace_back("row selection, adder trees between row blocks");
    return out;
}

AreaParts core_area(const arch::ChipSpec& chip) {
    AreaParts out;
    const arch::CoreSpec& c = chip.core;
    const auto* bit = find(chip.energy, "sram_cell");
    const auto memory = [&](const char* name, double bits) { add_part(out, name, bits, bit); };
    const auto neurons = static_cast<double>(c.soma.max_neurons);
    const auto slots = static_cast<double>(c.dendrite.max_delay + 1);
    const double sums = neurons * static_cast<double>(c.dendrite.accumulator_bits);
    memory("axon_table", kTableBits * static_cast<double>(c.axon_in.max_axons));
    if (c.in_memory() && c.cim) {
        const auto rows = static_cast<double>(c.cim->arrays * c.cim->array.rows);
        AreaParts arrays = array_area(*c.cim, chip.energy, static_cast<double>(c.cim->arrays));
        out.parts.insert(out.parts.end(), arrays.parts.begin(), arrays.parts.end());
        out.missing.insert(out.missing.end(), arrays.missing.begin(), arrays.missing.end());
        memory("spike_registers", slots * rows * static_cast<double>(c.cim->input_bits));
        memory("accumulators", sums);
    } else {
        memory("synapse_memory", static_cast<double>(c.synapse.memory));
        memory("accumulators", slots * sums);
    }
    memory("neuron_state", neurons * static_cast<double>(c.soma.state_bits));
    memory("fanout_table", kTableBits * static_cast<double>(c.axon_out.max_fanout_entries));
    if (const auto* logic = find(chip.energy, "core")) {
        add_part(out, "logic", 1, logic);
    } else {
        out.missing.emplace_back("queues, arithmetic and control of cores");
    }
    return out;
}

void check_area(const arch::EnergySpec& prices, const std::string& list) {
    static const std::vector<std::string> grades{"measured", "simulated", "derived", "assumed"};
    for (const auto& [name, area] : prices.area) {
        const std::string path = list + ".area." + name;
        bool by_width = bits_in(name, "adc") != 0;
        for (const auto& [table, prices_of] : prices.adc) by_width |= bits_in(name, "adc." + table) != 0;
        for (const std::string_view o : kOperators) by_width |= bits_in(name, std::string(o)) != 0;
        if (std::find(kFigures.begin(), kFigures.end(), name) == kFigures.end() && !by_width)
            throw ConfigError(path + ": no such part" + suggestion(name, parts_like(name)));
        if (std::find(grades.begin(), grades.end(), area.grade) == grades.end())
            throw ConfigError(path + ".grade: unknown " + loom::quoted(area.grade) +
                              suggestion(area.grade, grades));
    }
}

}  // namespace loom::stats
