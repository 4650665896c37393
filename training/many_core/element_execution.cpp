// SPDX-License-Identifier: Apache-2.0
// Element-wise layers on the cores of the population that they feed. A layer's operations are shared over its
// blocks, timesteps and samples by neurons, in integers that add up to them.
#include <algorithm>

#include "training/many_core/many_core_engine.hpp"

namespace loom::training {
namespace {

constexpr std::uint64_t kSums = 2;     ///< values of a channel: of x, x x (errors: g, g z)
constexpr std::uint64_t kResults = 2;  ///< mean and slope (errors: both means)

arch::ElementOperations share_of(const arch::ElementOperations& all, std::uint64_t first, std::uint64_t n,
                                 std::uint64_t parts) {
    return {part_of(all.add, first, n, parts), part_of(all.multiply, first, n, parts),
            part_of(all.divide, first, n, parts), part_of(all.sqrt, first, n, parts)};
}

}  // namespace

void ManyCoreEngine::count_operations(PhaseRecord& r, const arch::ElementOperations& done) {
    count(r, Event::Add) += done.add;
    count(r, Event::Multiply) += done.multiply;
    count(r, Event::Divide) += done.divide;
    count(r, Event::SquareRoot) += done.sqrt;
    r.busy += done.all();
}

void ManyCoreEngine::elements(std::uint32_t b, const Pair& pair, Part part, Cycles ready) {
    const arch::TrainingWork& work = *view_.work;
    const Block& block = view_.placement.blocks[b];
    const Population& pop = view_.placement.populations[block.population];
    const bool forward = view_.phase == Phase::Forward;
    const std::uint64_t neurons = work.neurons[block.population].count;
    const std::uint64_t parts = work.steps * work.batch * neurons;
    const std::uint64_t first = number(pair) * neurons + block.neurons_before;
    for (const PlacedElement& placed : pop.elements) {
        const arch::ElementWork& e = work.elements[placed.element];
        const bool norm = e.statistics_steps != 0;
        if (part == Part::Sums && !norm) continue;
        arch::ElementOperations all = forward ? e.forward : e.backward;
        const arch::ElementOperations& sums = forward ? e.forward_sums : e.backward_sums;
        if (norm)
            all = part == Part::Sums ? sums
                                     : all - sums - (forward ? e.forward_statistics : e.backward_statistics);
        if (all.all() == 0) continue;
        const arch::ElementOperations done = share_of(all, first, block.neurons(), parts);
        PhaseRecord& r = view_.of_item(placed.item);
        count_operations(r, done);
        if (norm)
            count_norm_traffic(r, block, part);
        else if (forward)
            count_pool_traffic(r, placed, first, block.neurons(), parts);
        add_job(block.core, {.ready = ready, .cycles = view_.on_lanes(done.all())}, placed.item);
    }
}

/// Values are read for the sums and again to apply them (by neuron), and what a channel is scaled with.
void ManyCoreEngine::count_norm_traffic(PhaseRecord& r, const Block& block, Part part) {
    count(r, Event::MembraneRead) += block.neurons();
    if (part == Part::Sums) return;
    count(r, Event::WeightRead) += (kResults + 1) * block.channels();
    if (view_.phase == Phase::Forward) return;
    count(r, Event::ErrorRead) += block.neurons();
    count(r, Event::ErrorWrite) += block.neurons();
}

/// Pooling and sums. Before a matrix: what came is read, the sum is kept for the weight gradient. Before
/// neurons: one operand more.
void ManyCoreEngine::count_pool_traffic(PhaseRecord& r, const PlacedElement& placed, std::uint64_t first,
                                        std::uint64_t n, std::uint64_t parts) {
    const arch::ElementWork& e = view_.work->elements[placed.element];
    const std::uint64_t pairs = view_.work->steps * view_.work->batch;
    if (placed.linear == UINT32_MAX) {
        count(r, Event::MembraneRead) += part_of(pairs * e.outputs, first, n, parts);
        return;
    }
    const std::uint64_t in = e.move == arch::ElementMove::Pool
                                 ? e.in_h * e.in_w * e.in_c
                                 : e.outputs * view_.work->items[placed.item].sources.size();
    const bool values = view_.work->neurons.front().rectifier;
    const bool binary = view_.work->linear[placed.linear].binary_input;
    count(r, Event::SpikeRead) +=
        part_of(pairs * in, first, n, parts) * (values ? view_.room.membrane_bits : 1);
    count(r, Event::SpikeWrite) +=
        part_of(pairs * e.outputs, first, n, parts) * (binary ? 1 : view_.room.membrane_bits);
}

/// Inputs of a pair are complete at a block: they enter the sums of its norms.
void ManyCoreEngine::statistics_sums(std::uint32_t b, const Pair& pair) {
    view_.sample = pair.sample;
    sums_.clear();
    arithmetic_->sums(view_, b, number(pair), sums_);
    elements(b, pair, Part::Sums, await_sums(view_.placement.blocks[b]));
}

/// Forward the last pair of a window has its last timestep and the last sample; backward the first ones.
bool ManyCoreEngine::ends_window(std::size_t window, const Pair& pair) const {
    if (view_.phase == Phase::Forward)
        return pair.sample + 1 == round_.b1 && ((pair.t + 1) % window == 0 || pair.t + 1 == round_.t1);
    return pair.sample == round_.b0 && (pair.t % window == 0 || pair.t == round_.t0);
}

void ManyCoreEngine::statistics(std::uint32_t population, const Pair& pair, bool travelled) {
    const Population& pop = view_.placement.populations[population];
    for (const PlacedElement& placed : pop.elements) {
        const std::size_t window = view_.work->elements[placed.element].statistics_steps;
        if (window == 0 || !ends_window(window, pair)) continue;
        for (std::size_t k = 0; k < view_.placement.shared.size(); ++k) {
            const SharedKernel& kernel = view_.placement.shared[k];
            const Block& owner = view_.placement.blocks[kernel.owner];
            if (owner.population != population) continue;
            const Sharers& s = kernel_sharers_[k];
            if (pop.statistics_travel && !travelled) {
                for (const std::uint32_t core : s.copies)
                    pass_values(core, s.to_owner, placed.item, kSums * owner.channels(), ValueKind::Sums);
                continue;
            }
            finish_statistics(placed, kernel, pair.t);
            if (!s.copies.empty())
                pass_values(s.owner, s.to_copies, placed.item, kResults * owner.channels(),
                            ValueKind::Results);
        }
    }
}

/// The owner of some channels makes mean and slope (errors: means) of their sums.
void ManyCoreEngine::finish_statistics(const PlacedElement& placed, const SharedKernel& kernel,
                                       std::size_t t) {
    const arch::ElementWork& e = view_.work->elements[placed.element];
    const Block& owner = view_.placement.blocks[kernel.owner];
    const std::size_t channels = view_.placement.populations[owner.population].channels;
    const std::size_t windows = (view_.work->steps + e.statistics_steps - 1) / e.statistics_steps;
    const bool forward = view_.phase == Phase::Forward;
    const arch::ElementOperations done = share_of(forward ? e.forward_statistics : e.backward_statistics,
                                                  t / e.statistics_steps * channels + owner.first_channel,
                                                  owner.channels(), windows * channels);
    PhaseRecord& r = view_.of_item(placed.item);
    count_operations(r, done);
    count(r, Event::MembraneRead) += kSums * owner.channels();
    count(r, Event::MembraneWrite) += kResults * owner.channels();
    if (forward) {  // running mean and variance
        count(r, Event::WeightRead) += 2 * owner.channels();
        count(r, Event::WeightWrite) += 2 * owner.channels();
    }
    add_job(owner.core, {.cycles = view_.on_lanes(done.all())}, placed.item);
}

void ManyCoreEngine::pass_values(std::uint32_t from, std::uint32_t set, std::uint32_t item,
                                 std::uint64_t values, ValueKind kind) {
    send_values(from, set, kValues + item, values, static_cast<std::size_t>(kind), view_.room.gradient_bits);
}

ManyCoreEngine::Sharers ManyCoreEngine::sharers(const Cores& copies, std::uint32_t owner) {
    Sharers s{owner, 0, 0, {copies.begin(), copies.end()}};
    if (copies.empty()) return s;
    s.to_owner = number_of({owner}), s.to_copies = number_of(copies);
    add_way(owner, s.to_copies);
    for (const std::uint32_t core : copies) add_way(core, s.to_owner);
    return s;
}

void ManyCoreEngine::prepare_parameters() {
    kernel_sharers_.clear();
    leak_sharers_.clear();
    for (const SharedKernel& kernel : view_.placement.shared) {
        Cores copies;
        for (const std::uint32_t b : kernel.copies) copies.insert(view_.placement.blocks[b].core);
        kernel_sharers_.push_back(sharers(copies, view_.placement.blocks[kernel.owner].core));
    }
    for (std::size_t p = 0; p < view_.placement.populations.size(); ++p) {
        const std::vector<std::uint32_t>& blocks = view_.placement.populations[p].blocks;
        const std::uint32_t owner = view_.placement.blocks[blocks.front()].core;
        Cores others;
        if (view_.work->neurons[p].parameters() != 0)
            for (const std::uint32_t b : blocks) others.insert(view_.placement.blocks[b].core);
        others.erase(owner);
        leak_sharers_.push_back(sharers(others, owner));
    }
}

/// Norms' parameters where their statistics are made; those of neurons (a leak, a width) in the first block.
void ManyCoreEngine::update_parameters() {
    const auto update = [&](std::uint32_t core, std::uint32_t item, std::uint64_t n) {
        if (n == 0) return;
        const std::uint64_t moved = view_.weights_moved(view_.words(n));
        count(view_.of_item(item), Event::WeightRead) += moved;
        count(view_.of_item(item), Event::WeightWrite) += moved;
        add_job(core, {.cycles = view_.on_lanes(count_optimiser_of(view_, item, n))}, item);
    };
    for (const SharedKernel& kernel : view_.placement.shared) {
        const Block& owner = view_.placement.blocks[kernel.owner];
        const Population& pop = view_.placement.populations[owner.population];
        for (const PlacedElement& placed : pop.elements)
            update(owner.core, placed.item,
                   part_of(view_.work->elements[placed.element].parameters, owner.first_channel,
                           owner.channels(), pop.channels));
    }
    for (std::size_t p = 0; p < view_.work->neurons.size(); ++p)
        update(leak_sharers_[p].owner, view_.neuron_items[p], view_.work->neurons[p].parameters());
}

/// Gradients of neurons' parameters from all cores of a population to the first, or new values back.
void ManyCoreEngine::exchange_parameters(bool gradients) {
    bool any = false;
    for (std::size_t p = 0; p < leak_sharers_.size(); ++p) {
        const Sharers& s = leak_sharers_[p];
        const std::uint64_t n = view_.work->neurons[p].parameters();
        if (s.copies.empty()) continue;
        any = true;
        if (!gradients) pass_values(s.owner, s.to_copies, view_.neuron_items[p], n, ValueKind::Results);
        if (!gradients) continue;
        for (const std::uint32_t core : s.copies)
            pass_values(core, s.to_owner, view_.neuron_items[p], n, ValueKind::Sums);
    }
    if (any) run_step();
}

}  // namespace loom::training
