// SPDX-License-Identifier: Apache-2.0
#include "cores/catalogue.hpp"

#include <fmt/format.h>

#include <array>
#include <set>
#include <string_view>

#include "cores/cim/cim_core.hpp"
#include "cores/near_memory/near_memory_core.hpp"
#include "arch/core_kinds.hpp"

namespace loom::cores {
namespace {

using Make = std::unique_ptr<Core> (*)(const arch::ChipSpec&, std::shared_ptr<const arch::CoreImage>,
                                       const arch::Program&, CoreContext, CoreSchedule);

/// Sums of all axons at once, with room for an axon that several pooled inputs reach, need more
/// than 32 bits.
bool needs_wide_accumulators(const arch::CoreImage& image, const arch::CoreSpec& spec) {
    double worst = 0;
    for (const auto& g : image.axons) {
        const double weight = static_cast<double>(std::uint64_t{1} << (spec.synapse.weight_bits - 1));
        const double payload =
            static_cast<double>(std::uint64_t{1} << (g.analogue ? spec.axon_in.payload_bits : 0));
        worst += 64.0 * g.count * weight * payload * static_cast<double>(std::uint64_t{1} << g.shift);
    }
    for (const auto& g : image.neurons) worst = g.rule.multispike ? 1e18 : worst;
    return worst >= 2147483648.0;
}

std::unique_ptr<Core> make_near_memory(const arch::ChipSpec& spec,
                                       std::shared_ptr<const arch::CoreImage> image,
                                       const arch::Program& program, CoreContext context,
                                       CoreSchedule schedule) {
    if (!program.fixed) {
        return std::make_unique<NearMemoryCore<double>>(spec, std::move(image), context, schedule);
    }
    if (needs_wide_accumulators(*image, spec.kind(image->kind))) {
        return std::make_unique<NearMemoryCore<std::int64_t>>(spec, std::move(image), context, schedule);
    }
    return std::make_unique<NearMemoryCore<std::int32_t>>(spec, std::move(image), context, schedule);
}

std::unique_ptr<Core> make_cim(const arch::ChipSpec& spec, std::shared_ptr<const arch::CoreImage> image,
                               const arch::Program& program, CoreContext context, CoreSchedule schedule) {
    return std::make_unique<CimCore>(spec, std::move(image), program.device_seed, context, schedule);
}

void check_near_memory(const arch::CoreSpec&, const arch::ChipSpec&, const std::string&) {}

void check_cim_core(const arch::CoreSpec& core, const arch::ChipSpec& chip, const std::string& key) {
    if (!core.cim) throw ConfigError(key + ".cim: a core of kind cim needs this section");
    if (core.soma.arithmetic != arch::Arithmetic::Fixed)
        throw ConfigError(key + ".soma.arithmetic: cores of kind cim compute in integers (fixed)");
    if (core.cim->timing.f_clk != 0)
        throw ConfigError(key + ".cim.timing.f_clk: arrays of a chip have its clock (clock.period)");
    cim_shape(*core.cim, 1, 1, chip.clock.period, key + ".cim.");
}

struct Kind {
    std::string_view name;
    Make make;
    void (*check)(const arch::CoreSpec&, const arch::ChipSpec&, const std::string& key);
};
constexpr std::array kKinds{Kind{"near_memory", make_near_memory, check_near_memory},
                            Kind{"cim", make_cim, check_cim_core}};

std::string key_of(const arch::ChipSpec& spec, std::size_t kind) {
    return spec.cores.empty() ? "core" : fmt::format("cores.{}", kind);
}

const Kind& find_kind(const arch::ChipSpec& spec, std::size_t kind) {
    const std::string& name = spec.kind(kind).kind;
    std::string known;
    for (const Kind& k : kKinds) {
        if (k.name == name) return k;
        known += (known.empty() ? "" : ", ") + std::string(k.name);
    }
    throw ConfigError(fmt::format("{}.kind: unknown '{}' (known: {})", key_of(spec, kind), name, known));
}

}  // namespace

void check_kinds(const arch::ChipSpec& spec) {
    std::set<std::string> names;
    for (std::size_t k = 0; k < spec.n_kinds(); ++k) {
        find_kind(spec, k).check(spec.kind(k), spec, key_of(spec, k));
        if (spec.cores.empty()) continue;
        if (!names.insert(spec.cores[k].name).second)
            throw ConfigError(
                fmt::format("cores.{}.name: '{}' is the name of another kind too", k, spec.cores[k].name));
        if (spec.cores[k].soma.arithmetic != spec.cores[0].soma.arithmetic)
            throw ConfigError(fmt::format("cores.{}.soma.arithmetic: the same for all kinds, please", k));
    }
    arch::core_kinds(spec);
}

std::unique_ptr<Core> make_core(const arch::ChipSpec& spec, std::shared_ptr<const arch::CoreImage> image,
                                const arch::Program& program, CoreContext context, CoreSchedule schedule) {
    return find_kind(spec, image->kind).make(spec, std::move(image), program, context, schedule);
}

}  // namespace loom::cores
