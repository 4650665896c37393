// SPDX-License-Identifier: Apache-2.0
// What stats.json says of the kinds of cores of a chip that has several.
#include <algorithm>

#include "arch/core_kinds.hpp"
#include "sim/report/energy_report.hpp"
#include "sim/report/report_json.hpp"

namespace loom::stats {


Json kinds_json(const RunAccount& a) {
    const auto total = arch::cores_of_kinds(a.chip);
    Json j = Json::object();
    for (std::uint32_t k = 0; k < a.chip.n_kinds(); ++k) {
        Json& kind = j[arch::kind_name(a.chip, k)];
        kind["kind"] = a.chip.kind(k).kind;
        kind["cores_used"] = std::count_if(a.endpoints().begin(), a.endpoints().end(),
                                           [&](std::uint32_t e) { return a.prices.kind(e) == k; });
        kind["cores_total"] = total[k];
        kind["energy"] = energy_json(a.ledger.sum([&](const Leaf& l) { return a.of_kind(l, k); }));
        kind["energy"]["leakage_pj"] =
            core_leakage_pj(a.chip, k, a.record.total_cycles) * static_cast<double>(total[k]);
    }
    return j;
}

Json free_events_json(const RunAccount& a) {
    const Json all = unpriced_json(a.ledger, a.prices.of_kind(0));
    if (a.chip.cores.empty()) return all;
    const auto of_cores = [&](const std::string& event) {
        return a.events().of_cores(a.events().find(event));
    };
    Json j = Json::object();
    for (const auto& [event, value] : all.items()) {
        if (!of_cores(event)) j[event] = value;
    }
    for (std::size_t k = 0; k < a.chip.n_kinds(); ++k) {
        const Json free =
            unpriced_json(a.part([&](const Leaf& l) { return a.of_kind(l, k); }), a.prices.of_kind(k));
        for (const auto& [event, value] : free.items()) {
            if (of_cores(event)) j[a.chip.cores[k].name + "." + event] = value;
        }
    }
    return j;
}

}  // namespace loom::stats
