// SPDX-License-Identifier: Apache-2.0
#include "sim/stats/area.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <string_view>

#include "sim/base/error.hpp"
#include "sim/base/nearest.hpp"

namespace loom::stats {
namespace {

constexpr std::array<std::string_view, 6> kFigures{"cell",         "sram_cell", "mux",
                                                   "digital_cell", "core",      "router"};
/// Bits of an entry of the axon and fan-out tables: the price lists' figure.
constexpr double kTableBits = 32;

/// Bits of "adc.8"; 0 when it is no such name.
std::uint64_t converter_bits(const std::string& name) {
    std::uint64_t n = 0;
    if (!name.starts_with("adc.")) return 0;
    const auto [end, error] = std::from_chars(name.data() + 4, name.data() + name.size(), n);
    return error == std::errc{} && end == name.data() + name.size() ? n : 0;
}

const arch::AreaSpec* find(const arch::EnergySpec& prices, const std::string& name) {
    const auto it = prices.area.find(name);
    return it == prices.area.end() ? nullptr : &it->second;
}

/// The entry of the converter's bits, or the next above.
const arch::AreaSpec* converter(const arch::EnergySpec& prices, std::uint64_t bits) {
    const arch::AreaSpec* best = nullptr;
    std::uint64_t best_bits = ~std::uint64_t{0};
    for (const auto& [name, area] : prices.area) {
        const std::uint64_t n = converter_bits(name);
        if (n == 0 || n < bits || n >= best_bits) continue;
        best = &area;
        best_bits = n;
    }
    return best;
}

void put(AreaParts& to, const std::string& name, double instances, const arch::AreaSpec* figure) {
    if (figure != nullptr) {
        to.parts.push_back({name, instances, *figure});
    } else {
        to.missing.push_back(name);
    }
}

}  // namespace

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
    put(out, "cells", cells, with_adders ? with_adders : find(prices, sram ? "sram_cell" : "cell"));
    if (digital) {
        if (with_adders == nullptr) out.missing.emplace_back("adders in the arrays");
        return out;
    }
    const double converters = arrays * static_cast<double>(s.array.cols / s.adc.adc_share);
    put(out, "converters", converters, converter(prices, s.adc.adc_bits));
    put(out, "multiplexers", converters, find(prices, "mux"));
    out.missing.emplace_back("drivers, row selection, shift-adders and adder trees");
    return out;
}

AreaParts core_area(const arch::ChipSpec& chip) {
    AreaParts out;
    const arch::CoreSpec& c = chip.core;
    const auto* bit = find(chip.energy, "sram_cell");
    const auto memory = [&](const char* name, double bits) { put(out, name, bits, bit); };
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
        put(out, "logic", 1, logic);
    } else {
        out.missing.emplace_back("queues, arithmetic and control of cores");
    }
    return out;
}

void check_area(const arch::EnergySpec& prices, const std::string& list) {
    static const std::vector<std::string> grades{"measured", "simulated", "derived", "assumed"};
    static const std::vector<std::string> parts = [] {
        std::vector<std::string> names(kFigures.begin(), kFigures.end());
        names.emplace_back("adc.<bits>");
        return names;
    }();
    for (const auto& [name, area] : prices.area) {
        const std::string path = list + ".area." + name;
        if (std::find(kFigures.begin(), kFigures.end(), name) == kFigures.end() && converter_bits(name) == 0)
            throw ConfigError(path + ": no such part" + suggestion(name, parts));
        if (std::find(grades.begin(), grades.end(), area.grade) == grades.end())
            throw ConfigError(path + ".grade: unknown " + loom::quoted(area.grade) +
                              suggestion(area.grade, grades));
    }
}

}  // namespace loom::stats
