// SPDX-License-Identifier: Apache-2.0
#include "training/many_core/elements.hpp"

namespace loom::training {
namespace {

constexpr std::uint64_t kSums = 2;     ///< values of a channel: of x, x x (errors: g, g z)
constexpr std::uint64_t kResults = 2;  ///< mean and slope (errors: both means)

arch::ElementOperations share_of(const arch::ElementOperations& all, std::uint64_t first, std::uint64_t n,
                                 std::uint64_t parts) {
    return {part_of(all.add, first, n, parts), part_of(all.multiply, first, n, parts),
            part_of(all.divide, first, n, parts), part_of(all.sqrt, first, n, parts)};
}

void count_operations(PhaseRecord& r, const arch::ElementOperations& done) {
    r.counts.add += done.add;
    r.counts.multiply += done.multiply;
    r.counts.divide += done.divide;
    r.counts.square_root += done.sqrt;
    r.busy += done.all();
}

/// Operations of a layer in the whole minibatch: all of a layer without statistics; of a norm those of a
/// part.
arch::ElementOperations operations_of(const arch::ElementWork& e, bool forward, Elements::Part part) {
    const arch::ElementOperations& all = forward ? e.forward : e.backward;
    if (e.statistics_steps == 0) return part == Elements::Part::Sums ? arch::ElementOperations{} : all;
    const arch::ElementOperations& sums = forward ? e.forward_sums : e.backward_sums;
    if (part == Elements::Part::Sums) return sums;
    return all - sums - (forward ? e.forward_statistics : e.backward_statistics);
}

}  // namespace

void Elements::work(std::uint32_t b, const Pair& pair, Part part, Cycles ready) {
    TrainingView& view = at_.view;
    const arch::TrainingWork& work = *view.work;
    const Block& block = view.placement.blocks[b];
    const bool forward = view.phase == Phase::Forward;
    const std::uint64_t neurons = work.neurons[block.population].count;
    const std::uint64_t parts = work.steps * work.batch * neurons;
    const std::uint64_t first = view.number(pair) * neurons + block.neurons_before;
    for (const PlacedElement& placed : view.population_of(block).elements) {
        const arch::ElementWork& e = work.elements[placed.element];
        const arch::ElementOperations all = operations_of(e, forward, part);
        if (all.all() == 0) continue;
        const arch::ElementOperations done = share_of(all, first, block.neurons(), parts);
        PhaseRecord& r = view.of_item(placed.item);
        count_operations(r, done);
        if (e.statistics_steps != 0)
            count_norm_traffic(r, block, part);
        else if (forward)
            count_pool_traffic(r, placed, first, block.neurons(), parts);
        at_.add_job(block.core, {.ready = ready, .cycles = view.on_lanes(done.all())}, placed.item);
    }
}

/// Values are read for the sums and again to apply them (by neuron), and what a channel is scaled with.
void Elements::count_norm_traffic(PhaseRecord& r, const Block& block, Part part) {
    r.counts.membrane_read += block.neurons();
    if (part == Part::Sums) return;
    r.counts.weight_read += (kResults + 1) * block.channels();
    if (at_.view.phase == Phase::Forward) return;
    r.counts.error_read += block.neurons();
    r.counts.error_write += block.neurons();
}

/// Pooling and sums. Before a matrix: what came is read, the sum is kept for the weight gradient. Before
/// neurons: one operand more.
void Elements::count_pool_traffic(PhaseRecord& r, const PlacedElement& placed, std::uint64_t first,
                                  std::uint64_t n, std::uint64_t parts) {
    const TrainingView& view = at_.view;
    const arch::ElementWork& e = view.work->elements[placed.element];
    const std::uint64_t pairs = view.work->steps * view.work->batch;
    if (placed.linear == UINT32_MAX) {
        r.counts.membrane_read += part_of(pairs * e.outputs, first, n, parts);
        return;
    }
    const std::uint64_t in = e.move == arch::ElementMove::Pool
                                 ? e.in_h * e.in_w * e.in_c
                                 : e.outputs * view.work->items[placed.item].sources.size();
    const bool values = view.work->neurons.front().rectifier;
    const bool binary = view.work->linear[placed.linear].binary_input;
    r.counts.spike_read += part_of(pairs * in, first, n, parts) * (values ? view.room.membrane_bits : 1);
    r.counts.spike_write +=
        part_of(pairs * e.outputs, first, n, parts) * (binary ? 1 : view.room.membrane_bits);
}

/// Forward the last pair of a window has its last timestep and the last sample; backward the first ones.
bool Elements::ends_window(const Round& round, std::size_t window, const Pair& pair) const {
    if (at_.view.phase == Phase::Forward)
        return pair.sample + 1 == round.b1 && ((pair.t + 1) % window == 0 || pair.t + 1 == round.t1);
    return pair.sample == round.b0 && (pair.t % window == 0 || pair.t == round.t0);
}

void Elements::statistics(const Round& round, std::uint32_t population, const Pair& pair, bool travelled) {
    const Placement& placement = at_.view.placement;
    const Population& pop = placement.populations[population];
    for (const PlacedElement& placed : pop.elements) {
        const std::size_t window = at_.view.work->elements[placed.element].statistics_steps;
        if (window == 0 || !ends_window(round, window, pair)) continue;
        for (std::size_t k = 0; k < placement.shared.size(); ++k)
            if (placement.blocks[placement.shared[k].owner].population == population)
                statistics_of(placed, k, pair.t, pop.statistics_travel && !travelled);
    }
}

/// Of the channels of a kernel: the copies send their sums, or the owner makes statistics and sends them.
void Elements::statistics_of(const PlacedElement& placed, std::size_t kernel, std::size_t t, bool send_sums) {
    const Block& owner = at_.view.placement.blocks[at_.view.placement.shared[kernel].owner];
    const Destinations::Sharers& s = at_.ways.kernel(kernel);
    const std::uint64_t bits = at_.view.room.gradient_bits;
    using What = ItemMessage::What;
    if (send_sums) {
        for (const std::uint32_t core : s.copies)
            at_.send_values(core, s.to_owner, ItemMessage{placed.item, What::Sums, kSums * owner.channels()},
                            bits);
        return;
    }
    finish_statistics(placed, owner, t);
    if (!s.copies.empty())
        at_.send_values(s.owner, s.to_copies,
                        ItemMessage{placed.item, What::Results, kResults * owner.channels()}, bits);
}

/// The owner of some channels makes mean and slope (errors: means) of their sums.
void Elements::finish_statistics(const PlacedElement& placed, const Block& owner, std::size_t t) {
    TrainingView& view = at_.view;
    const arch::ElementWork& e = view.work->elements[placed.element];
    const std::size_t channels = view.population_of(owner).channels;
    const std::size_t windows = (view.work->steps + e.statistics_steps - 1) / e.statistics_steps;
    const bool forward = view.phase == Phase::Forward;
    const arch::ElementOperations done = share_of(forward ? e.forward_statistics : e.backward_statistics,
                                                  t / e.statistics_steps * channels + owner.first_channel,
                                                  owner.channels(), windows * channels);
    PhaseRecord& r = view.of_item(placed.item);
    count_operations(r, done);
    r.counts.membrane_read += kSums * owner.channels();
    r.counts.membrane_write += kResults * owner.channels();
    if (forward) {  // running mean and variance
        r.counts.weight_read += 2 * owner.channels();
        r.counts.weight_write += 2 * owner.channels();
    }
    at_.add_job(owner.core, {.cycles = view.on_lanes(done.all())}, placed.item);
}

}  // namespace loom::training
