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
    std::uint64_t word(std::uint64_t node, std::uint64_t draw, std::uint64_t k) const;
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

/// Throws ConfigError for unknown patterns and for sizes that they are not made for.
std::unique_ptr<Pattern> make_pattern(const TrafficSpec& spec, const Topology& topology);

}  // namespace loom::noc
