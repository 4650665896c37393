// SPDX-License-Identifier: Apache-2.0
#include "cores/catalogue.hpp"

#include <fmt/format.h>

#include <array>
#include <string_view>

#include "cores/near_memory/near_memory_core.hpp"

namespace loom::cores {
namespace {

using Make = std::unique_ptr<Core> (*)(const arch::ChipSpec&, std::shared_ptr<const arch::CoreImage>,
                                       const arch::Program&, CoreContext, CoreSchedule);

/// Sums of all axons at once, with room for an axon that several pooled inputs reach, need more
/// than 32 bits.
bool needs_wide_accumulators(const arch::CoreImage& image, const arch::ChipSpec& spec) {
    double worst = 0;
    for (const auto& g : image.axons) {
        const double weight = static_cast<double>(std::uint64_t{1} << (spec.core.synapse.weight_bits - 1));
        const double payload =
            static_cast<double>(std::uint64_t{1} << (g.analogue ? spec.core.axon_in.payload_bits : 0));
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
        return std::make_unique<NearMemoryCore<double>>(spec, std::move(image), program, context, schedule);
    }
    if (needs_wide_accumulators(*image, spec)) {
        return std::make_unique<NearMemoryCore<std::int64_t>>(spec, std::move(image), program, context,
                                                              schedule);
    }
    return std::make_unique<NearMemoryCore<std::int32_t>>(spec, std::move(image), program, context, schedule);
}

struct Kind {
    std::string_view name;
    Make make;
};
constexpr std::array kKinds{Kind{"near_memory", make_near_memory}};

const Kind& find_kind(const std::string& name) {
    std::string known;
    for (const Kind& k : kKinds) {
        if (k.name == name) return k;
        known += (known.empty() ? "" : ", ") + std::string(k.name);
    }
    throw ConfigError(fmt::format("core.kind: unknown '{}' (known: {})", name, known));
}

}  // namespace

void check_kind(const std::string& kind) {
    find_kind(kind);
}

std::unique_ptr<Core> make_core(const arch::ChipSpec& spec, std::shared_ptr<const arch::CoreImage> image,
                                const arch::Program& program, CoreContext context, CoreSchedule schedule) {
    return find_kind(spec.core.kind).make(spec, std::move(image), program, context, schedule);
}

}  // namespace loom::cores
