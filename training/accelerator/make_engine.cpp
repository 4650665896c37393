// SPDX-License-Identifier: Apache-2.0
#include "training/accelerator/make_engine.hpp"

#include <bit>

#include "base/error.hpp"
#include "base/nearest.hpp"
#include "training/accelerator/step_engine.hpp"

namespace loom::training {
namespace {

arch::TrainingChip plain(arch::TrainingChip chip) {
    chip.multiplies_spikes = true;
    return chip;
}

struct NamedEngine {
    std::string_view kind;
    std::unique_ptr<StepExecutor> (*make)(const arch::TrainingChip&);
};
constexpr NamedEngine kEngines[] = {
    {"sata",
     [](const arch::TrainingChip& c) -> std::unique_ptr<StepExecutor> {
         return std::make_unique<StepEngine>(c, UnitPlan::One);
     }},
    {"h2learn",
     [](const arch::TrainingChip& c) -> std::unique_ptr<StepExecutor> {
         return std::make_unique<StepEngine>(c, UnitPlan::Three);
     }},
    {"mac_array",
     [](const arch::TrainingChip& c) -> std::unique_ptr<StepExecutor> {
         return std::make_unique<StepEngine>(plain(c), UnitPlan::One);
     }},
};

void check(const arch::TrainingChip& chip) {
    if (!std::has_single_bit(chip.lut_inputs) || chip.lut_inputs > 8)
        throw ConfigError("lut_inputs: must be 1, 2, 4 or 8");
    if (chip.lut_inputs > 1 && chip.kind != "h2learn")
        throw ConfigError("lut_inputs: engines of kind " + chip.kind + " have no tables (1)");
    if (chip.kind == "mac_array") {
        const arch::SparsityRules& s = chip.sparsity;
        const std::pair<const char*, arch::ZeroRule> rules[] = {
            {"spikes", s.spikes}, {"errors", s.errors}, {"derivative", s.derivative}};
        for (const auto& [key, rule] : rules)
            if (rule != arch::ZeroRule::Dense)
                throw ConfigError(std::string("sparsity.") + key +
                                  ": engines of kind mac_array execute every zero: must be dense; kind sata "
                                  "skips or gates them");
    }
    if (chip.kind != "h2learn" && (chip.backward_array || chip.update_array))
        throw ConfigError("backward_array, update_array: only engines of kind h2learn have them");
    if (chip.schedule.keep == arch::KeepRule::Recompute && chip.schedule.order == arch::LoopOrder::Time)
        throw ConfigError("schedule.keep: recompute needs schedule.order: layer");
}

}  // namespace

std::unique_ptr<StepExecutor> make_engine(const arch::TrainingChip& chip) {
    std::vector<std::string> known;
    for (const NamedEngine& e : kEngines) {
        if (e.kind == chip.kind) {
            check(chip);
            return e.make(chip);
        }
        known.emplace_back(e.kind);
    }
    throw ConfigError("kind: " + unknown_name(chip.kind, known));
}

}  // namespace loom::training
