// SPDX-License-Identifier: Apache-2.0
#include "cores/near_memory/kind.hpp"

#include <cmath>

#include "cores/near_memory/near_memory_core.hpp"

namespace loom::cores {
namespace {

/// Sums of all axons at once, with room for an axon that several pooled inputs reach, need more
/// than 32 bits.
bool needs_wide_accumulators(const arch::Program& program, const arch::CoreImage& image,
                             const arch::CoreSpec& spec) {
    double worst = 0;
    for (const auto& g : image.axons) {
        const double weight = static_cast<double>(std::uint64_t{1} << (spec.synapse.weight_bits - 1));
        const double payload =
            static_cast<double>(std::uint64_t{1} << (g.analogue ? spec.axon_in.payload_bits : 0));
        worst += 64.0 * g.count * weight * payload * static_cast<double>(std::uint64_t{1} << g.shift);
    }
    for (const auto& other : program.cores) {  // any of them may be where spikes come from
        for (const auto& g : other.neurons) worst = g.rule.multispike ? 1e18 : worst;
    }
    return worst >= 2147483648.0;
}

}  // namespace

void NearMemoryKind::expect(const arch::ChipSpec& chip, std::size_t kind, const arch::ExpectedInput& in,
                            double, const AddEvent& add) const {
    const arch::CoreSpec& core = chip.kind(kind);
    const auto lanes = static_cast<double>(core.dendrite.lanes),
               word = static_cast<double>(core.synapse.word);
    const auto bits =
        static_cast<double>(core.synapse.weight_bits + (in.sparse ? core.synapse.index_bits : 0));
    const double runs = in.synops / in.run;
    add("axon_in.packets", in.events);
    add("axon_in.lookups", in.events);
    add("synapse.word_reads", runs * std::ceil(in.run * bits / word));
    add("dendrite.accesses", runs * std::ceil(in.run / lanes));
    add(in.graded ? multiply_event() : accumulate_event(), in.synops);
}

bool NearMemoryKind::counts(std::string_view, const arch::CoreSpec&) const {
    return true;  // the common events are those of its stages
}

std::unique_ptr<Core> NearMemoryKind::make(const arch::ChipSpec& chip,
                                           std::shared_ptr<const arch::CoreImage> image,
                                           const arch::Program& program, CoreContext context,
                                           CoreSchedule schedule) const {
    if (!program.fixed)
        return std::make_unique<NearMemoryCore<double>>(chip, std::move(image), context, schedule);
    if (needs_wide_accumulators(program, *image, chip.kind(image->kind)))
        return std::make_unique<NearMemoryCore<std::int64_t>>(chip, std::move(image), context, schedule);
    return std::make_unique<NearMemoryCore<std::int32_t>>(chip, std::move(image), context, schedule);
}

}  // namespace loom::cores
