// SPDX-License-Identifier: Apache-2.0
// What packets mean to the cores that take them.
#include <algorithm>

#include "training/many_core/many_core_engine.hpp"

namespace loom::training {

using arch::ZeroRule;

Cycles ManyCoreEngine::arrive(std::uint32_t core, const Packet& packet) {
    const std::size_t items = view_.work->items.size();
    if (packet.tag >= kValues) {
        const Cycles cycles = arrive_values(packet);
        spent_[core * items + (packet.tag - kValues)] += cycles;
        return cycles;
    }
    Cycles cycles = 0;
    if (view_.phase == Phase::WeightUpdate) {
        cycles = arrive_exchange(packet);
    } else if (view_.phase == Phase::Forward) {
        cycles = arrive_input(core, packet);
    } else {
        const auto pair = static_cast<std::size_t>(packet.payload) / 2;
        view_.sample = pair % view_.work->batch;
        for (const std::uint32_t b : blocks_of_core_[core])
            cycles +=
                arrive_error(view_.placement.blocks[b], packet.tag, packet.axon, pair / view_.work->batch);
    }
    spent_[core * items + view_.linear_items[view_.placement.feeds[packet.tag].linear]] += cycles;
    return cycles;
}

Cycles ManyCoreEngine::arrive_input(std::uint32_t core, const Packet& packet) {
    const Feed& feed = view_.placement.feeds[packet.tag];
    const auto pair = static_cast<std::size_t>(packet.payload) / 2;
    bool zero = packet.payload % 2 != 0;
    view_.sample = pair % view_.work->batch;
    if (feed.join != Join::Each && !complete(core, packet.tag, packet.axon, pair, zero)) return 1;
    Cycles cycles = 0;
    for (const std::uint32_t b : blocks_of_core_[core])
        if (view_.placement.blocks[b].population == feed.target)
            cycles += arithmetic_->take_spike(view_, b, packet.tag, packet.axon, pair, zero);
    return cycles;
}

void ManyCoreEngine::prepare_arrivals() {
    arrivals_.resize(view_.placement.feeds.size());
    for (std::size_t f = 0; f < arrivals_.size(); ++f) {
        const Feed& feed = view_.placement.feeds[f];
        if (feed.join == Join::Each) continue;
        Arrivals& a = arrivals_[f];
        a.place.assign(view_.room.cores, kNowhere);
        std::uint32_t places = 0;
        for (const std::uint32_t b : view_.placement.populations[feed.target].blocks)
            if (std::uint32_t& place = a.place[view_.placement.blocks[b].core]; place == kNowhere)
                place = places++;
        a.seen.assign(places * round_.pairs() * feed.back.size(), 0);
    }
}

bool ManyCoreEngine::complete(std::uint32_t core, std::uint32_t f, std::size_t element, std::size_t pair,
                              bool& zero) {
    const Feed& feed = view_.placement.feeds[f];
    const std::size_t t = pair / view_.work->batch, sample = pair % view_.work->batch;
    const std::size_t inside = (t - round_.t0) * round_.samples() + sample - round_.b0;
    Arrivals& a = arrivals_[f];
    std::uint32_t& seen = a.seen[(a.place[core] * round_.pairs() + inside) * feed.back.size() + element];
    constexpr std::uint32_t kSpike = 0x80000000;
    const bool spiked = (seen & kSpike) != 0;
    ++seen;
    if (!zero) seen |= kSpike;
    if (feed.join == Join::First && view_.sparsity.spikes == ZeroRule::Skip) return !spiked;
    zero = (seen & kSpike) == 0;
    return (seen & ~kSpike) == feed.packets(feed.back[element].size());
}

Cycles ManyCoreEngine::arrive_error(const Block& block, std::uint32_t f, std::size_t element, std::size_t t) {
    const Feed& feed = view_.placement.feeds[f];
    std::uint64_t adds = 0;
    for (const auto& [s, n] : feed.back[element]) {
        if (feed.sources[s].population != block.population) continue;
        const std::size_t channels = view_.placement.populations[block.population].channels;
        if (!block.holds(n / channels, n % channels)) continue;
        if (view_.sparsity.derivative == ZeroRule::Skip &&
            !view_.work->neurons[block.population].derivative.test(t, view_.sample, n))
            continue;
        ++adds;
    }
    PhaseRecord& r = view_.of_linear(feed.linear);
    count(r, Event::Add) += adds;
    count(r, Event::ErrorRead) += adds;
    count(r, Event::ErrorWrite) += adds;
    r.busy += adds;
    return view_.on_lanes(adds);
}

/// Partial sums that are added to those of the owner, or what it made of them.
Cycles ManyCoreEngine::arrive_values(const Packet& packet) {
    PhaseRecord& r = view_.of_item(packet.tag - kValues);
    const std::uint64_t n = packet.axon;
    const bool update = view_.phase == Phase::WeightUpdate;
    if (static_cast<ValueKind>(packet.payload) == ValueKind::Results) {
        count(r, update ? Event::WeightWrite : Event::MembraneWrite) += n;
        return view_.to_read(view_.words(n));
    }
    // Statistics: the first value of each copy's sum was no addition, so these are among those of the layer.
    if (update) count(r, Event::Add) += n;
    count(r, update ? Event::GradientRead : Event::MembraneRead) += n;
    count(r, update ? Event::GradientWrite : Event::MembraneWrite) += n;
    return view_.on_lanes(n);
}

}  // namespace loom::training
