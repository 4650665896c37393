// SPDX-License-Identifier: Apache-2.0
#include "sim/report/report.hpp"

#include <algorithm>
#include <array>

#include "base/counter_math.hpp"
#include "base/version.hpp"
#include "sim/report/area_report.hpp"
#include "sim/report/array_report.hpp"
#include "sim/report/devices.hpp"
#include "sim/report/energy_report.hpp"
#include "sim/report/report_json.hpp"

namespace loom::stats {

Json energy_json(const EnergySplit& e) {
    Json j;
    j["total_pj"] = e.total();
    for (std::size_t i = 0; i < kCategories.size(); ++i) j[std::string(kCategories[i]) + "_pj"] = e.of[i];
    return j;
}

double executed_estimate(const arch::PaperEstimateSpec& p, const LayerOps& o) {
    return p.ac * static_cast<double>(o.ac) + p.mac * static_cast<double>(o.mac + o.offchip);
}

Json ops_json(const LayerOps& o) {
    Json j;
    j["ac"] = o.ac;
    j["mac"] = o.mac;
    j["offchip_mac"] = o.offchip;
    j["ann_mac"] = o.ann;
    return j;
}

namespace {

/// The papers' formula: MACs of the ANN times firing rate times timesteps.
double rate_estimate(const RunAccount& a) {
    double pj = 0;
    const double steps = static_cast<double>(a.record.timesteps), samples = a.samples();
    for (const arch::ProjectionInfo& p : a.program.projections) {
        const auto& source = a.program.layers[index(p.source)];
        if (p.analogue) {
            pj += a.chip.energy.paper.mac * p.dense_flops * steps * samples;
        } else {
            const double slots = static_cast<double>(source.count) * steps * samples;
            const double rate =
                slots == 0 ? 0 : static_cast<double>(a.layers()[index(p.source)].spikes) / slots;
            pj += a.chip.energy.paper.ac * p.dense_flops * rate * steps * samples;
        }
    }
    return pj;
}

/// Which run it was, how many inferences, how many were right.
void put_run(Json& j, const RunAccount& a) {
    j["schema_version"] = kSchemaVersion;
    j["spikeloom"] = kVersion;
    j["chip"] = a.chip.name;
    j["accuracy"] = quotient(static_cast<double>(a.record.correct), static_cast<double>(a.record.labelled));
    j["samples"] = a.record.samples;
    j["undecided"] = a.record.undecided;
    j["timesteps"] = a.record.timesteps;
    j["chip_timesteps"] = a.record.chip_steps;
}

void put_time(Json& j, const RunAccount& a) {
    const RunRecord& r = a.record;
    const auto [low, high] = std::minmax_element(r.cycles_per_sample.begin(), r.cycles_per_sample.end());
    j["cycles"]["total"] = r.total_cycles;
    j["cycles"]["per_sample_mean"] = quotient(static_cast<double>(r.total_cycles), a.samples());
    j["cycles"]["per_sample_min"] = r.cycles_per_sample.empty() ? Json() : Json(*low);
    j["cycles"]["per_sample_max"] = r.cycles_per_sample.empty() ? Json() : Json(*high);
    j["cycles"]["reset"] = r.reset_cycles;
    j["cycles"]["barrier"] = r.barrier_cycles;
    j["time"]["simulated_s"] = a.seconds();
    j["time"]["per_sample_s"] = quotient(a.seconds(), a.samples());
}

void put_energy(Json& j, const RunAccount& a) {
    const EnergySplit dynamic = a.ledger.total();
    j["energy"]["total_pj"] = a.total_pj();
    j["energy"]["per_sample_pj"] = quotient(a.total_pj(), a.samples());
    for (std::size_t i = 0; i < kCategories.size(); ++i)
        j["energy"][std::string(kCategories[i]) + "_pj"] = dynamic.of[i];
    j["energy"]["leakage_pj"] = a.ledger.leakage.total_pj();
    j["energy"]["dynamic_pj"] = dynamic.total();
    j["energy"]["leakage"] = leakage_json(a.ledger.leakage);
}

/// Operations, and what papers would say of them.
void put_operations(Json& j, const RunAccount& a) {
    const arch::PaperEstimateSpec& prices = a.chip.energy.paper;
    const double paper = executed_estimate(prices, a.all());
    j["ops"] = ops_json(a.all());
    j["estimate"]["paper_pj"] = paper;
    j["estimate"]["rate_pj"] = rate_estimate(a);
    j["estimate"]["ann_pj"] = prices.mac * a.all().ann;
    j["estimate"]["ratio"] = quotient(a.total_pj(), paper);
    j["estimate"]["ac_pj"] = prices.ac;
    j["estimate"]["mac_pj"] = prices.mac;
    j["estimate"]["source"] = prices.source;
}

/// Network, spikes, host, cores in use.
void put_traffic(Json& j, const RunAccount& a) {
    noc::NocCounters sum;
    for (const auto& n : a.record.noc) sum = sum_of(sum, n);
    noc::fields([&](const char* name, std::uint64_t& v, bool,
                    const char*) { j["noc"][std::string(name).substr(4)] = v; },
                sum);
    j["noc"]["link_x"] = sum.both_ways(noc::kLinkX);
    j["noc"]["link_y"] = sum.both_ways(noc::kLinkY);
    j["noc"]["link_z"] = sum.both_ways(noc::kLinkZ);
    j["noc"]["flit_hops"] = sum.flit_hops();
    j["spikes"]["total"] = a.all().spikes;
    j["spikes"]["input"] = a.record.input_events;
    j["host"]["packets"] = a.record.host_packets;
    j["cores_used"] = a.endpoints().size();
    j["cores_total"] = a.chip.n_cores();
    j["routers_used"] = a.record.routers_in_use;
}

void put_lost(Json& j, const RunAccount& a) {
    j["lost"] = lost_json(a);
}

/// Silicon, kinds of cores, arrays, other chips: what only some chips have, area apart.
void put_chip(Json& j, const RunAccount& a) {
    j["area"] = area_json(a.chip, a.inventory);
    if (!a.chip.cores.empty()) j["kinds"] = kinds_json(a);
    if (Json arrays = arrays_json(a.chip, a.program, ~0u, ~0u); !arrays.is_null()) {
        j["arrays"] = std::move(arrays);
        j["load"] = load_json(a.record, a.prices, a.chip);
    }
    if (a.record.other_chips.empty()) return;
    j["devices"] = devices_json(a.record, chip_figures(a.record, a.chip, a.ledger));
    if (a.record.labelled != 0) j["accuracy"] = j["devices"]["accuracy_mean"];
}

/// Energy by component: the part of an event's name before the dot. Null: none of its events has a price.
void put_components(Json& j, const RunAccount& a) {
    Json component = Json::object();
    for (const Leaf& l : a.ledger.leaves) {
        const std::string& name = a.event_name(l);
        Json& slot = component[name.substr(0, name.find('.'))];
        if (a.prices.of_kind(a.prices.kind(l.core))[l.event].spec == nullptr) continue;
        slot = (slot.is_null() ? 0.0 : slot.get<double>()) + l.pj();
    }
    j["components"] = Json::object();
    for (const auto& [name, pj] : component.items()) j["components"][name]["energy_pj"] = pj;
}

}  // namespace

Json make_stats(const RunAccount& account) {
    static constexpr std::array sections{put_run,     put_time, put_energy,    put_operations,
                                         put_traffic, put_lost, put_chip, put_components};
    Json j;
    for (const auto put : sections) put(j, account);
    j["layers"] = layers_json(account);
    j["cores"] = cores_json(account);
    j["steps"] = steps_json(account);
    j["unpriced"] = free_events_json(account);
    return j;
}

Json make_stats(const RunRecord& record, const arch::ChipSpec& chip, const arch::Program& program) {
    return make_stats(RunAccount(record, chip, program));
}

}  // namespace loom::stats
