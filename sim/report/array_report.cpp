// SPDX-License-Identifier: Apache-2.0
#include "sim/report/array_report.hpp"

#include <algorithm>

#include "arch/core_kind.hpp"
#include "arch/core_kinds.hpp"

namespace loom::stats {

Json arrays_json(const arch::ChipSpec& chip, const arch::Program& program, std::uint32_t layer,
                 std::uint32_t endpoint) {
    std::uint64_t arrays = 0, cells = 0, all = 0, copies = 1, have = 0;
    for (const auto& image : program.cores) {
        const arch::CoreSpec& core = chip.kind(image.kind);
        const arch::WeightStore store = core.type().weight_store(core);
        if (!store.in_arrays || (endpoint != ~0u && index(image.endpoint) != endpoint)) continue;
        have += store.capacity;
        for (const auto& a : image.axons) {
            if (layer != ~0u && index(a.target) != layer) continue;
            const auto use = core.type().array_usage(core, image, a);
            if (!use) continue;
            arrays += use->arrays;
            cells += use->cells;
            all += use->cells_of_arrays;
            copies = std::max(copies, use->copies);
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

Json load_json(const RunRecord& r, const ChipPrices& prices, const arch::ChipSpec& chip) {
    std::uint64_t cycles = 0, pulses = 0, cells = 0, verify = 0;
    double pj = 0;
    for (std::size_t k = 0; k < r.loads.size(); ++k) {
        const cores::WeightLoad& load = r.loads[k];
        cycles = std::max(cycles, load.cycles);
        pulses += load.write_pulses;
        cells += load.cells_written;
        verify += load.verify_reads;
        prices.events().for_each_count(
            load.events, chip.kind(k).kind, [&](std::size_t event, std::uint64_t n) {
                const auto* price = prices.events()[event].priced && n != 0
                                        ? arch::price_of(chip, k, prices.events()[event].name).price
                                        : nullptr;
                if (price != nullptr) pj += static_cast<double>(n) * price->value.pj;
            });
    }
    Json j;
    j["cycles"] = cycles;
    j["time_s"] = static_cast<double>(cycles) * chip.clock.period * 1e-12;
    j["energy_pj"] = pj;
    j["write_pulses"] = pulses;
    j["cells_written"] = cells;
    j["verify_reads"] = verify;
    return j;
}

}  // namespace loom::stats
