// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <functional>

namespace loom::arch {

struct NocSpec;

/// What the compiler and the reports must know of a network before it is built. Its topology says it.
struct NocShape {
    std::uint64_t core_routers = 1;  ///< routers with cores; they are numbered first, others may follow
    std::uint64_t cores_per_router = 1;
    std::uint64_t width = 1;  ///< routers side by side: router r is shown at column r % width, row r / width
    /// Links between two core routers, as placement counts them. Empty: over columns and rows.
    std::function<std::uint64_t(std::uint64_t, std::uint64_t)> distance;
    bool drops_packets = false;  ///< the routers may lose packets that have to wait

    std::uint64_t cores() const { return core_routers * cores_per_router; }
    std::uint64_t column(std::uint64_t router) const { return router % width; }
    std::uint64_t row(std::uint64_t router) const { return router / width; }
    std::uint64_t hops(std::uint64_t a, std::uint64_t b) const {
        if (distance) return distance(a, b);
        const auto apart = [](std::uint64_t p, std::uint64_t q) { return p > q ? p - q : q - p; };
        return apart(column(a), column(b)) + apart(row(a), row(b));
    }
};

/// Who knows the shapes of networks: the catalogue of noc/, which a program gives to its chips, so that parts
/// that may not know the network can ask for what they need.
class NocShapes {
  public:
    virtual ~NocShapes() = default;
    /// Does not check `spec`: sizes that no network can have give shapes that nobody should use.
    virtual NocShape shape(const NocSpec& spec) const = 0;
};

/// Routers in rows of the first number of `size`, where there are two; otherwise in one row.
NocShape grid_shape(const NocSpec& spec);
/// `routers` in one row.
NocShape line_shape(const NocSpec& spec, std::uint64_t routers);

}  // namespace loom::arch
