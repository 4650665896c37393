// SPDX-License-Identifier: Apache-2.0
#include "training/price/pricing.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "arch/event_info.hpp"
#include "arch/price_words.hpp"
#include "base/error.hpp"

namespace loom::training {
namespace {

std::vector<std::string> leaking_parts(const arch::TrainingChip& chip) {
    std::vector<std::string> parts{"element", "chip"};
    for (const arch::TrainingBufferSpec& b : chip.buffers) parts.push_back(b.name);
    return parts;
}

std::vector<std::string> event_names() {
    std::vector<arch::EventInfo> events;
    arch::append_events<TrainingCounters>(events);
    std::vector<std::string> names;
    for (arch::EventInfo& e : events) names.push_back(std::move(e.name));
    return names;
}

}  // namespace

void Pricing::add(Phase phase, const stats::Leaf& leaf) {
    layers[leaf.layer].pj[static_cast<std::size_t>(phase)][leaf.category] += leaf.pj();
    dynamic_pj += leaf.pj();
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

TrainingPrices::TrainingPrices(const arch::EnergySpec& list, const arch::TrainingBits& bits,
                               const std::vector<std::string_view>& free) {
    const auto entry = [&](const char* name, const TrainingCost& cost) {
        Entry e{name, cost.level, 0, false};
        const auto price = list.actions.find(name);
        e.known = price != list.actions.end() || list.unpriced.count(name) != 0 ||
                  std::ranges::find(free, name) != free.end();
        if (price == list.actions.end()) return e;
        const EnergyPrice& p = price->second.value;
        if (p.per == EnergyPrice::Per::BitMm)
            throw ConfigError(
                fmt::format("energy.actions.{}.value: a training engine has no length (pJ or pJ/bit)", name));
        const bool per_bit = p.per == EnergyPrice::Per::Bit;
        e.pj = p.pj * (per_bit ? static_cast<double>(cost.bits_of(bits)) : 1.0);
        return e;
    };
    TrainingCounters counters;
    fields([&](const char* name, std::uint64_t&, const TrainingCost& cost,
               const char*) { entries_.push_back(entry(name, cost)); },
           counters);
}

Pricing TrainingPrices::dynamic(const EngineRecord& record) const {
    Pricing result;
    std::vector<std::string> missing;
    for (const LayerRecord& layer : record.layers) {
        const auto number = static_cast<std::uint32_t>(result.layers.size());
        result.layers.push_back({layer.name, {}, {}});
        for (std::size_t p = 0; p < kPhases; ++p) {
            std::uint32_t event = 0;
            const auto add = [&](const char*, const std::uint64_t& n, bool, const char*) {
                const Entry& e = entries_[event++];
                if (n == 0) return;
                if (!e.known && std::ranges::find(missing, e.name) == missing.end())
                    missing.emplace_back(e.name);
                result.add(static_cast<Phase>(p), {stats::Leaf::kNoCore, number, event - 1, n, e.pj,
                                                   static_cast<std::uint32_t>(e.level)});
            };
            fields(add, layer.phases[p].counts);
        }
    }
    if (!missing.empty())
        throw ConfigError(
            fmt::format("energy.actions: no price for {}, which was counted (or name it "
                        "under energy.unpriced, with the reason)",
                        fmt::join(missing, ", ")));
    return result;
}

Pricing price(const EngineRecord& record, const arch::TrainingChip& chip) {
    Pricing result = TrainingPrices(chip.energy, chip.bits).dynamic(record);
    result.total_pj = result.dynamic_pj;
    const double cycles = static_cast<double>(record.cycles);
    for (const auto& [name, l] : chip.energy.leakage) {
        const double instances = name == "element" ? static_cast<double>(record.processing_elements) : 1.0;
        const double pj = instances * cycles * l.pj_per_cycle(chip.clock_period);
        result.leakage_pj[name] = pj;
        result.total_pj += pj;
    }
    return result;
}

void check_training_prices(const arch::EnergySpec& list) {
    arch::EnergySpec without = list;
    without.leakage.clear();
    arch::check_price_words(without, "energy", {event_names(), {}});
}

void check_training_prices(const arch::TrainingChip& chip) {
    arch::check_price_words(chip.energy, "energy", {event_names(), leaking_parts(chip)});
}

bool prices_training(const arch::EnergySpec& list) {
    const std::vector<std::string> names = event_names();
    const auto n = std::ranges::count_if(list.actions, [&](const auto& action) {
        return std::ranges::find(names, action.first) != names.end();
    });
    return 2 * static_cast<std::size_t>(n) > list.actions.size();
}

}  // namespace loom::training
