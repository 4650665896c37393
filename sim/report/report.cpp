// SPDX-License-Identifier: Apache-2.0
#include "sim/report/report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <sstream>

#include "arch/core_kinds.hpp"
#include "base/counter_math.hpp"
#include "sim/report/area_report.hpp"
#include "sim/report/array_report.hpp"
#include "sim/report/devices.hpp"
#include "sim/report/energy_report.hpp"
#include "base/version.hpp"

namespace loom::stats {
using Json = nlohmann::ordered_json;
namespace {

Json ratio(double a, double b) {
    return b == 0 ? Json() : Json(a / b);
}

Json energy_json(const EnergySplit& e) {
    Json j;
    j["total_pj"] = e.total();
    for (std::size_t i = 0; i < kCategories.size(); ++i) j[std::string(kCategories[i]) + "_pj"] = e.of[i];
    return j;
}

/// Counters by event name, nested at the dots.
void put_counter(Json& j, const std::string& event, std::uint64_t count) {
    const auto dot = event.find('.');
    Json& slot = j[event.substr(0, dot)][event.substr(dot + 1)];
    slot = (slot.is_null() ? std::uint64_t{0} : slot.get<std::uint64_t>()) + count;
}

/// Counters of the leaves for which keep(leaf).
template <class F>
Json counters_json(const Ledger& ledger, F keep) {
    Json j = Json::object();
    for (const Leaf& l : ledger.leaves) {
        if (keep(l)) put_counter(j, all_events()[l.event].name, l.count);
    }
    return j;
}

struct LayerOps {
    std::uint64_t spikes = 0, ac = 0, mac = 0, offchip = 0;
    double ann = 0;
};

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

/// The papers' formula: MACs of the ANN times firing rate times timesteps.
double rate_estimate(const RunRecord& r, const arch::ChipSpec& chip, const arch::Program& program,
                     const std::vector<LayerOps>& layers) {
    double pj = 0;
    const double steps = static_cast<double>(r.timesteps), samples = static_cast<double>(r.samples);
    for (const arch::ProjectionInfo& p : program.projections) {
        const auto& source = program.layers[index(p.source)];
        if (p.analogue) {
            pj += chip.energy.paper.mac * p.dense_flops * steps * samples;
        } else {
            const double slots = static_cast<double>(source.count) * steps * samples;
            const double rate = slots == 0 ? 0 : static_cast<double>(layers[index(p.source)].spikes) / slots;
            pj += chip.energy.paper.ac * p.dense_flops * rate * steps * samples;
        }
    }
    return pj;
}

template <class F>
Ledger part_of(const Ledger& ledger, F keep) {
    Ledger part;
    for (const Leaf& l : ledger.leaves) {
        if (keep(l)) part.leaves.push_back(l);
    }
    return part;
}

/// Free events; on chips with several kinds those of a core bear the name of its kind.
Json unpriced_of_kinds(const Ledger& ledger, const ChipPrices& prices, const arch::ChipSpec& chip) {
    if (chip.cores.empty()) return unpriced_json(ledger, prices.of_kind(0));
    const auto is_core = [](const std::string& event) {
        for (std::size_t i = 0; i < event_layout().noc; ++i) {
            if (all_events()[i].name == event) return true;
        }
        return false;
    };
    Json j = Json::object();
    const Json all = unpriced_json(ledger, prices.of_kind(0));
    for (const auto& [event, value] : all.items()) {
        if (!is_core(event)) j[event] = value;
    }
    for (std::size_t k = 0; k < chip.n_kinds(); ++k) {
        const Ledger part = part_of(
            ledger, [&](const Leaf& l) { return l.core != Leaf::kNoCore && prices.kind(l.core) == k; });
        const Json free = unpriced_json(part, prices.of_kind(k));
        for (const auto& [event, value] : free.items()) {
            if (is_core(event)) j[chip.cores[k].name + "." + event] = value;
        }
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

/// Cores in use, energy and leakage of each kind of cores.
Json kinds_json(const RunRecord& r, const arch::ChipSpec& chip, const Ledger& ledger) {
    const auto kind_of = arch::core_kinds(chip);
    const auto total = arch::cores_of_kinds(chip);
    std::set<std::pair<std::uint32_t, std::uint32_t>> used;
    for (const CoreLayerRecord& c : r.cores) used.insert({kind_of[c.endpoint], c.endpoint});
    Json j = Json::object();
    for (std::uint32_t k = 0; k < chip.n_kinds(); ++k) {
        Json& kind = j[arch::kind_name(chip, k)];
        kind["kind"] = chip.kind(k).kind;
        kind["cores_used"] =
            std::count_if(used.begin(), used.end(), [&](const auto& u) { return u.first == k; });
        kind["cores_total"] = total[k];
        kind["energy"] = energy_json(
            ledger.sum([&](const Leaf& l) { return l.core != Leaf::kNoCore && kind_of[l.core] == k; }));
        kind["energy"]["leakage_pj"] =
            core_leakage_pj(chip, k, r.total_cycles) * static_cast<double>(total[k]);
    }
    return j;
}

}  // namespace

Json make_stats(const RunRecord& r, const arch::ChipSpec& chip, const arch::Program& program) {
    const ChipPrices prices(chip);
    const StaticPower power(chip);
    const Ledger ledger = compute_energy(r, prices, power);
    const auto& events = all_events();
    const double samples = static_cast<double>(r.samples);
    const double seconds = static_cast<double>(r.total_cycles) * chip.clock.period * 1e-12;

    std::vector<LayerOps> layers(program.layers.size());
    LayerOps all;
    for (const CoreLayerRecord& c : r.cores) {
        layers[c.layer].spikes += c.counters.spikes;
        layers[c.layer].ac += c.counters.all_ac();
        layers[c.layer].mac += c.counters.all_mac();
    }
    layers[index(program.input)].spikes = r.input_events;
    for (std::size_t i = 0; i < layers.size(); ++i) {
        layers[i].offchip = i < r.offchip_mac.size() ? r.offchip_mac[i] : 0;
        layers[i].ann = program.layers[i].ann_macs * samples;
        if (!program.layers[i].is_input) all.spikes += layers[i].spikes;
        all.ac += layers[i].ac;
        all.mac += layers[i].mac;
        all.offchip += layers[i].offchip;
        all.ann += layers[i].ann;
    }

    Json j;
    j["schema_version"] = kSchemaVersion;
    j["spikeloom"] = kVersion;
    j["chip"] = chip.name;
    j["accuracy"] = ratio(static_cast<double>(r.correct), static_cast<double>(r.labelled));
    j["samples"] = r.samples;
    j["timesteps"] = r.timesteps;
    j["chip_timesteps"] = r.chip_steps;
    const auto [low, high] = std::minmax_element(r.cycles_per_sample.begin(), r.cycles_per_sample.end());
    j["cycles"]["total"] = r.total_cycles;
    j["cycles"]["per_sample_mean"] = ratio(static_cast<double>(r.total_cycles), samples);
    j["cycles"]["per_sample_min"] = r.cycles_per_sample.empty() ? Json() : Json(*low);
    j["cycles"]["per_sample_max"] = r.cycles_per_sample.empty() ? Json() : Json(*high);
    j["cycles"]["reset"] = r.reset_cycles;
    j["cycles"]["barrier"] = r.barrier_cycles;
    j["time"]["simulated_s"] = seconds;
    j["time"]["per_sample_s"] = ratio(seconds, samples);

    const EnergySplit dynamic = ledger.total();
    const double total = dynamic.total() + ledger.leakage.total_pj();
    j["energy"]["total_pj"] = total;
    j["energy"]["per_sample_pj"] = ratio(total, samples);
    for (std::size_t i = 0; i < kCategories.size(); ++i)
        j["energy"][std::string(kCategories[i]) + "_pj"] = dynamic.of[i];
    j["energy"]["leakage_pj"] = ledger.leakage.total_pj();
    j["energy"]["dynamic_pj"] = dynamic.total();
    j["energy"]["leakage"] = leakage_json(ledger.leakage);

    j["ops"] = ops_json(all);
    const double paper = executed_estimate(chip.energy.paper, all);
    const double rate = rate_estimate(r, chip, program, layers);
    j["estimate"]["paper_pj"] = paper;
    j["estimate"]["rate_pj"] = rate;
    j["estimate"]["ann_pj"] = chip.energy.paper.mac * all.ann;
    j["estimate"]["ratio"] = ratio(total, paper);
    j["estimate"]["ac_pj"] = chip.energy.paper.ac;
    j["estimate"]["mac_pj"] = chip.energy.paper.mac;
    j["estimate"]["source"] = chip.energy.paper.source;

    noc::NocCounters noc_sum;
    for (const auto& n : r.noc) noc_sum = sum_of(noc_sum, n);
    noc::fields([&](const char* name, std::uint64_t& v, bool,
                    const char*) { j["noc"][std::string(name).substr(4)] = v; },
                noc_sum);
    j["noc"]["link_x"] = noc_sum.both_ways(noc::kLinkX);
    j["noc"]["link_y"] = noc_sum.both_ways(noc::kLinkY);
    j["noc"]["link_z"] = noc_sum.both_ways(noc::kLinkZ);
    j["noc"]["flit_hops"] = noc_sum.flit_hops();
    j["spikes"]["total"] = all.spikes;
    j["spikes"]["input"] = r.input_events;
    j["host"]["packets"] = r.host_packets;
    std::set<std::uint32_t> endpoints;
    for (const CoreLayerRecord& c : r.cores) endpoints.insert(c.endpoint);
    j["cores_used"] = endpoints.size();
    j["cores_total"] = chip.n_cores();
    j["routers_used"] = r.routers_in_use;
    j["area"] = area_json(chip);
    if (!chip.cores.empty()) j["kinds"] = kinds_json(r, chip, ledger);
    if (Json arrays = arrays_json(chip, program, ~0u, ~0u); !arrays.is_null()) {
        j["arrays"] = std::move(arrays);
        j["load"] = load_json(r, chip);
    }
    if (!r.other_chips.empty()) {
        j["devices"] = devices_json(r, chip_figures(r, chip, ledger));
        if (r.labelled != 0) j["accuracy"] = j["devices"]["accuracy_mean"];
    }

    Json component;
    for (const Leaf& l : ledger.leaves) {
        Json& slot = component[events[l.event].name.substr(0, events[l.event].name.find('.'))];
        slot = (slot.is_null() ? 0.0 : slot.get<double>()) + l.pj();
    }
    j["components"] = Json::object();
    for (const auto& [name, pj] : component.items()) j["components"][name]["energy_pj"] = pj;

    j["layers"] = Json::array();
    for (std::uint32_t i = 0; i < layers.size(); ++i) {
        const auto& info = program.layers[i];
        const auto of_layer = [&](const Leaf& l) { return l.layer == i; };
        const EnergySplit e = ledger.sum(of_layer);
        const double estimate = executed_estimate(chip.energy.paper, layers[i]);
        const double slots = static_cast<double>(info.count) * static_cast<double>(r.timesteps) * samples;
        Json l;
        l["name"] = info.name;
        l["kind"] = info.kind;
        if (!chip.cores.empty() && !info.is_input)
            l["cores"] = arch::kind_name(chip, kind_of_layer(program, i));
        l["neurons"] = info.count;
        l["spikes"] = layers[i].spikes;
        l["rate"] = ratio(static_cast<double>(layers[i].spikes), slots);
        l["ops"] = ops_json(layers[i]);
        l["energy"] = energy_json(e);
        l["estimate"]["paper_pj"] = estimate;
        l["estimate"]["ratio"] = ratio(e.total(), estimate);
        l["counters"] = counters_json(ledger, of_layer);
        if (Json arrays = arrays_json(chip, program, i, ~0u); !arrays.is_null())
            l["arrays"] = std::move(arrays);
        j["layers"].push_back(std::move(l));
    }
    j["cores"] = Json::array();
    const auto core_kind = arch::core_kinds(chip);
    for (const std::uint32_t endpoint : endpoints) {
        Json c;
        c["endpoint"] = endpoint;
        if (!chip.cores.empty()) c["kind"] = arch::kind_name(chip, core_kind[endpoint]);
        const auto on_core = [&](const Leaf& l) { return l.core == endpoint; };
        c["energy"] = energy_json(ledger.sum(on_core));
        c["counters"] = counters_json(ledger, on_core);
        if (Json arrays = arrays_json(chip, program, ~0u, endpoint); !arrays.is_null())
            c["arrays"] = std::move(arrays);
        j["cores"].push_back(std::move(c));
    }
    j["steps"] = Json::array();
    const std::vector<EnergySplit> step_energy = step_energies(r, prices);
    for (std::size_t i = 0; i < r.steps.size(); ++i) {
        const StepRecord& s = r.steps[i];
        Json step;
        step["cycles"] = s.cycles;
        const cores::CoreCounters cores = s.all_cores();
        step["spikes"] = cores.spikes;
        step["ac"] = cores.all_ac();
        step["mac"] = cores.all_mac();
        step["packets"] = s.noc.packets;
        step["energy"] = energy_json(step_energy[i]);
        step["energy"]["leakage_pj"] = power.over(s.cycles).total_pj();
        j["steps"].push_back(std::move(step));
    }
    j["unpriced"] = unpriced_of_kinds(ledger, prices, chip);
    return j;
}

std::string energy_yaml(const RunRecord& record, const arch::ChipSpec& chip) {
    const ChipPrices prices(chip);
    const Ledger ledger = compute_energy(record, prices, StaticPower(chip));
    if (chip.cores.empty()) return energy_yaml(ledger, prices.of_kind(0));
    // the chip's events, then those of each kind of core, whose components bear its name
    Ledger rest = part_of(ledger, [](const Leaf& l) { return l.core == Leaf::kNoCore; });
    rest.leakage = ledger.leakage;
    std::string out = energy_yaml(rest, prices.of_kind(0));
    for (std::size_t k = 0; k < chip.n_kinds(); ++k) {
        const std::string text = energy_yaml(
            part_of(ledger,
                    [&](const Leaf& l) { return l.core != Leaf::kNoCore && prices.kind(l.core) == k; }),
            prices.of_kind(k));
        std::istringstream lines(text.substr(0, text.find("\nleakage:") + 1));
        for (std::string line; std::getline(lines, line);) {
            if (line.empty() || line[0] == '#') continue;
            out += (line[0] == ' ' ? "" : chip.cores[k].name + ".") + line + '\n';
        }
    }
    return out;
}

}  // namespace loom::stats
