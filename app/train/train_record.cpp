// SPDX-License-Identifier: Apache-2.0
#include "app/train/train_record.hpp"

#include "base/counter_math.hpp"
#include "training/many_core/many_core_counters.hpp"

namespace loom::app {
namespace {


using training::EngineRecord;
using training::PhaseRecord;

Json phase_json(const PhaseRecord& p) {
    Json counts = Json::array();
    fields([&](const char*, const std::uint64_t& n, bool, const char*) { counts.push_back(n); }, p.counts);
    return {p.cycles, p.busy, p.gated, p.stalled_memory, p.imbalance, std::move(counts)};
}
PhaseRecord phase_from(const Json& j) {
    PhaseRecord p;
    j.at(0).get_to(p.cycles), j.at(1).get_to(p.busy), j.at(2).get_to(p.gated);
    j.at(3).get_to(p.stalled_memory), j.at(4).get_to(p.imbalance);
    std::size_t i = 0;
    fields([&](const char*, std::uint64_t& n, bool, const char*) { j.at(5).at(i++).get_to(n); }, p.counts);
    return p;
}

}  // namespace

void add(PhaseRecord& a, const PhaseRecord& b) {
    a.cycles += b.cycles;
    a.busy += b.busy;
    a.gated += b.gated;
    a.stalled_memory += b.stalled_memory;
    a.imbalance += b.imbalance;
    a.counts = sum_of(a.counts, b.counts);
}

Json record_to_json(const EngineRecord& r) {
    Json j;
    j["totals"] = {r.steps,       r.cycles,
                   r.samples,     r.processing_elements,
                   r.batch_block, static_cast<std::uint64_t>(r.block_reason)};
    j["blocks"] = Json::array();
    for (const training::BlockChoice& b : r.blocks)
        j["blocks"].push_back({b.block, b.overhead_cycles, b.dram_bytes});
    j["layers"] = Json::array();
    for (const training::LayerRecord& l : r.layers) {
        Json phases = Json::array();
        for (const PhaseRecord& p : l.phases) phases.push_back(phase_json(p));
        j["layers"].push_back({l.name, std::move(phases)});
    }
    j["memory"] = Json::array();
    for (const training::MemoryUse& m : r.memory)
        j["memory"].push_back({m.name, m.capacity_bits, m.peak_bits, m.spilled_bits});
    j["memory_over_time"] = Json::array();
    for (const training::MemoryPoint& m : r.memory_over_time)
        j["memory_over_time"].push_back({m.cycle, m.buffer, m.bits});
    j["units"] = Json::array();
    for (const training::UnitRecord& u : r.units)
        j["units"].push_back({u.name, u.elements, u.held, u.waited});
    j["own"] = r.many_core == nullptr ? std::vector<std::uint64_t>{} : to_list(*r.many_core);
    return j;
}

EngineRecord record_from_json(const Json& j) {
    EngineRecord r;
    const Json& t = j.at("totals");
    t.at(0).get_to(r.steps), t.at(1).get_to(r.cycles), t.at(2).get_to(r.samples);
    t.at(3).get_to(r.processing_elements), t.at(4).get_to(r.batch_block);
    r.block_reason = static_cast<training::BlockReason>(t.at(5).get<std::uint64_t>());
    for (const Json& b : j.at("blocks"))
        r.blocks.push_back(
            {b.at(0).get<std::uint64_t>(), b.at(1).get<std::uint64_t>(), b.at(2).get<std::uint64_t>()});
    for (const Json& l : j.at("layers")) {
        training::LayerRecord layer;
        l.at(0).get_to(layer.name);
        for (std::size_t p = 0; p < training::kPhases; ++p) layer.phases[p] = phase_from(l.at(1).at(p));
        r.layers.push_back(std::move(layer));
    }
    for (const Json& m : j.at("memory"))
        r.memory.push_back({m.at(0).get<std::string>(), m.at(1).get<std::uint64_t>(),
                            m.at(2).get<std::uint64_t>(), m.at(3).get<std::uint64_t>()});
    for (const Json& m : j.at("memory_over_time"))
        r.memory_over_time.push_back(
            {m.at(0).get<std::uint64_t>(), m.at(1).get<std::uint32_t>(), m.at(2).get<std::uint64_t>()});
    for (const Json& u : j.at("units"))
        r.units.push_back({u.at(0).get<std::string>(), u.at(1).get<std::uint64_t>(),
                           u.at(2).get<std::uint64_t>(), u.at(3).get<std::uint64_t>()});
    if (const auto own = j.at("own").get<std::vector<std::uint64_t>>(); !own.empty())
        r.many_core = std::make_shared<training::ManyCoreCounters>(training::from_list(own, r.layers.size()));
    return r;
}

}  // namespace loom::app
