// SPDX-License-Identifier: Apache-2.0
#include "sim/report/area_report.hpp"

#include <cmath>

#include "arch/core_kinds.hpp"
#include "sim/report/area.hpp"

namespace loom::stats {


Json technology_json(const arch::EnergySpec& prices) {
    if (prices.technology == 0) return nullptr;
    return std::round(prices.technology * 1e7) / 10;  // mm to nm, tenths
}

Json part_json(const AreaPart& p, double times) {
    Json j;
    j["mm2"] = p.mm2() * times;
    j["instances"] = p.instances * times;
    j["um2"] = p.figure.value;
    j["grade"] = p.figure.grade;
    j["source"] = p.figure.source;
    return j;
}

Json area_json(const arch::ChipSpec& chip) {
    return area_json(chip, Inventory(chip));
}

Json area_json(const arch::ChipSpec& chip, const Inventory& inventory) {
    Json j;
    bool any = !chip.energy.area.empty();
    for (const auto& kind : chip.cores) any = any || !kind.energy.area.empty();
    j["total_mm2"] = nullptr;
    j["technology_nm"] = technology_json(chip.energy);
    if (!any) {
        j["not_included"] = {"everything: the price list has no area figures"};
        return j;
    }
    const auto cores = arch::cores_of_kinds(chip);
    std::vector<std::string> missing;
    double total = 0;
    for (std::size_t k = 0; k < chip.n_kinds(); ++k) {
        const std::string name = chip.cores.empty() ? "core" : arch::kind_name(chip, k);
        const AreaParts core = core_area(arch::chip_of_kind(chip, k));
        const auto n = static_cast<double>(cores[k]);
        Json& kind = j["kinds"][name];
        kind["cores"] = cores[k];
        kind["core_mm2"] = core.mm2();
        kind["total_mm2"] = core.mm2() * n;
        kind["components"] = Json::object();
        for (const AreaPart& p : core.parts) kind["components"][p.name] = part_json(p, n);
        total += core.mm2() * n;
        for (const std::string& m : core.missing) {
            const std::string text = chip.cores.empty() ? m : name + ": " + m;
            missing.push_back(text);
        }
    }
    AreaParts network;
    if (const auto router = chip.energy.area.find("router"); router != chip.energy.area.end()) {
        network.parts.push_back({"routers", static_cast<double>(inventory.routers), router->second});
    } else {
        missing.emplace_back("routers");
    }
    missing.emplace_back("links, host port, clock and power");
    for (const AreaPart& p : network.parts) j["network"][p.name] = part_json(p, 1);
    j["total_mm2"] = total + network.mm2();
    j["not_included"] = missing;
    return j;
}

}  // namespace loom::stats
