// SPDX-License-Identifier: Apache-2.0
#include "sim/report/area.hpp"

#include <algorithm>
#include <array>
#include <string_view>

#include "arch/core_kind.hpp"
#include "arch/price_words.hpp"
#include "base/key_error.hpp"
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

AreaParts core_area(const arch::ChipSpec& chip) {
    AreaParts out;
    const arch::CoreSpec& c = chip.core;
    const auto* bit = arch::area_figure(chip.energy, "sram_cell");
    const auto memory = [&](const char* name, double bits) { add_part(out, name, bits, bit); };
    const auto neurons = static_cast<double>(c.soma.max_neurons);
    memory("axon_table", kTableBits * static_cast<double>(c.axon_in.max_axons));
    c.type().add_area(out, c, chip.energy);
    memory("neuron_state", neurons * static_cast<double>(c.soma.state_bits));
    memory("fanout_table", kTableBits * static_cast<double>(c.axon_out.max_fanout_entries));
    if (const auto* logic = arch::area_figure(chip.energy, "core")) {
        add_part(out, "logic", 1, logic);
    } else {
        out.missing.emplace_back("queues, arithmetic and control of cores");
    }
    return out;
}

void check_area(const arch::EnergySpec& prices, const std::string& list) {
    static const std::vector<std::string> grades(arch::kPriceGrades.begin(), arch::kPriceGrades.end());
    for (const auto& [name, area] : prices.area) {
        const std::string path = list + ".area." + name;
        bool by_width = arch::area_width(name, "adc") != 0;
        for (const auto& [table, prices_of] : prices.adc)
            by_width |= arch::area_width(name, "adc." + table) != 0;
        for (const std::string_view o : kOperators) by_width |= arch::area_width(name, std::string(o)) != 0;
        if (std::find(kFigures.begin(), kFigures.end(), name) == kFigures.end() && !by_width)
            throw KeyError(path, "no such part" + suggestion(name, parts_like(name)));
        if (std::find(grades.begin(), grades.end(), area.grade) == grades.end())
            throw KeyError(path + ".grade",
                           "unknown " + loom::quoted(area.grade) + suggestion(area.grade, grades));
    }
}

}  // namespace loom::stats
