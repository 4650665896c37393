// SPDX-License-Identifier: Apache-2.0
#include "arch/area.hpp"

#include <charconv>

namespace loom::arch {

const AreaSpec* area_figure(const EnergySpec& prices, const std::string& name) {
    const auto it = prices.area.find(name);
    return it == prices.area.end() ? nullptr : &it->second;
}

std::uint64_t area_width(const std::string& name, const std::string& family) {
    std::uint64_t n = 0;
    if (!name.starts_with(family + ".")) return 0;
    const char* end_of_name = name.data() + name.size();
    const auto [end, error] = std::from_chars(name.data() + family.size() + 1, end_of_name, n);
    return error == std::errc{} && end == end_of_name ? n : 0;
}

const AreaSpec* area_of_width(const EnergySpec& prices, const std::string& family, std::uint64_t bits) {
    const AreaSpec* best = nullptr;
    std::uint64_t best_bits = ~std::uint64_t{0};
    for (const auto& [name, area] : prices.area) {
        const std::uint64_t n = area_width(name, family);
        if (n == 0 || n < bits || n >= best_bits) continue;
        best = &area;
        best_bits = n;
    }
    return best;
}

void add_part(AreaParts& to, const std::string& name, double instances, const AreaSpec* figure) {
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

}  // namespace loom::arch
