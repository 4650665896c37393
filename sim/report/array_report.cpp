// SPDX-License-Identifier: Apache-2.0
#include "sim/report/array_report.hpp"

#include <algorithm>

#include "arch/cim_layout.hpp"
#include "arch/core_kinds.hpp"

namespace loom::stats {
using Json = nlohmann::ordered_json;
Json arrays_json(const arch::ChipSpec& chip, const arch::Program& program, std::uint32_t layer,
                 std::uint32_t endpoint) {
    std::uint64_t arrays = 0, cells = 0, all = 0, copies = 1, have = 0;
    for (const auto& image : program.cores) {
        const arch::CoreSpec& core = chip.kind(image.kind);
        if (!core.in_memory() || (endpoint != ~0u && index(image.endpoint) != endpoint)) continue;
        have += core.cim->arrays;
        for (const auto& a : image.axons) {
            if (layer != ~0u && index(a.target) != layer) continue;
            const arch::ArrayUse use = arch::array_use(image, a, *core.cim);
            arrays += use.arrays;
            cells += use.cells;
            all += use.cells_of_arrays;
            copies = std::max(copies, use.copies);
        }
    }
    if (arrays == 0) return {};
    Json j;
    j["used"] = arrays;
    if (layer == ~0u) j["of"] = have;
    j["copies"] = copies;
    j["utilisation"] = static_cast<double>(cells) / static_cast<double>(all);
    return j;
}

Json load_json(const RunRecord& r, const arch::ChipSpec& chip) {
    Json j;
    std::uint64_t cycles = 0, pulses = 0, cells = 0, verify = 0;
    double pj = 0;
    for (std::size_t k = 0; k < r.loads.size(); ++k) {
        if (!chip.kind(k).in_memory()) continue;
        cycles = std::max(cycles, r.loads[k].cycles);
        pulses += r.loads[k].events.cim.write_pulses;
        cells += r.loads[k].events.cim.cells_written;
        verify += r.loads[k].events.cim.verify_reads;
        cores::fields(
            [&](const char* name, const std::uint64_t& n, bool priced, const char*) {
                const auto* price = priced && n != 0 ? arch::price_of(chip, k, name).price : nullptr;
                if (price != nullptr) pj += static_cast<double>(n) * price->value.pj;
            },
            const_cast<cores::CoreCounters&>(r.loads[k].events));  // only read
    }
    j["cycles"] = cycles;
    j["time_s"] = static_cast<double>(cycles) * chip.clock.period * 1e-12;
    j["energy_pj"] = pj;
    j["write_pulses"] = pulses;
    j["cells_written"] = cells;
    j["verify_reads"] = verify;
    return j;
}

}  // namespace loom::stats
