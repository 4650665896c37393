// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "noc/topology/topology.hpp"
#include "noc/traffic/traffic_spec.hpp"

namespace loom::noc {

/// Stateless random words for traffic: one per (seed, node, number of the draw, k).
class TrafficRng {
  public:
    explicit TrafficRng(std::uint64_t seed) : seed_(seed) {}
    std::uint64_t word(std::uint64_t node, std::uint64_t draw, std::uint64_t k) const {
        // two rounds of the SplitMix64 finaliser (Steele et al., OOPSLA 2014) over the counters
        std::uint64_t z = seed_ * 0x9e3779b97f4a7c15u + node * 0xd1342543de82ef95u + k * 0xbf58476d1ce4e5b9u;
        for (int round = 0; round < 2; ++round) {
            z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
            z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
            z ^= z >> 31;
            z += draw * 0x9e3779b97f4a7c15u;
        }
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
        z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
        return z ^ (z >> 31);
    }
    /// In [0, 1), 53 bits.
    double uniform(std::uint64_t node, std::uint64_t draw, std::uint64_t k) const {
        return static_cast<double>(word(node, draw, k) >> 11) * 0x1p-53;
    }

  private:
    std::uint64_t seed_;
};

/// Where a node's packets go.
class Pattern {
  public:
    virtual ~Pattern() = default;
    /// Destination of a node's n-th packet; kNone: this node sends nothing.
    virtual std::uint32_t destination(std::uint32_t node, std::uint64_t n, const TrafficRng& rng) const = 0;
    /// Nodes send at this multiple of the rate (asymmetric lists); 0: not at all.
    virtual double share(std::uint32_t node) const;
    /// Destination sets of the nodes instead: sets()[node], empty ones send nothing.
    virtual const std::vector<std::vector<std::uint32_t>>* sets() const { return nullptr; }
};

std::vector<std::string> pattern_names();

/// Bursts as of an event camera: in each step the nodes of a square around a random router send, the
/// others rest. The square wraps around, so that all nodes send equally often.
class SpatialBursts {
  public:
    /// ConfigError without a grid.
    SpatialBursts(const Topology& topology, std::uint64_t radius, const TrafficRng& rng);
    /// A node's rate in a step, in multiples of its mean over all steps.
    double weight(std::uint32_t node, std::uint64_t step) const;

  private:
    const Topology& topology_;
    std::uint64_t radius_;
    TrafficRng rng_;
    double inside_ = 1;  ///< grid / square
};

/// Throws ConfigError for unknown patterns and for sizes that they are not made for.
std::unique_ptr<Pattern> make_pattern(const TrafficSpec& spec, const Topology& topology);

}  // namespace loom::noc
