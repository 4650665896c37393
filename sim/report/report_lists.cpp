// SPDX-License-Identifier: Apache-2.0
// The lists of stats.json: layers, cores, timesteps.
#include "arch/core_kinds.hpp"
#include "sim/report/array_report.hpp"
#include "sim/report/report_json.hpp"

namespace loom::stats {

namespace {

/// Counters by event name, nested at the dots.
void put_counter(Json& j, const std::string& event, std::uint64_t count) {
    const auto dot = event.find('.');
    Json& slot = j[event.substr(0, dot)][event.substr(dot + 1)];
    slot = (slot.is_null() ? std::uint64_t{0} : slot.get<std::uint64_t>()) + count;
}

/// Counters of the leaves for which keep(leaf).
template <class F>
Json counters_json(const RunAccount& account, F keep) {
    Json j = Json::object();
    for (const Leaf& l : account.ledger.leaves) {
        if (keep(l)) put_counter(j, account.event_name(l), l.count);
    }
    return j;
}

/// The kind of core that a layer is on.
std::uint32_t kind_of_layer(const arch::Program& program, std::uint32_t layer) {
    for (const auto& image : program.cores) {
        for (const auto& g : image.neurons) {
            if (index(g.layer) == layer) return image.kind;
        }
    }
    return 0;
}

Json layer_json(const RunAccount& a, std::uint32_t i) {
    const arch::LayerInfo& info = a.program.layers[i];
    const LayerOps& ops = a.layers()[i];
    const auto of_layer = [&](const Leaf& l) { return l.layer == i; };
    const EnergySplit e = a.ledger.sum(of_layer);
    const double estimate = executed_estimate(a.chip.energy.paper, ops);
    const double slots =
        static_cast<double>(info.count) * static_cast<double>(a.record.timesteps) * a.samples();
    Json l;
    l["name"] = info.name;
    l["kind"] = info.kind;
    if (!a.chip.cores.empty() && !info.is_input)
        l["cores"] = arch::kind_name(a.chip, kind_of_layer(a.program, i));
    l["neurons"] = info.count;
    l["spikes"] = ops.spikes;
    l["rate"] = quotient(static_cast<double>(ops.spikes), slots);
    l["ops"] = ops_json(ops);
    l["energy"] = energy_json(e);
    l["estimate"]["paper_pj"] = estimate;
    l["estimate"]["ratio"] = quotient(e.total(), estimate);
    l["lost"] = lost_json(a, i);
    l["counters"] = counters_json(a, of_layer);
    if (Json arrays = arrays_json(a.chip, a.program, i, ~0u); !arrays.is_null())
        l["arrays"] = std::move(arrays);
    return l;
}

}  // namespace

Json layers_json(const RunAccount& a) {
    Json j = Json::array();
    for (std::uint32_t i = 0; i < a.layers().size(); ++i) j.push_back(layer_json(a, i));
    return j;
}

Json cores_json(const RunAccount& a) {
    Json j = Json::array();
    for (const std::uint32_t endpoint : a.endpoints()) {
        Json c;
        c["endpoint"] = endpoint;
        if (!a.chip.cores.empty()) c["kind"] = arch::kind_name(a.chip, a.prices.kind(endpoint));
        const auto on_core = [&](const Leaf& l) { return l.core == endpoint; };
        c["energy"] = energy_json(a.ledger.sum(on_core));
        c["counters"] = counters_json(a, on_core);
        if (Json arrays = arrays_json(a.chip, a.program, ~0u, endpoint); !arrays.is_null())
            c["arrays"] = std::move(arrays);
        j.push_back(std::move(c));
    }
    return j;
}

namespace {

/// step: null for all timesteps in which nothing was active.
Json step_json(const RunAccount& a, const StepRecord& s, Json number) {
    LayerOps ops;
    for (std::size_t k = 0; k < s.core.size(); ++k) {
        const LayerOps of_kind = a.ops_of(k, s.core[k]);
        ops.spikes += of_kind.spikes;
        ops.ac += of_kind.ac;
        ops.mac += of_kind.mac;
    }
    Json step;
    step["timestep"] = std::move(number);
    step["times"] = s.barriers;
    step["cycles"] = s.cycles;
    step["spikes"] = ops.spikes;
    step["ac"] = ops.ac;
    step["mac"] = ops.mac;
    step["packets"] = s.noc.packets;
    step["energy"] = energy_json(step_energy(s, a.prices));
    step["energy"]["leakage_pj"] = a.power.over(s.cycles).total_pj();
    return step;
}

}  // namespace

Json steps_json(const RunAccount& a) {
    Json j = Json::array();
    for (const StepRecord& s : a.record.steps) j.push_back(step_json(a, s, s.step));
    if (a.record.quiet.barriers != 0) j.push_back(step_json(a, a.record.quiet, Json()));
    return j;
}

}  // namespace loom::stats
