// SPDX-License-Identifier: Apache-2.0
#include "app/train/train_costs.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <numeric>

#include "app/train/train_record.hpp"
#include "app/train/train_report.hpp"
#include "base/error.hpp"
#include "base/json/figures.hpp"
#include "training/price/pricing.hpp"

namespace loom::app {
namespace {

using training::PhaseRecord;

/// Parts of an energy by level.
Json levels_json(const std::array<double, training::kLevels>& pj) {
    Json j = Json::object();
    for (std::size_t l = 0; l < training::kLevels; ++l)
        j[std::string(training::kLevelNames[l]) + "_pj"] = pj[l];
    return j;
}

using Events = std::map<std::string, std::uint64_t>;

void put(Json& counts, const Events& events) {
    for (const auto& [name, n] : events) counts[name] = n;
}

/// Cycles, utilisation, energy by memory level and every counter that is not zero. `offered`: processing
/// element x cycle.
Json phase_json(const PhaseRecord& p, std::uint64_t offered, const std::array<double, training::kLevels>& pj,
                const Events& events) {
    Json counts = Json::object();
    fields(
        [&](const char* name, const std::uint64_t& n, bool, const char*) {
            if (n != 0) counts[name] = n;
        },
        p.counts);
    put(counts, events);
    return {{"cycles", p.cycles},
            {"energy_pj", std::accumulate(pj.begin(), pj.end(), 0.0)},
            {"energy", levels_json(pj)},
            {"utilisation", quotient(p.busy, offered)},
            {"busy", p.busy},
            {"gated", p.gated},
            {"imbalance", p.imbalance},
            {"stalled_memory_cycles", p.stalled_memory},
            {"counts", std::move(counts)}};
}

/// Processing element x cycle that a phase held: what it used, gated, lost to imbalance and to memory.
std::uint64_t offered(const PhaseRecord& p, const training::EngineRecord& r, training::Phase phase) {
    const std::size_t u = r.units.size() == 3 ? std::min<std::size_t>(static_cast<std::size_t>(phase), 2) : 0;
    const std::uint64_t elements = r.units.empty() ? r.processing_elements : r.units[u].elements;
    return p.cycles * elements;
}

Json layer_json(const training::EngineRecord& r, const training::Pricing& prices, std::size_t l) {
    Json j{{"name", r.layers[l].name}};
    double pj = 0;
    std::uint64_t cycles = 0;
    Json phases;
    for (std::size_t p = 0; p < training::kPhases; ++p) {
        const PhaseRecord& phase = r.layers[l].phases[p];
        phases[std::string(training::kPhaseNames[p])] =
            phase_json(phase, offered(phase, r, static_cast<training::Phase>(p)), prices.layers[l].pj[p],
                       prices.layers[l].events[p]);
        for (const double x : prices.layers[l].pj[p]) pj += x;
        cycles += phase.cycles;
    }
    j["cycles"] = cycles;
    j["energy_pj"] = pj;
    j["phases"] = std::move(phases);
    return j;
}

/// What layers share (the network): energy and counters.
Json shared_json(const training::Pricing& prices, std::size_t l) {
    double pj = 0;
    Json phases;
    for (std::size_t p = 0; p < training::kPhases; ++p) {
        const auto& levels = prices.layers[l].pj[p];
        const double sum = std::accumulate(levels.begin(), levels.end(), 0.0);
        Json counts = Json::object();
        put(counts, prices.layers[l].events[p]);
        phases[std::string(training::kPhaseNames[p])] = {
            {"energy_pj", sum}, {"energy", levels_json(levels)}, {"counts", std::move(counts)}};
        pj += sum;
    }
    return {{"name", prices.layers[l].name}, {"energy_pj", pj}, {"phases", std::move(phases)}};
}

Json phases_json(const training::EngineRecord& r, const training::Pricing& prices) {
    Json j;
    for (std::size_t p = 0; p < training::kPhases; ++p) {
        const auto phase = static_cast<training::Phase>(p);
        PhaseRecord all;
        std::uint64_t whole = 0;
        for (const training::LayerRecord& l : r.layers) {
            add(all, l.phases[p]);
            whole += offered(l.phases[p], r, phase);
        }
        std::array<double, training::kLevels> pj{};
        for (std::size_t l = 0; l < training::kLevels; ++l)
            pj[l] = prices.phase(phase, static_cast<training::Level>(l));
        Events events;
        for (const training::LayerEnergy& l : prices.layers)
            for (const auto& [name, n] : l.events[p]) events[name] += n;
        j[std::string(training::kPhaseNames[p])] = phase_json(all, whole, pj, events);
    }
    return j;
}

Json units_json(const training::EngineRecord& r) {
    Json list = Json::array();
    for (const training::UnitRecord& u : r.units)
        list.push_back({{"name", u.name},
                        {"elements", u.elements},
                        {"held_cycles", u.held},
                        {"waited_cycles", u.waited}});
    return list;
}

Json memory_json(const training::EngineRecord& r) {
    Json list = Json::array();
    for (const training::MemoryUse& m : r.memory)
        list.push_back({{"name", m.name},
                        {"capacity_bits", m.capacity_bits},
                        {"peak_bits", m.peak_bits},
                        {"spilled_bits", m.spilled_bits}});
    return list;
}

/// Cycles and energy of a whole epoch: simulated, or from the steps that were.
Json epoch_json(const Json& totals, const TrainLength& length, std::uint64_t steps) {
    const double factor = static_cast<double>(length.steps_per_epoch) / static_cast<double>(steps);
    return {{"extrapolated", steps % length.steps_per_epoch != 0},
            {"simulated_steps", steps},
            {"steps", length.steps_per_epoch},
            {"cycles", totals.at("cycles").get<double>() * factor},
            {"time_s", totals.at("time_s").get<double>() * factor},
            {"energy_pj", totals.at("energy").at("total_pj").get<double>() * factor}};
}

Json energy_json(const training::Pricing& prices, const training::EngineRecord& r) {
    Json leakage = Json::object();
    double leaked = 0;
    for (const auto& [part, pj] : prices.leakage_pj) leakage[part + "_pj"] = pj, leaked += pj;
    std::array<double, training::kLevels> levels{};
    for (std::size_t p = 0; p < training::kPhases; ++p)
        for (std::size_t l = 0; l < training::kLevels; ++l)
            levels[l] += prices.phase(static_cast<training::Phase>(p), static_cast<training::Level>(l));
    return {{"total_pj", prices.total_pj},
            {"dynamic_pj", prices.dynamic_pj},
            {"leakage_pj", leaked},
            {"per_step_pj", quotient(prices.total_pj, static_cast<double>(r.steps))},
            {"per_sample_pj", quotient(prices.total_pj, static_cast<double>(r.samples))},
            {"levels", levels_json(levels)},
            {"leakage", std::move(leakage)}};
}

}  // namespace

void add_costs(Json& j, const training::TrainingTarget& target, const training::StepExecutor& engine,
               const TrainLength& length) {
    const training::EngineRecord& r = engine.record();
    const training::Pricing prices = target.price(r);
    j["cycles"] = r.cycles;
    j["time_s"] = static_cast<double>(r.cycles) * target.clock_period() * 1e-12;
    j["batch_block"] = r.batch_block;
    j["batch_block_reason"] = training::block_reason_text(r.block_reason);
    j["batch_blocks"] = Json::array();
    for (const training::BlockChoice& b : r.blocks)
        j["batch_blocks"].push_back(
            {{"block", b.block}, {"overhead_cycles", b.overhead_cycles}, {"dram_bytes", b.dram_bytes}});
    j["energy"] = energy_json(prices, r);
    j["epoch"] = epoch_json(j, length, r.steps);
    j["phases"] = phases_json(r, prices);
    j["layers"] = Json::array();
    for (std::size_t l = 0; l < r.layers.size(); ++l) j["layers"].push_back(layer_json(r, prices, l));
    for (std::size_t l = r.layers.size(); l < prices.layers.size(); ++l)
        j["layers"].push_back(shared_json(prices, l));
    j["memory"] = memory_json(r);
    j["units"] = units_json(r);
    j["area"] = target.area();
}

namespace {

/// Where the first step fetches weights it is executed twice: the second one finds them in place.
Json ann_costs(const training::TrainingTarget& target, const arch::TrainingWork& work) {
    const arch::TrainingWork ann = target.ann(work);
    const auto engine = target.engine();
    training::EngineRecord first;
    training::Pricing cold;
    if (!target.starts_warm()) {
        engine->execute(ann);
        first = engine->record();
        cold = target.price(engine->record());
    }
    engine->execute(ann);
    const training::EngineRecord& both = engine->record();
    const training::Pricing all = target.price(engine->record());
    Json j{{"cycles", both.cycles - first.cycles}, {"energy_pj", all.total_pj - cold.total_pj}};
    for (std::size_t p = 0; p < training::kPhases; ++p) {
        const auto phase = static_cast<training::Phase>(p);
        std::uint64_t cycles = 0;
        for (const training::LayerRecord& l : both.layers) cycles += l.phases[p].cycles;
        for (const training::LayerRecord& l : first.layers) cycles -= l.phases[p].cycles;
        j["phases"][std::string(training::kPhaseNames[p])] = {
            {"cycles", cycles}, {"energy_pj", all.phase(phase) - cold.phase(phase)}};
    }
    return j;
}

}  // namespace

Json ann_step(const training::TrainingTarget& target, const arch::TrainingWork& work) {
    try {
        return ann_costs(target, work);
    } catch (const MappingError& e) {
        return Json{{"does_not_fit", e.what()}};
    }
}

void add_ann(Json& j, const Json& ann) {
    if (ann.is_null()) return;
    j["ann"] = ann;
    if (ann.contains("does_not_fit")) return;
    const double steps = j.at("steps").get<double>();
    const Json& per_step = j.at("energy").at("per_step_pj");
    j["ann"]["energy_ratio"] =
        per_step.is_null() ? Json() : quotient(per_step.get<double>(), ann.at("energy_pj").get<double>());
    j["ann"]["cycles_ratio"] =
        steps == 0 ? Json() : quotient(j.at("cycles").get<double>() / steps, ann.at("cycles").get<double>());
}

std::string memory_csv(const training::EngineRecord& r) {
    std::string csv = "buffer,cycle,bits\n";
    for (const training::MemoryPoint& p : r.memory_over_time)
        csv += fmt::format("{},{},{}\n", r.memory[p.buffer].name, p.cycle, p.bits);
    return csv;
}

}  // namespace loom::app
