// SPDX-License-Identifier: Apache-2.0
#include "training/many_core/arrivals.hpp"

namespace loom::training {

using arch::ZeroRule;

void Joins::begin_round(const TrainingView& view, const Round& round) {
    constexpr std::uint32_t kNoPlace = UINT32_MAX;
    round_ = round;
    feeds_.resize(view.placement.feeds.size());
    for (std::uint32_t f = 0; f < feeds_.size(); ++f) {
        const Feed& feed = view.feed(f);
        if (feed.join == Join::Each) continue;
        Seen& seen = feeds_[f];
        seen.place.assign(view.room.cores, kNoPlace);
        std::uint32_t places = 0;
        for (const std::uint32_t b : view.placement.populations[feed.target].blocks)
            if (std::uint32_t& place = seen.place[view.placement.blocks[b].core]; place == kNoPlace)
                place = places++;
        seen.packets.assign(places * round.pairs() * feed.back.size(), 0);
    }
}

bool Joins::complete(const TrainingView& view, std::uint32_t core, InputMessage& m) {
    constexpr std::uint32_t kSpike = 0x80000000;
    const Feed& feed = view.feed(m.feed);
    Seen& of_feed = feeds_[m.feed];
    const std::size_t pair = of_feed.place[core] * round_.pairs() + round_.index_of(view.pair(m.pair));
    std::uint32_t& seen = of_feed.packets[pair * feed.back.size() + m.element];
    const bool spiked = (seen & kSpike) != 0;
    ++seen;
    if (!m.zero) seen |= kSpike;
    if (feed.join == Join::First && view.sparsity.spikes == ZeroRule::Skip) return !spiked;
    m.zero = (seen & kSpike) == 0;
    return (seen & ~kSpike) == feed.packets(feed.back[m.element].size());
}

ArrivedWork Arrivals::take(std::uint32_t core, const Packet& packet) {
    switch (meaning_of(packet)) {
        case Meaning::Input:
            return {take_input(core, InputMessage::decode(packet)), view_.item_of_feed(packet.tag)};
        case Meaning::Error:
            return {take_error(core, ErrorMessage::decode(packet)), view_.item_of_feed(packet.tag)};
        case Meaning::Kernel:
            return {take_kernel(KernelMessage::decode(packet)), view_.item_of_feed(packet.tag)};
        default:
            return {take_item(ItemMessage::decode(packet)), packet.tag};
    }
}

Cycles Arrivals::take_input(std::uint32_t core, InputMessage m) {
    const Feed& feed = view_.feed(m.feed);
    view_.sample = view_.pair(m.pair).sample;
    if (feed.join != Join::Each && !joins_.complete(view_, core, m)) return 1;
    Cycles cycles = 0;
    for (const std::uint32_t b : view_.placement.blocks_of_core[core])
        if (view_.placement.blocks[b].population == feed.target)
            cycles += arithmetic_.take_spike(view_, b, m.feed, m.element, m.pair, m.zero);
    return cycles;
}

Cycles Arrivals::take_error(std::uint32_t core, const ErrorMessage& m) {
    const Pair pair = view_.pair(m.pair);
    view_.sample = pair.sample;
    Cycles cycles = 0;
    for (const std::uint32_t b : view_.placement.blocks_of_core[core])
        cycles += add_errors(view_.placement.blocks[b], m, pair.t);
    return cycles;
}

/// Adds a partial error to those of the block's neurons that are sources of its element.
Cycles Arrivals::add_errors(const Block& block, const ErrorMessage& m, std::size_t t) {
    const Feed& feed = view_.feed(m.feed);
    std::uint64_t adds = 0;
    for (const auto& [s, n] : feed.back[m.element]) {
        if (feed.sources[s].population != block.population) continue;
        const std::size_t channels = view_.population_of(block).channels;
        if (!block.holds(n / channels, n % channels)) continue;
        if (view_.sparsity.derivative == ZeroRule::Skip &&
            !view_.work->neurons[block.population].derivative.test(t, view_.sample, n))
            continue;
        ++adds;
    }
    PhaseRecord& r = view_.of_linear(feed.linear);
    r.counts.add += adds;
    r.counts.error_read += adds;
    r.counts.error_write += adds;
    r.busy += adds;
    return view_.on_lanes(adds);
}

/// Gradients are added to those of the owner; new weights replace those of a copy.
Cycles Arrivals::take_kernel(const KernelMessage& m) {
    PhaseRecord& r = view_.of_linear(view_.feed(m.feed).linear);
    const std::uint64_t n = m.values;
    if (m.what == KernelMessage::What::Weights) {
        r.counts.weight_write += view_.weights_moved(view_.words(n));
        return view_.to_read(view_.words(n));
    }
    r.counts.add += n;
    r.counts.gradient_read += n;
    r.counts.gradient_write += n;
    r.busy += n;
    return view_.on_lanes(n);
}

/// Partial sums are added to those of the owner, or what it made of them is stored.
Cycles Arrivals::take_item(const ItemMessage& m) {
    PhaseRecord& r = view_.of_item(m.item);
    const std::uint64_t n = m.values;
    const bool update = view_.phase == Phase::WeightUpdate;
    if (m.what == ItemMessage::What::Results) {
        r.counts[update ? &TrainingCounters::weight_write : &TrainingCounters::membrane_write] += n;
        return view_.to_read(view_.words(n));
    }
    // Statistics: the first value of each copy's sum was no addition, so these are among those of the layer.
    if (update) r.counts.add += n;
    r.counts[update ? &TrainingCounters::gradient_read : &TrainingCounters::membrane_read] += n;
    r.counts[update ? &TrainingCounters::gradient_write : &TrainingCounters::membrane_write] += n;
    return view_.on_lanes(n);
}

}  // namespace loom::training
