// SPDX-License-Identifier: Apache-2.0
#include "sim/training_chip/placement.hpp"

#include <algorithm>
#include <functional>
#include <map>

#include "sim/arch/cim_layout.hpp"
#include "sim/base/error.hpp"

namespace loom::training {
namespace {

using arch::TrainingWork;
using arch::WorkKind;
constexpr std::uint32_t kInput = UINT32_MAX;

/// Finds what feeds what by walking the items against the flow.
class Wiring {
  public:
    Wiring(const TrainingWork& work, Placement& placement) : work_(work), p_(placement) {
        p_.populations.resize(work.neurons.size());
        for (const arch::WorkItem& item : work.items)
            if (item.kind == WorkKind::Neuron) wire_population(item);
    }

  private:
    void wire_population(const arch::WorkItem& item) {
        Population& pop = p_.populations[item.index];
        collect_matrices(item.sources, item.index);
        if (pop.feeds.empty()) fail(item.index);
        const arch::LinearShape& shape = work_.linear[p_.feeds[pop.feeds[0]].linear].shape;
        pop.height = shape.out_h, pop.width = shape.out_w, pop.channels = shape.out_c;
        if (shape.outputs() != work_.neurons[item.index].count) fail(item.index);
        for (const std::uint32_t f : pop.feeds)
            for (const SourceMap& s : p_.feeds[f].sources)
                pop.depth = std::max(pop.depth, p_.populations[s.population].depth + 1);
        p_.max_depth = std::max(p_.max_depth, pop.depth);
    }
    [[noreturn]] void fail(std::uint32_t population) const {
        throw UnsupportedError("training on many cores: neurons " + work_.neurons[population].name +
                               " must be fed by dense layers or convolutions of their shape");
    }
    /// From neurons down to their matrices, over norms and sums.
    void collect_matrices(const std::vector<std::uint32_t>& sources, std::uint32_t target) {
        for (const std::uint32_t s : sources) {
            if (s == kInput) fail(target);
            const arch::WorkItem& item = work_.items[s];
            if (item.kind == WorkKind::Neuron) fail(target);
            if (item.kind == WorkKind::Element) {
                p_.populations[target].elements.push_back(item.index);
                collect_matrices(item.sources, target);
                continue;
            }
            Feed feed;
            feed.linear = item.index;
            feed.target = target;
            collect_sources(item.sources, feed, [](std::size_t i) { return i; });
            invert(feed);
            p_.populations[target].feeds.push_back(static_cast<std::uint32_t>(p_.feeds.size()));
            p_.feeds.push_back(std::move(feed));
        }
    }
    /// From a matrix down to neurons; `place` maps an element there to an input element of the matrix.
    void collect_sources(const std::vector<std::uint32_t>& sources, Feed& feed,
                         const std::function<std::size_t(std::size_t)>& place) {
        for (const std::uint32_t s : sources) {
            if (s == kInput) {
                feed.from_input = true;
                continue;
            }
            const arch::WorkItem& item = work_.items[s];
            if (item.kind == WorkKind::Linear) fail(feed.target);
            if (item.kind == WorkKind::Element) {
                const arch::ElementWork& e = work_.elements[item.index];
                collect_sources(item.sources, feed, [&e, &place](std::size_t i) {
                    const std::size_t m = e.moved(i);
                    return m == SIZE_MAX ? SIZE_MAX : place(m);
                });
                continue;
            }
            SourceMap map;
            map.population = item.index;
            for (std::size_t i = 0; i < work_.neurons[item.index].count; ++i)
                map.to_input.push_back(static_cast<std::uint32_t>(place(i)));
            feed.sources.push_back(std::move(map));
        }
    }
    void invert(Feed& feed) const {
        feed.back.resize(work_.linear[feed.linear].shape.inputs());
        for (std::uint32_t s = 0; s < feed.sources.size(); ++s)
            for (std::uint32_t n = 0; n < feed.sources[s].to_input.size(); ++n)
                if (const std::uint32_t e = feed.sources[s].to_input[n]; e != UINT32_MAX)
                    feed.back[e].emplace_back(s, n);
    }

    const TrainingWork& work_;
    Placement& p_;
};

/// Sets the memory and arrays that a block needs.
void add_needs(const TrainingWork& work, const Placement& p, Block& block, const CoreRoom& room) {
    const std::uint64_t per_weight = (room.cim == nullptr ? room.weight_bits : 0) + room.gradient_bits +
                                     std::uint64_t{work.state_words} * room.state_bits;
    const std::uint64_t kept_steps = work.temporal ? work.steps : 1;
    block.memory_bits = block.neurons() * kept_steps * (1 + room.membrane_bits + room.error_bits);
    block.arrays = 0;
    for (const std::uint32_t f : p.populations[block.population].feeds) {
        const arch::LinearWork& l = work.linear[p.feeds[f].linear];
        const std::uint64_t rows = l.shape.weights() / l.shape.out_c;
        block.memory_bits += rows * block.channels() * per_weight;
        const std::uint64_t input_width = l.binary_input ? 1 : room.membrane_bits;
        block.memory_bits += l.shape.inputs() * input_width * (l.constant_input ? 1 : kept_steps);
        if (room.cim != nullptr) block.arrays += arch::cim_layout(*room.cim, rows, block.channels()).arrays();
    }
}

/// Throws for a block that no core can hold.
[[noreturn]] void refuse(const TrainingWork& work, const Block& block, const CoreRoom& room) {
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
[[noreturn]] void refuse_all(const TrainingWork& work, const Placement& p, const Block& block,
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
void cut(const TrainingWork& work, Placement& p, std::uint32_t population, const CoreRoom& room) {
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

Placement place_training(const TrainingWork& work, const CoreRoom& room) {
    Placement p;
    Wiring(work, p);
    if (p.populations.empty()) throw UnsupportedError("training on many cores: a network without neurons");
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
    find_shared_kernels(p);
    return p;
}

}  // namespace loom::training
