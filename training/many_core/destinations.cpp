// SPDX-License-Identifier: Apache-2.0
// Where packets go: destination sets must be known to the network before its first packet.
#include "training/many_core/geometry.hpp"
#include "training/many_core/many_core_engine.hpp"

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

std::uint32_t ManyCoreEngine::number_of(const Cores& cores) {
    if (cores.empty()) return kNowhere;
    const auto [at, is_new] = set_numbers_.try_emplace(cores, static_cast<std::uint32_t>(sets_.size()));
    if (is_new) sets_.push_back(cores);
    return at->second;
}

void ManyCoreEngine::add_way(std::uint32_t from, std::uint32_t set) {
    const auto [at, is_new] = ways_.try_emplace(std::uint64_t{from} << 32 | set);
    if (!is_new) return;
    const Cores& cores = sets_[set];
    at->second.copies = static_cast<std::uint32_t>(cores.size());
    if (cores.size() == 1) {
        at->second.to = Destination::endpoint(EndpointId{*cores.begin()});
        return;
    }
    const std::vector<std::uint32_t> members(cores.begin(), cores.end());
    at->second.to = Destination::set(network_->add_set(EndpointId{from}, members));
}

void ManyCoreEngine::prepare_destinations() {
    set_numbers_.clear();
    sets_.clear();
    ways_.clear();
    forward_set_.assign(view_.placement.feeds.size(), {});
    backward_set_.assign(view_.placement.feeds.size(), {});
    std::vector<std::vector<std::uint32_t>> owner;
    for (const Population& p : view_.placement.populations) owner.push_back(owners_of(view_.placement, p));
    const auto host = static_cast<std::uint32_t>(view_.room.cores);
    for (std::size_t f = 0; f < view_.placement.feeds.size(); ++f) {
        const Feed& feed = view_.placement.feeds[f];
        const arch::LinearWork& linear = view_.linear(feed);
        const Population& target = view_.placement.populations[feed.target];
        const arch::LinearShape& shape = linear.shape;
        forward_set_[f].assign(shape.in_h * shape.in_w * shape.groups, kNowhere);
        backward_set_[f].assign(shape.inputs(), kNowhere);
        for (std::size_t p = 0; p < forward_set_[f].size(); ++p) {
            Cores reached;
            each_output(shape, p / shape.groups, [&](std::size_t q, std::size_t) {
                for (const std::uint32_t b : target.blocks) {
                    const Block& block = view_.placement.blocks[b];
                    if (q < block.first_position || q >= block.last_position) continue;
                    if (group_channels(shape, p % shape.groups, block.first_channel, block.last_channel)
                            .size() != 0)
                        reached.insert(block.core);
                }
            });
            const std::uint32_t ahead = forward_set_[f][p] = number_of(reached);
            if (ahead == kNowhere) continue;
            if (feed.from_input) add_way(host, ahead);
            for (std::size_t e = p * shape.group_inputs(); e < (p + 1) * shape.group_inputs(); ++e) {
                Cores owners;
                for (const auto& [s, n] : feed.back[e]) owners.insert(owner[feed.sources[s].population][n]);
                for (const std::uint32_t from : owners) add_way(from, ahead);
                if (!linear.sends_error) continue;
                const std::uint32_t behind = backward_set_[f][e] = number_of(owners);
                if (behind == kNowhere) continue;
                for (const std::uint32_t from : reached) add_way(from, behind);
            }
        }
    }
}

}  // namespace loom::training
