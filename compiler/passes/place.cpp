// SPDX-License-Identifier: Apache-2.0
#include "compiler/passes/place.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <numeric>

#include "arch/core_kinds.hpp"
#include "base/key_error.hpp"
#include "base/rng.hpp"

namespace loom::compiler {
namespace {

constexpr std::uint32_t kEmpty = 0xffffffffu;
constexpr std::uint32_t kPlacementStream = 0x706c6163;

/// Where the host port is, in columns and rows.
std::uint64_t router_of_host(const arch::ChipSpec& chip, const arch::NocShape& shape) {
    const std::vector<std::uint64_t>& at = chip.io.router;
    return (at.empty() ? 0 : at[0]) + (at.size() < 2 ? 0 : at[1]) * shape.width;
}

class Climber {
  public:
    Climber(const std::vector<Traffic>& traffic, const std::vector<std::uint32_t>& kind_of_core,
            const arch::ChipSpec& chip)
        : shape_(chip.noc.shape()),
          host_router_(router_of_host(chip, shape_)),
          kind_of_slot_(arch::core_kinds(chip)),
          n_(static_cast<std::uint32_t>(kind_of_core.size())),
          neighbours_(n_),
          slot_of_(n_),
          at_(shape_.cores(), kEmpty) {
        for (const Traffic& t : traffic) {
            if (t.from == t.to) continue;
            if (t.from < n_) neighbours_[t.from].push_back({t.to, t.entries});
            if (t.to < n_) neighbours_[t.to].push_back({t.from, t.entries});
        }
        std::vector<std::uint32_t> next(chip.n_kinds(), 0);  // first slot that may be free
        for (std::uint32_t i = 0; i < n_; ++i) {
            std::uint32_t& slot = next[kind_of_core[i]];
            while (kind_of_slot_.at(slot) != kind_of_core[i]) ++slot;
            slot_of_[i] = slot;
            at_[slot++] = i;
        }
    }

    double total() const {
        double sum = 0;
        for (std::uint32_t i = 0; i < n_; ++i) {
            for (const auto& [other, entries] : neighbours_[i]) {
                if (other == n_ || other > i) sum += entries * hops(slot_of_[i], slot(other));
            }
        }
        return sum;
    }

    void climb(std::uint64_t seed) {
        const CounterRng rng(seed, kPlacementStream);
        const std::uint64_t tries = std::min<std::uint64_t>(200'000, 400ull * n_ + 2000);
        for (std::uint64_t i = 0; i < tries; ++i) {
            const std::uint32_t a = rng.word(i, 0) % n_;
            const std::uint32_t to = rng.word(i, 1) % static_cast<std::uint32_t>(at_.size());
            const std::uint32_t from = slot_of_[a], b = at_[to];
            if (from == to || kind_of_slot_[from] != kind_of_slot_[to]) continue;
            const double before = cost(a) + (b == kEmpty ? 0 : cost(b));
            exchange(from, to);
            if (cost(a) + (b == kEmpty ? 0 : cost(b)) >= before) exchange(from, to);
        }
    }

    const std::vector<std::uint32_t>& slots() const { return slot_of_; }

  private:
    std::uint32_t slot(std::uint32_t logical) const { return logical == n_ ? kEmpty : slot_of_[logical]; }
    double hops(std::uint32_t a, std::uint32_t b) const {
        return static_cast<double>(shape_.hops(router(a), router(b)));
    }
    std::uint64_t router(std::uint32_t slot) const {
        return slot == kEmpty ? host_router_ : slot / shape_.cores_per_router;
    }
    double cost(std::uint32_t a) const {
        double sum = 0;
        for (const auto& [other, entries] : neighbours_[a]) sum += entries * hops(slot_of_[a], slot(other));
        return sum;
    }
    void exchange(std::uint32_t p, std::uint32_t q) {
        std::swap(at_[p], at_[q]);
        if (at_[p] != kEmpty) slot_of_[at_[p]] = p;
        if (at_[q] != kEmpty) slot_of_[at_[q]] = q;
    }

    const arch::NocShape shape_;
    const std::uint64_t host_router_;
    std::vector<std::uint32_t> kind_of_slot_;
    std::uint32_t n_;
    std::vector<std::vector<std::pair<std::uint32_t, double>>> neighbours_;
    std::vector<std::uint32_t> slot_of_, at_;
};

}  // namespace

std::vector<Traffic> traffic_of(const Graph& graph, const std::vector<LoweredProjection>& lowered,
                                const std::vector<bool>& on_host, const Partition& partition) {
    std::map<std::pair<std::uint32_t, std::uint32_t>, double> sums;
    for (std::uint32_t p = 0; p < graph.projections.size(); ++p) {
        if (on_host[p]) continue;
        const Projection& projection = graph.projections[p];
        const Population& source = graph.populations[projection.source];
        for (const std::uint32_t t : partition.parts_of[projection.target]) {
            const AxonMap map(lowered[p], partition.slices[t], p);
            const auto entries = [&](std::uint32_t element) {
                double n = 0;
                map.for_each(element, [&](std::uint32_t) { n += 1; });
                return n;
            };
            const std::uint32_t to = partition.slices[t].core;
            if (source.is_input) {
                for (std::uint32_t i = 0; i < source.count; ++i) sums[{partition.n_cores, to}] += entries(i);
            }
            for (const std::uint32_t s : partition.of[projection.source]) {
                partition.slices[s].for_each([&](std::uint32_t element, std::uint32_t) {
                    sums[{partition.slices[s].core, to}] += entries(element);
                });
            }
        }
    }
    for (std::size_t i = 0; i < partition.slices.size(); ++i) {  // partial sums, in every timestep
        const Slice& s = partition.slices[i];
        if (s.has_neurons) continue;
        sums[{s.core, partition.slices[s.owner].core}] += static_cast<double>(partition.needs[i].fanout);
    }
    std::vector<Traffic> out;
    for (const auto& [key, entries] : sums) out.push_back({key.first, key.second, entries});
    return out;
}

Placement place(const std::string& method, std::uint64_t seed, const std::vector<Traffic>& traffic,
                const std::vector<std::uint32_t>& kind_of_core, const arch::ChipSpec& chip) {
    Climber climber(traffic, kind_of_core, chip);
    Placement result;
    result.sequential_cost = climber.total();
    if (method == "auto") {
        climber.climb(seed);
    } else if (method != "sequential") {
        throw KeyError("map.place", fmt::format("'{}' is not one of auto, sequential", method));
    }
    result.cost = climber.total();
    result.endpoint = climber.slots();
    return result;
}

}  // namespace loom::compiler
