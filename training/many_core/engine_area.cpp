// SPDX-License-Identifier: Apache-2.0
#include "training/many_core/engine_area.hpp"

#include <algorithm>
#include <cmath>

#include "sim/report/area_report.hpp"

namespace loom::training {
namespace {


using arch::ZeroRule;
using stats::add_part;
using stats::area_of_width;

bool exploits(const arch::TrainingChip& chip, ZeroRule rule) {
    const arch::SparsityRules& s = chip.sparsity;
    return chip.kind != "mac_array" && (s.spikes == rule || s.errors == rule || s.derivative == rule);
}

/// An AND of operand and spike or mask: zeros are exploited, or spikes are added without a multiplier.
bool gates(const arch::TrainingChip& chip) {
    return exploits(chip, ZeroRule::Gate) || exploits(chip, ZeroRule::Skip) ||
           (chip.kind != "mac_array" && !chip.multiplies_spikes);
}

stats::AreaParts element_area(const arch::TrainingChip& chip, const arch::TrainingArraySpec& array,
                              bool neurons, bool tables) {
    const arch::TrainingBits& b = chip.bits;
    const std::uint64_t sum = std::max({b.membrane, b.error, b.gradient});
    const std::uint64_t value = std::max(b.input, b.error);
    const double copies = chip.schedule.double_buffer ? 2 : 1;
    stats::AreaParts out;
    const auto add = [&](const char* name, double n, const char* family, std::uint64_t bits) {
        add_part(out, name, n, area_of_width(chip.energy, family, bits));
    };
    add("multiplier", 1, "multiplier", std::max(b.weight, value));
    add("adder", 1, "adder", sum);
    if (gates(chip)) add("gate", 1, "and", b.weight);
    if (neurons) {
        add("comparator", 1, "comparator", b.membrane);
        add("multiplexers", 2, "mux", b.membrane);
        if (chip.schedule.leak_shift) add("shifter", 1, "shifter", b.membrane);
    }
    add("weight_registers", copies, "register", b.weight);
    add("operand_registers", copies, "register", value);
    add("accumulators", static_cast<double>(array.accumulators), "register", sum);
    if (tables) add("tables", copies * std::exp2(chip.lut_inputs), "register", b.weight);
    return out;
}

Json components_json(const stats::AreaParts& parts, double times) {
    Json j = Json::object();
    for (const stats::AreaPart& p : parts.parts) j[p.name] = stats::part_json(p, times);
    return j;
}

void name_missing(std::vector<std::string>& missing, const std::string& where,
                  const stats::AreaParts& parts) {
    for (const std::string& m : parts.missing) missing.push_back(where + ": " + m);
}

/// What no figure can be asked for.
void name_not_modelled(std::vector<std::string>& missing, const arch::TrainingChip& chip) {
    if (exploits(chip, ZeroRule::Skip)) missing.emplace_back("finding the next operand that is not zero");
    missing.emplace_back("division and square root (taken to iterate on the adders)");
    missing.emplace_back(
        "tables of surrogates, sequencer links, clock, power, wiring and space between cells");
}

}  // namespace

std::vector<ArrayArea> array_areas(const arch::TrainingChip& chip) {
    if (chip.kind != "h2learn")
        return {{"array", chip.array.elements(), element_area(chip, chip.array, true, false)}};
    const arch::TrainingArraySpec& backward = chip.backward_array ? *chip.backward_array : chip.array;
    const arch::TrainingArraySpec& update = chip.update_array ? *chip.update_array : chip.array;
    const bool tables = chip.lut_inputs > 1;
    return {{"forward", chip.array.elements(), element_area(chip, chip.array, true, tables)},
            {"backward", backward.elements(), element_area(chip, backward, true, false)},
            {"update", update.elements(), element_area(chip, update, false, tables)}};
}

stats::AreaParts buffer_area(const arch::TrainingBufferSpec& b, const arch::EnergySpec& prices) {
    stats::AreaParts out;
    const auto figure = [&](const char* name) {
        const auto it = prices.area.find(name);
        return it == prices.area.end() ? nullptr : &it->second;
    };
    const auto bits = static_cast<double>(b.capacity), banks = static_cast<double>(b.banks);
    add_part(out, "cells", bits, figure("sram_cell"));
    add_part(out, "ports", static_cast<double>(b.port) * banks * std::sqrt(bits / banks),
             figure("sram_port"));
    return out;
}

Json engine_area_json(const arch::TrainingChip& chip) {
    Json j;
    j["total_mm2"] = nullptr;
    j["technology_nm"] = stats::technology_json(chip.energy);
    if (chip.energy.area.empty()) {
        j["not_included"] = {"everything: the price list has no area figures"};
        return j;
    }
    std::vector<std::string> missing;
    double total = 0;
    for (const ArrayArea& a : array_areas(chip)) {
        const auto n = static_cast<double>(a.elements);
        j["arrays"][a.name] = {{"elements", a.elements},
                               {"element_um2", a.element.mm2() * 1e6},
                               {"total_mm2", a.element.mm2() * n},
                               {"components", components_json(a.element, n)}};
        total += a.element.mm2() * n;
        name_missing(missing, a.name, a.element);
    }
    for (const arch::TrainingBufferSpec& b : chip.buffers) {
        const stats::AreaParts parts = buffer_area(b, chip.energy);
        j["buffers"][b.name] = {
            {"bits", b.capacity}, {"total_mm2", parts.mm2()}, {"components", components_json(parts, 1)}};
        total += parts.mm2();
        name_missing(missing, "buffer " + b.name, parts);
    }
    stats::AreaParts shared;
    for (const char* part : {"control", "dram_interface"}) {
        const auto it = chip.energy.area.find(part);
        add_part(shared, part, 1, it == chip.energy.area.end() ? nullptr : &it->second);
    }
    j["chip"] = components_json(shared, 1);
    total += shared.mm2();
    missing.insert(missing.end(), shared.missing.begin(), shared.missing.end());
    name_not_modelled(missing, chip);
    j["total_mm2"] = total;
    j["not_included"] = missing;
    return j;
}

}  // namespace loom::training
