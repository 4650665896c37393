// SPDX-License-Identifier: Apache-2.0
#include "noc/traffic/pattern.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <functional>
#include <numeric>

#include "base/key_error.hpp"
#include "base/nearest.hpp"
#include "noc/names.hpp"

namespace loom::noc {
namespace {

class Uniform final : public Pattern {
  public:
    Uniform(std::uint32_t n, bool self) : n_(n), self_(self) {}
    std::uint32_t destination(std::uint32_t node, std::uint64_t k, const TrafficRng& rng) const override {
        if (self_) return static_cast<std::uint32_t>(rng.uniform(node, k, 1) * n_);
        if (n_ == 1) return kNone;
        const auto d = static_cast<std::uint32_t>(rng.uniform(node, k, 1) * (n_ - 1));
        return d < node ? d : d + 1;
    }

  private:
    std::uint32_t n_;
    bool self_;
};

/// One fixed destination per node.
class Fixed final : public Pattern {
  public:
    Fixed(std::vector<std::uint32_t> to, bool self) : to_(std::move(to)) {
        for (std::uint32_t i = 0; i < to_.size(); ++i) {
            if (!self && to_[i] == i) to_[i] = kNone;
        }
    }
    std::uint32_t destination(std::uint32_t node, std::uint64_t, const TrafficRng&) const override {
        return to_[node];
    }
    double share(std::uint32_t node) const override { return to_[node] == kNone ? 0 : 1; }

  private:
    std::vector<std::uint32_t> to_;
};

/// A list of destinations with weights, the same for all nodes or one per node.
class Weighted final : public Pattern {
  public:
    struct Choice {
        std::uint32_t node;
        double up_to;  ///< cumulative weight
    };
    Weighted(std::uint32_t n, double background, bool self)
        : n_(n), background_(background), background_pattern_(n, self), self_(self), lists_(1) {}
    void add(std::size_t list, std::uint32_t node, double weight) {
        if (list >= lists_.size()) lists_.resize(list + 1);
        auto& l = lists_[list];
        l.push_back({node, (l.empty() ? 0 : l.back().up_to) + weight});
    }
    void per_node() {
        per_node_ = true;
        lists_.resize(n_);
        double most = 0;
        for (const auto& l : lists_) most = std::max(most, l.empty() ? 0 : l.back().up_to);
        for (const auto& l : lists_) shares_.push_back(most <= 0 || l.empty() ? 0 : l.back().up_to / most);
    }
    double share(std::uint32_t node) const override { return per_node_ ? shares_[node] : 1; }
    std::uint32_t destination(std::uint32_t node, std::uint64_t k, const TrafficRng& rng) const override {
        if (background_ > 0 && rng.uniform(node, k, 2) < background_)
            return background_pattern_.destination(node, k, rng);
        const auto& l = lists_[per_node_ ? node : 0];
        if (l.empty()) return kNone;
        const double u = rng.uniform(node, k, 1) * l.back().up_to;
        const auto at =
            std::upper_bound(l.begin(), l.end(), u, [](double x, const Choice& c) { return x < c.up_to; });
        const std::uint32_t to = at == l.end() ? l.back().node : at->node;
        return !self_ && to == node ? kNone : to;
    }

  private:
    std::uint32_t n_;
    double background_;
    Uniform background_pattern_;
    bool self_;
    bool per_node_ = false;
    std::vector<std::vector<Choice>> lists_;
    std::vector<double> shares_;
};

class Sets final : public Pattern {
  public:
    explicit Sets(std::vector<std::vector<std::uint32_t>> sets) : sets_(std::move(sets)) {}
    std::uint32_t destination(std::uint32_t, std::uint64_t, const TrafficRng&) const override {
        return kNone;
    }
    double share(std::uint32_t node) const override { return sets_[node].empty() ? 0 : 1; }
    const std::vector<std::vector<std::uint32_t>>* sets() const override { return &sets_; }

  private:
    std::vector<std::vector<std::uint32_t>> sets_;
};

using Ptr = std::unique_ptr<Pattern>;

Ptr mapped(const TrafficSpec& s, std::uint32_t n, const std::function<std::uint32_t(std::uint32_t)>& f) {
    std::vector<std::uint32_t> to(n);
    for (std::uint32_t i = 0; i < n; ++i) to[i] = f(i);
    return std::make_unique<Fixed>(std::move(to), s.self);
}

/// Patterns on the bits of a node's number.
Ptr bits(const TrafficSpec& s, const Topology& t,
         const std::function<std::uint32_t(std::uint32_t, unsigned)>& f) {
    const std::uint32_t n = t.n_cores();
    if (!std::has_single_bit(n)) {
        throw KeyError("traffic.pattern",
                       fmt::format("{} needs a power of two of nodes, there are {}", s.pattern, n));
    }
    const auto b = static_cast<unsigned>(std::countr_zero(n));
    return mapped(s, n, [&](std::uint32_t i) { return f(i, b); });
}

/// Patterns on the position in a grid; cores of a tile keep their place.
Ptr grid(const TrafficSpec& s, const Topology& t, const std::function<Coord(Coord)>& f) {
    if (t.grid.empty())
        throw KeyError("traffic.pattern", fmt::format("{} needs a grid, not a {}", s.pattern, t.name));
    const std::uint32_t per = t.cores_per_router();
    return mapped(s, t.n_cores(),
                  [&](std::uint32_t i) { return t.router_at(f(t.coord(i / per))) * per + i % per; });
}

Ptr shifted(const TrafficSpec& s, const Topology& t, const std::function<unsigned(unsigned)>& by) {
    return grid(s, t, [&](Coord c) {
        std::array<std::uint16_t, 3> to{};
        for (unsigned d = 0; d < t.grid.size(); ++d)
            to[d] = static_cast<std::uint16_t>((c[d] + by(t.grid[d])) % t.grid[d]);
        return Coord{to[0], to[1], to[2]};
    });
}

Ptr transpose(const TrafficSpec& s, const Topology& t) {
    if (t.grid.size() != 2 || t.grid[0] != t.grid[1])
        throw KeyError("traffic.pattern", "transpose needs a square grid");
    return grid(s, t, [](Coord c) { return Coord{c.y, c.x}; });
}

Ptr diagonal(const TrafficSpec& s, const Topology& t) {
    if (t.grid.size() != 2 || t.grid[0] != t.grid[1])
        throw KeyError("traffic.pattern", "diagonal needs a square grid");
    const auto k = static_cast<std::uint16_t>(t.grid[0]);
    return grid(s, t, [k](Coord c) {
        return Coord{static_cast<std::uint16_t>(k - 1 - c.y), static_cast<std::uint16_t>(k - 1 - c.x)};
    });
}

std::uint32_t node_of(const Topology& t, const char* key, double value) {
    if (!(value >= 0 && value < t.n_cores() && value == std::floor(value))) {
        throw KeyError(fmt::format("traffic.{}", key),
                       fmt::format("{} is no node; there are 0..{}", value, t.n_cores() - 1));
    }
    return static_cast<std::uint32_t>(value);
}

double weight_of(const char* key, const std::vector<double>& entry, std::size_t at) {
    const double w = entry.size() > at ? entry[at] : 1.0;
    if (!(w > 0 && w <= 1e12))
        throw KeyError(fmt::format("traffic.{}", key),
                       fmt::format("the weight {} is not in 0..1e12, 0 excluded", w));
    return w;
}

Ptr hotspot(const TrafficSpec& s, const Topology& t) {
    if (s.hotspots.empty())
        throw KeyError("traffic.hotspots", "a hotspot pattern needs [node, weight] entries");
    auto p = std::make_unique<Weighted>(t.n_cores(), s.background, s.self);
    for (const auto& h : s.hotspots) {
        if (h.empty() || h.size() > 2) throw KeyError("traffic.hotspots", "an entry is [node, weight]");
        p->add(0, node_of(t, "hotspots", h[0]), weight_of("hotspots", h, 1));
    }
    return p;
}

Ptr pairs(const TrafficSpec& s, const Topology& t) {
    if (s.pairs.empty()) throw KeyError("traffic.pairs", "needs [source, destination, weight] entries");
    auto p = std::make_unique<Weighted>(t.n_cores(), 0, true);
    for (const auto& e : s.pairs) {
        if (e.size() < 2 || e.size() > 3)
            throw KeyError("traffic.pairs", "an entry is [source, destination, weight]");
        p->add(node_of(t, "pairs", e[0]), node_of(t, "pairs", e[1]), weight_of("pairs", e, 2));
    }
    p->per_node();
    return p;
}

Ptr permutation(const TrafficSpec& s, const Topology& t) {
    std::vector<std::uint32_t> to(t.n_cores());
    std::iota(to.begin(), to.end(), 0u);
    const TrafficRng rng(s.seed);
    for (std::uint32_t i = t.n_cores(); i > 1; --i)
        std::swap(to[i - 1], to[static_cast<std::uint32_t>(rng.uniform(i, 0, 7) * i)]);
    return std::make_unique<Fixed>(std::move(to), s.self);
}

/// Destination sets are kept in memory, with their trees.
void check_members(const char* key, std::uint64_t members) {
    constexpr std::uint64_t kMost = 1u << 20;
    if (members > kMost)
        throw KeyError(fmt::format("traffic.{}", key),
                       fmt::format("more than {} destinations in all sets", kMost));
}

Ptr fan_out(const TrafficSpec& s, const Topology& t) {
    const std::uint32_t n = t.n_cores();
    const std::uint32_t others = s.self ? n : n - 1;
    const char* key = s.fan_outs.empty() ? "fan_out" : "fan_outs";
    std::vector<std::vector<double>> sizes = s.fan_outs;
    if (sizes.empty()) sizes = {{static_cast<double>(s.fan_out), 1.0}};
    double weights = 0;
    for (const auto& e : sizes) {
        if (e.size() != 2) throw KeyError("traffic.fan_outs", "an entry is [destinations, weight]");
        if (!(e[0] >= 1 && e[0] <= others && e[0] == std::floor(e[0])))
            throw KeyError(fmt::format("traffic.{}", key),
                           fmt::format("{} destinations of {} nodes", e[0], others));
        weights += weight_of("fan_outs", e, 1);
    }
    const TrafficRng rng(s.seed);
    std::vector<std::vector<std::uint32_t>> sets(n);
    std::uint64_t all = 0;
    for (std::uint32_t i = 0; i < n; ++i) {
        double u = rng.uniform(i, 0, 11) * weights;
        std::size_t at = 0;
        while (at + 1 < sizes.size() && u >= sizes[at][1]) u -= sizes[at++][1];
        const auto size = static_cast<std::size_t>(sizes[at][0]);
        check_members(key, all += size);
        std::vector<bool> taken(n, false);
        taken[i] = !s.self;
        for (std::uint64_t k = 0; sets[i].size() < size; ++k) {
            const auto d = static_cast<std::uint32_t>(rng.uniform(i, k, 9) * n);
            if (taken[d]) continue;
            taken[d] = true;
            sets[i].push_back(d);
        }
    }
    return std::make_unique<Sets>(std::move(sets));
}

Ptr layers(const TrafficSpec& s, const Topology& t) {
    std::uint64_t sum = 0, members = 0;
    for (std::size_t l = 0; l < s.layers.size(); ++l) {
        sum += std::min<std::uint64_t>(s.layers[l], kNone);
        if (l != 0 && sum <= t.n_cores()) check_members("layers", members += s.layers[l - 1] * s.layers[l]);
    }
    if (s.layers.size() < 2 || sum > t.n_cores()) {
        throw KeyError("traffic.layers",
                       fmt::format("{} layers with {} cores; needs 2 layers or more, on {} cores",
                                   s.layers.size(), sum, t.n_cores()));
    }
    std::vector<std::vector<std::uint32_t>> sets(t.n_cores());
    std::uint32_t first = 0;
    for (std::size_t l = 0; l + 1 < s.layers.size(); ++l) {
        const auto n = static_cast<std::uint32_t>(s.layers[l]),
                   next = static_cast<std::uint32_t>(s.layers[l + 1]);
        for (std::uint32_t i = 0; i < n; ++i) {
            for (std::uint32_t k = 0; k < next; ++k) sets[first + i].push_back(first + n + k);
        }
        first += n;
    }
    return std::make_unique<Sets>(std::move(sets));
}

Ptr uniform(const TrafficSpec& s, const Topology& t) {
    return std::make_unique<Uniform>(t.n_cores(), s.self);
}

Ptr bit_complement(const TrafficSpec& s, const Topology& t) {
    return bits(s, t, [](std::uint32_t i, unsigned b) { return ~i & ((1u << b) - 1); });
}

Ptr bit_reverse(const TrafficSpec& s, const Topology& t) {
    return bits(s, t, [](std::uint32_t i, unsigned b) {
        std::uint32_t r = 0;
        for (unsigned k = 0; k < b; ++k) r |= (i >> k & 1u) << (b - 1 - k);
        return r;
    });
}

Ptr shuffle(const TrafficSpec& s, const Topology& t) {
    return bits(s, t, [](std::uint32_t i, unsigned b) {
        return b == 0 ? i : (i << 1 | i >> (b - 1)) & ((1u << b) - 1);
    });
}

Ptr rotation(const TrafficSpec& s, const Topology& t) {
    return bits(s, t, [](std::uint32_t i, unsigned b) { return b == 0 ? i : i >> 1 | (i & 1u) << (b - 1); });
}

Ptr butterfly(const TrafficSpec& s, const Topology& t) {
    return bits(s, t, [](std::uint32_t i, unsigned b) {
        if (b < 2) return i;
        const std::uint32_t low = i & 1u, high = i >> (b - 1);
        return (i & ~(1u | 1u << (b - 1))) | high | low << (b - 1);
    });
}

Ptr tornado(const TrafficSpec& s, const Topology& t) {
    return shifted(s, t, [](unsigned k) { return (k + 1) / 2 - 1; });
}

Ptr neighbour(const TrafficSpec& s, const Topology& t) {
    return shifted(s, t, [](unsigned) { return 1u; });
}

Ptr all_to_one(const TrafficSpec& s, const Topology& t) {
    TrafficSpec one = s;
    if (one.hotspots.empty()) one.hotspots = {{0}};
    return hotspot(one, t);
}

struct NamedPattern {
    const char* name;
    Ptr (*make)(const TrafficSpec&, const Topology&);
};
/// The catalogue: a line per pattern.
constexpr std::array<NamedPattern, 17> kPatterns{{{"uniform", uniform},
                                           {"transpose", transpose},
                                           {"bit_complement", bit_complement},
                                           {"bit_reverse", bit_reverse},
                                           {"shuffle", shuffle},
                                           {"rotation", rotation},
                                           {"butterfly", butterfly},
                                           {"tornado", tornado},
                                           {"neighbour", neighbour},
                                           {"neighbor", neighbour},
                                           {"diagonal", diagonal},
                                           {"permutation", permutation},
                                           {"hotspot", hotspot},
                                           {"all_to_one", all_to_one},
                                           {"pairs", pairs},
                                           {"fan_out", fan_out},
                                           {"layers", layers}}};

}  // namespace

double Pattern::share(std::uint32_t) const {
    return 1;
}

std::vector<std::string> pattern_names() {
    return names_of(kPatterns);
}

SpatialBursts::SpatialBursts(const Topology& topology, std::uint64_t radius, const TrafficRng& rng)
    : topology_(topology), radius_(radius), rng_(rng) {
    if (topology.grid.empty())
        throw KeyError("traffic.injection", fmt::format("spatial needs a grid, not a {}", topology.name));
    for (const std::uint32_t k : topology.grid)
        inside_ *= k / static_cast<double>(std::min<std::uint64_t>(k, 2 * radius + 1));
}

double SpatialBursts::weight(std::uint32_t node, std::uint64_t step) const {
    const Coord c = topology_.coord(topology_.router_of(node));
    for (unsigned d = 0; d < topology_.grid.size(); ++d) {
        const std::uint32_t k = topology_.grid[d];
        const auto centre = static_cast<std::uint32_t>(rng_.uniform(kNone, step, 20 + d) * k);
        const std::uint32_t up = (c[d] + k - centre) % k;
        if (std::min(up, k - up) > radius_) return 0;
    }
    return inside_;
}

std::unique_ptr<Pattern> make_pattern(const TrafficSpec& spec, const Topology& topology) {
    for (const NamedPattern& e : kPatterns) {
        if (spec.pattern == e.name) return e.make(spec, topology);
    }
    std::vector<std::string> names = pattern_names();
    names.emplace_back("trace");
    throw KeyError("traffic.pattern", unknown_name(spec.pattern, names));
}

}  // namespace loom::noc
