// SPDX-License-Identifier: Apache-2.0
#include "training/accelerator/price.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.hpp"
#include "base/nearest.hpp"

namespace loom::training {
namespace {

/// pJ per count of each event; negative: neither priced nor excused.
std::array<double, kEvents> table(const arch::TrainingChip& chip) {
    std::array<double, kEvents> pj;
    pj.fill(-1);
    for (std::size_t e = 0; e < kEvents; ++e) {
        const std::string name(event_name(static_cast<Event>(e)));
        if (chip.energy.unpriced.count(name) != 0) pj[e] = 0;
        const auto p = chip.energy.actions.find(name);
        if (p == chip.energy.actions.end()) continue;
        if (p->second.value.per == EnergyPrice::Per::BitMm)
            throw ConfigError("energy.actions." + name +
                              ".value: a training engine has no length (pJ or pJ/bit)");
        const bool per_bit = p->second.value.per == EnergyPrice::Per::Bit;
        pj[e] = p->second.value.pj *
                (per_bit ? static_cast<double>(bits_of(static_cast<Event>(e), chip.bits)) : 1.0);
    }
    return pj;
}

std::map<std::string, double> leakage(const EngineRecord& record, const arch::TrainingChip& chip) {
    std::map<std::string, double> pj;
    std::vector<std::string> known{"element", "chip"};
    for (const arch::TrainingBufferSpec& b : chip.buffers) known.push_back(b.name);
    for (const auto& [name, l] : chip.energy.leakage) {
        if (std::find(known.begin(), known.end(), name) == known.end())
            throw ConfigError("energy.leakage: " + unknown_name(name, known));
        const double instances = name == "element" ? static_cast<double>(record.processing_elements) : 1.0;
        const double cycles = static_cast<double>(record.cycles);
        pj[name] =
            instances * cycles * (l.per_cycle + l.value * chip.clock_period * 1e-3);  // mW x ps = 1e-3 pJ
    }
    return pj;
}

}  // namespace

Level level_of(Event e) {
    if (e == Event::PadRead || e == Event::PadWrite || e == Event::LutRead || e == Event::LutWrite)
        return Level::Pad;
    if (e == Event::DramRead || e == Event::DramWrite) return Level::Dram;
    if (e == Event::Flits) return Level::Network;
    return e >= Event::WeightRead && e < Event::DramRead ? Level::Buffer : Level::Compute;
}

std::uint64_t bits_of(Event e, const arch::TrainingBits& bits) {
    switch (e) {
        case Event::WeightRead:
        case Event::WeightWrite:
        case Event::PadRead:
        case Event::PadWrite:
        case Event::LutRead:
        case Event::LutWrite:
            return bits.weight;
        case Event::MembraneRead:
        case Event::MembraneWrite:
            return bits.membrane;
        case Event::ErrorRead:
        case Event::ErrorWrite:
            return bits.error;
        case Event::GradientRead:
        case Event::GradientWrite:
            return bits.gradient;
        case Event::StateRead:
        case Event::StateWrite:
            return bits.state;
        case Event::DramRead:
        case Event::DramWrite:
            return 8;
        default:
            return 1;
    }
}

double Pricing::phase(Phase p, Level l) const {
    double sum = 0;
    for (const LayerEnergy& layer : layers)
        sum += layer.pj[static_cast<std::size_t>(p)][static_cast<std::size_t>(l)];
    return sum;
}

double Pricing::phase(Phase p) const {
    double sum = 0;
    for (std::size_t l = 0; l < kLevels; ++l) sum += phase(p, static_cast<Level>(l));
    return sum;
}

Pricing price(const EngineRecord& record, const arch::TrainingChip& chip) {
    const std::array<double, kEvents> pj = table(chip);
    Pricing result;
    for (const LayerRecord& layer : record.layers) {
        LayerEnergy energy{layer.name, {}};
        for (std::size_t p = 0; p < kPhases; ++p)
            for (std::size_t e = 0; e < kEvents; ++e) {
                const std::uint64_t n = layer.phases[p].counts[e];
                if (n == 0) continue;
                if (pj[e] < 0)
                    throw ConfigError(
                        fmt::format("energy.actions: no price for {}, which was counted (or name it "
                                    "under energy.unpriced, with the reason)",
                                    event_name(static_cast<Event>(e))));
                const double joules = static_cast<double>(n) * pj[e];
                energy.pj[p][static_cast<std::size_t>(level_of(static_cast<Event>(e)))] += joules;
                result.dynamic_pj += joules;
            }
        result.layers.push_back(std::move(energy));
    }
    result.leakage_pj = leakage(record, chip);
    result.total_pj = result.dynamic_pj;
    for (const auto& [name, joules] : result.leakage_pj) result.total_pj += joules;
    return result;
}

void check_prices(const arch::TrainingChip& chip) {
    std::vector<std::string> events;
    for (std::size_t e = 0; e < kEvents; ++e) events.emplace_back(event_name(static_cast<Event>(e)));
    const auto known = [&](const std::string& section, const std::string& name) {
        if (std::find(events.begin(), events.end(), name) == events.end())
            throw ConfigError("energy." + section + ": " + unknown_name(name, events));
    };
    static const std::vector<std::string> grades{"measured", "simulated", "derived", "assumed"};
    static const std::vector<std::string> categories{"compute", "memory", "noc", "control"};
    for (const auto& [name, p] : chip.energy.actions) {
        known("actions", name);
        if (std::find(grades.begin(), grades.end(), p.grade) == grades.end())
            throw ConfigError("energy.actions." + name + ".grade: " + unknown_name(p.grade, grades));
        if (std::find(categories.begin(), categories.end(), p.category) == categories.end())
            throw ConfigError("energy.actions." + name +
                              ".category: " + unknown_name(p.category, categories));
    }
    for (const auto& [name, reason] : chip.energy.unpriced) known("unpriced", name);
    (void)leakage({}, chip);
}

}  // namespace loom::training
