// SPDX-License-Identifier: Apache-2.0
#include "training/many_core/destinations.hpp"

#include "training/many_core/geometry.hpp"

namespace loom::training {
namespace {

/// Core of each neuron of a population.
std::vector<std::uint32_t> owners_of(const Placement& placement, const Population& population) {
    std::vector<std::uint32_t> core(population.height * population.width * population.channels);
    for (const std::uint32_t b : population.blocks) {
        const Block& block = placement.blocks[b];
        for (std::size_t q = block.first_position; q < block.last_position; ++q)
            for (std::size_t c = block.first_channel; c < block.last_channel; ++c)
                core[q * population.channels + c] = block.core;
    }
    return core;
}

}  // namespace

Destinations::Destinations(const TrainingView& view, noc::Network& network)
    : view_(view),
      network_(network),
      forward_(view.placement.feeds.size()),
      backward_(view.placement.feeds.size()) {
    std::vector<std::vector<std::uint32_t>> owner;
    for (const Population& p : view_.placement.populations) owner.push_back(owners_of(view_.placement, p));
    for (std::uint32_t f = 0; f < view_.placement.feeds.size(); ++f) find_feed(f, owner);
    find_sharers();
}

std::uint32_t Destinations::number_of(const Cores& cores) {
    if (cores.empty()) return kNowhere;
    const auto [at, is_new] = numbers_.try_emplace(cores, static_cast<std::uint32_t>(sets_.size()));
    if (is_new) sets_.push_back(cores);
    return at->second;
}

void Destinations::add_way(std::uint32_t from, std::uint32_t set) {
    const auto [at, is_new] = ways_.try_emplace(key(from, set));
    if (!is_new) return;
    const Cores& cores = sets_[set];
    at->second.copies = static_cast<std::uint32_t>(cores.size());
    if (cores.size() == 1) {
        at->second.to = Destination::endpoint(EndpointId{*cores.begin()});
        return;
    }
    const std::vector<std::uint32_t> members(cores.begin(), cores.end());
    at->second.to = Destination::set(network_.add_set(EndpointId{from}, members));
}

Destinations::Cores Destinations::reached_by(const Feed& feed, std::size_t position,
                                             std::size_t group) const {
    const arch::LinearShape& shape = view_.linear(feed).shape;
    Cores reached;
    each_output(shape, position, [&](std::size_t q, std::size_t) {
        for (const std::uint32_t b : view_.placement.populations[feed.target].blocks) {
            const Block& block = view_.placement.blocks[b];
            if (q < block.first_position || q >= block.last_position) continue;
            if (group_channels(shape, group, block.first_channel, block.last_channel).size() != 0)
                reached.insert(block.core);
        }
    });
    return reached;
}

/// Forward and backward sets of a feed. `owner`: core by population and neuron.
void Destinations::find_feed(std::uint32_t f, const std::vector<std::vector<std::uint32_t>>& owner) {
    const Feed& feed = view_.feed(f);
    const arch::LinearWork& linear = view_.linear(feed);
    const arch::LinearShape& shape = linear.shape;
    ForwardSets& ahead = forward_[f];
    ahead.group_inputs = shape.group_inputs();
    ahead.sets.assign(shape.in_h * shape.in_w * shape.groups, kNowhere);
    backward_[f].assign(shape.inputs(), kNowhere);
    for (std::size_t p = 0; p < ahead.sets.size(); ++p) {
        const Cores reached = reached_by(feed, p / shape.groups, p % shape.groups);
        const std::uint32_t to = ahead.sets[p] = number_of(reached);
        if (to == kNowhere) continue;
        if (feed.from_input) add_way(view_.host(), to);
        for (std::size_t e = p * shape.group_inputs(); e < (p + 1) * shape.group_inputs(); ++e) {
            Cores owners;
            for (const auto& [s, n] : feed.back[e]) owners.insert(owner[feed.sources[s].population][n]);
            for (const std::uint32_t from : owners) add_way(from, to);
            if (!linear.sends_error) continue;
            const std::uint32_t behind = backward_[f][e] = number_of(owners);
            if (behind == kNowhere) continue;
            for (const std::uint32_t from : reached) add_way(from, behind);
        }
    }
}

Destinations::Sharers Destinations::sharers(const Cores& copies, std::uint32_t owner) {
    Sharers s{owner, 0, 0, {copies.begin(), copies.end()}};
    if (copies.empty()) return s;
    s.to_owner = number_of({owner}), s.to_copies = number_of(copies);
    add_way(owner, s.to_copies);
    for (const std::uint32_t core : copies) add_way(core, s.to_owner);
    return s;
}

void Destinations::find_sharers() {
    const Placement& placement = view_.placement;
    for (const SharedKernel& kernel : placement.shared) {
        Cores copies;
        for (const std::uint32_t b : kernel.copies) copies.insert(placement.blocks[b].core);
        kernels_.push_back(sharers(copies, placement.blocks[kernel.owner].core));
    }
    for (std::size_t p = 0; p < placement.populations.size(); ++p) {
        const std::vector<std::uint32_t>& blocks = placement.populations[p].blocks;
        const std::uint32_t owner = placement.blocks[blocks.front()].core;
        Cores others;
        if (view_.work->neurons[p].parameters() != 0)
            for (const std::uint32_t b : blocks) others.insert(placement.blocks[b].core);
        others.erase(owner);
        neurons_.push_back(sharers(others, owner));
    }
}

}  // namespace loom::training
