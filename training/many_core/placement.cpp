// SPDX-License-Identifier: Apache-2.0
#include "training/many_core/placement.hpp"

#include <algorithm>
#include <map>

#include "arch/cim_layout.hpp"
#include "base/error.hpp"
#include "training/many_core/cim_reads.hpp"
#include "training/many_core/feeds.hpp"

namespace loom::training {
namespace {

using arch::NetworkLayout;

/// Sums and running values of a norm's channel: of x, x x, g, g z; mean, variance.
constexpr std::uint64_t kStatistics = 6;

/// Bits of parameters and statistics of a block's part of the element-wise layers.
std::uint64_t element_bits(const NetworkLayout& work, const Population& population, const Block& block,
                           std::uint64_t per_parameter, std::uint64_t statistic) {
    std::uint64_t bits = 0;
    for (const PlacedElement& placed : population.elements) {
        const arch::ElementLayout& e = work.elements[placed.element];
        bits += e.parameters / population.channels * block.channels() * per_parameter;
        if (e.statistics_steps != 0) bits += kStatistics * block.channels() * statistic;
    }
    return bits;
}

/// Sets the memory and arrays that a block needs.
void add_needs(const NetworkLayout& work, const Placement& p, Block& block, const CoreRoom& room) {
    const Population& population = p.populations[block.population];
    const arch::NeuronLayout& neurons = work.neurons[block.population];
    const std::uint64_t trained = room.gradient_bits + std::uint64_t{work.state_words} * room.state_bits;
    const std::uint64_t per_weight = (room.cim == nullptr ? room.weight_bits : 0) + trained;
    const std::uint64_t kept_pairs = (work.temporal ? work.steps : 1) * p.samples;
    const std::uint64_t kept = 1 + room.membrane_bits + room.error_bits;
    // a norm's inputs, and errors before and behind it
    const std::uint64_t around_norm = population.window != 0 ? room.membrane_bits + room.error_bits : 0;
    const std::uint64_t states =
        (neurons.states() - 1) * room.membrane_bits + neurons.carried_errors() * room.error_bits;
    block.memory_bits = block.neurons() * (kept_pairs * (kept + around_norm) + p.samples * states);
    block.memory_bits +=
        element_bits(work, population, block, room.weight_bits + trained, room.gradient_bits);
    block.arrays = 0;
    for (const std::uint32_t f : population.feeds) {
        const arch::LinearLayout& l = work.linear[p.feeds[f].linear];
        const std::uint64_t rows = l.shape.weights() / l.shape.out_c;
        block.memory_bits += rows * block.channels() * per_weight;
        const std::uint64_t input_width = l.binary_input ? 1 : room.membrane_bits;
        block.memory_bits += l.shape.inputs() * input_width * (l.constant_input ? p.samples : kept_pairs);
        if (room.cim != nullptr) block.arrays += arch::cim_layout(*room.cim, rows, block.channels()).arrays();
    }
}

/// Throws for a block that no core can hold.
[[noreturn]] void refuse(const NetworkLayout& work, const Block& block, const CoreRoom& room) {
    const std::string& name = work.neurons[block.population].name;
    if (room.cim != nullptr && block.arrays > room.cim->arrays)
        throw MappingError("arrays of a core", name, static_cast<double>(block.arrays),
                           static_cast<double>(room.cim->arrays));
    if (block.neurons() > room.max_neurons && block.memory_bits <= room.memory_bits)
        throw MappingError("neurons of a core", name, static_cast<double>(block.neurons()),
                           static_cast<double>(room.max_neurons));
    throw MappingError("training memory of a core [bits]", name, static_cast<double>(block.memory_bits),
                       static_cast<double>(room.memory_bits));
}

/// What a core holds already.
struct Used {
    std::uint64_t bits = 0, neurons = 0, arrays = 0;
};
bool fits(const Block& b, const Used& used, const CoreRoom& room) {
    return used.bits + b.memory_bits <= room.memory_bits && used.neurons + b.neurons() <= room.max_neurons &&
           (room.cim == nullptr || used.arrays + b.arrays <= room.cim->arrays);
}

/// Throws for a block that finds no core with room left: what all need together, or what is left of the
/// emptiest core.
[[noreturn]] void refuse_all(const NetworkLayout& work, const Placement& p, const Block& block,
                             const std::vector<Used>& used, const CoreRoom& room) {
    Used all;
    for (const Block& b : p.blocks)
        all.bits += b.memory_bits, all.neurons += b.neurons(), all.arrays += b.arrays;
    const auto check = [&](const char* what, std::uint64_t need, std::uint64_t one, std::uint64_t of_core,
                           std::uint64_t Used::*member) {
        const std::string& name = work.neurons[block.population].name;
        if (need > of_core * room.cores)
            throw MappingError(std::string(what) + " of all cores", name, static_cast<double>(need),
                               static_cast<double>(of_core * room.cores));
        std::uint64_t left = 0;
        for (const Used& u : used) left = std::max(left, of_core - u.*member);
        if (one > left)
            throw MappingError(std::string(what) + " left of a core", name, static_cast<double>(one),
                               static_cast<double>(left));
    };
    if (room.cim != nullptr) check("arrays", all.arrays, block.arrays, room.cim->arrays, &Used::arrays);
    check("neurons", all.neurons, block.neurons(), room.max_neurons, &Used::neurons);
    check("training memory [bits]", all.bits, block.memory_bits, room.memory_bits, &Used::bits);
    throw MappingError("cores with memory, neurons and arrays left", work.neurons[block.population].name, 1,
                       0);
}

/// Cuts a population so that each block fits a core: channels first for vectors, rows of positions first for
/// maps.
void cut(const NetworkLayout& work, Placement& p, std::uint32_t population, const CoreRoom& room) {
    Population& pop = p.populations[population];
    const std::size_t positions = pop.height * pop.width;
    std::size_t position_parts = 1, channel_parts = 1;
    const auto size = [](std::size_t n, std::size_t parts) { return (n + parts - 1) / parts; };
    for (;;) {
        const auto block = [&](std::size_t parts_p, std::size_t parts_c) {
            Block b{population, 0, 0, size(positions, parts_p), 0, size(pop.channels, parts_c)};
            add_needs(work, p, b, room);
            return b;
        };
        const Block largest = block(position_parts, channel_parts);
        if (fits(largest, {}, room)) break;
        const bool can_positions = position_parts < positions && room.cim == nullptr;
        const bool can_channels = channel_parts < pop.channels;
        if (!can_positions && !can_channels) refuse(work, largest, room);
        const bool channels =
            can_channels && (!can_positions || block(position_parts, channel_parts * 2).memory_bits <=
                                                   block(position_parts * 2, channel_parts).memory_bits);
        (channels ? channel_parts : position_parts) *= 2;
    }
    const std::size_t rows = size(positions, position_parts), columns = size(pop.channels, channel_parts);
    for (std::size_t at = 0; at < positions; at += rows)
        for (std::size_t c = 0; c < pop.channels; c += columns) {
            Block b{
                population, 0, at, std::min(at + rows, positions), c, std::min(c + columns, pop.channels)};
            add_needs(work, p, b, room);
            pop.blocks.push_back(static_cast<std::uint32_t>(p.blocks.size()));
            p.blocks.push_back(b);
        }
}

void find_shared_kernels(Placement& p) {
    for (const Population& population : p.populations) {
        std::map<std::size_t, SharedKernel> by_channel;
        for (const std::uint32_t b : population.blocks) {
            const auto [at, is_new] = by_channel.try_emplace(p.blocks[b].first_channel, SharedKernel{b, {}});
            if (is_new) continue;
            const auto same_core = [&](std::uint32_t other) {
                return p.blocks[other].core == p.blocks[b].core;
            };
            SharedKernel& kernel = at->second;
            if (!same_core(kernel.owner) && std::ranges::none_of(kernel.copies, same_core))
                kernel.copies.push_back(b);
        }
        for (auto& [channel, kernel] : by_channel) p.shared.push_back(std::move(kernel));
    }
}

}  // namespace

Placement place_training(const NetworkLayout& work, const CoreRoom& room) {
    Placement p;
    if (room.cim != nullptr)
        for (const arch::LinearLayout& l : work.linear) check_cell_matrix(l.shape, l.name);
    find_feeds(work, p);
    for (std::uint32_t i = 0; i < p.populations.size(); ++i) cut(work, p, i, room);
    std::vector<Used> used(room.cores);
    for (Block& b : p.blocks) {
        Used* emptiest = nullptr;
        for (Used& u : used)
            if (fits(b, u, room) && (emptiest == nullptr || u.bits < emptiest->bits)) emptiest = &u;
        if (emptiest == nullptr) refuse_all(work, p, b, used, room);
        b.core = static_cast<std::uint32_t>(emptiest - used.data());
        *emptiest = {emptiest->bits + b.memory_bits, emptiest->neurons + b.neurons(),
                     emptiest->arrays + b.arrays};
    }
    for (const Population& population : p.populations) {
        std::size_t before = 0;
        for (const std::uint32_t b : population.blocks)
            p.blocks[b].neurons_before = before, before += p.blocks[b].neurons();
    }
    p.blocks_of_core.resize(room.cores);
    for (std::uint32_t b = 0; b < p.blocks.size(); ++b) p.blocks_of_core[p.blocks[b].core].push_back(b);
    find_shared_kernels(p);
    set_steps(work, p);
    return p;
}

}  // namespace loom::training
