// SPDX-License-Identifier: Apache-2.0
#include "noc/topology/mesh.hpp"

#include <fmt/format.h>

#include <array>

#include "sim/base/error.hpp"

namespace loom::noc {
namespace {

constexpr std::uint64_t kMaxLatency = 1u << 20;

std::uint32_t latency(const char* key, std::uint64_t value) {
    if (value == 0 || value > kMaxLatency) {
        throw ConfigError(fmt::format("noc.{}: {} is not in 1..{} cycles", key, value, kMaxLatency));
    }
    return static_cast<std::uint32_t>(value);
}

}  // namespace

Mesh::Mesh(const arch::ChipSpec& spec) {
    const auto& n = spec.noc;
    if (n.size.size() != 2) {
        throw ConfigError(fmt::format("noc.size: a mesh needs 2 numbers, x and y; found {}", n.size.size()));
    }
    for (const std::uint64_t k : n.size) {
        if (k == 0 || k > 4096) {
            throw ConfigError(fmt::format("noc.size: {} is not in 1..4096", k));
        }
    }
    if (n.cores_per_router == 0 || n.cores_per_router > 16) {
        throw ConfigError(fmt::format("noc.cores_per_router: {} is not in 1..16", n.cores_per_router));
    }
    const auto& io = spec.io.router;
    if (io.size() != 2 || io[0] >= n.size[0] || io[1] >= n.size[1]) {
        throw ConfigError(fmt::format("io.router: [{}] is no router of a {} x {} mesh", fmt::join(io, ", "),
                                      n.size[0], n.size[1]));
    }
    size_x_ = static_cast<std::uint32_t>(n.size[0]);
    size_y_ = static_cast<std::uint32_t>(n.size[1]);
    cores_per_router_ = static_cast<std::uint32_t>(n.cores_per_router);
    host_router_ = static_cast<std::uint32_t>(io[1] * n.size[0] + io[0]);
    latency_x_ = latency("link_latency", n.link_latency);
    latency_y_ = n.link_latency_y == 0 ? latency_x_ : latency("link_latency_y", n.link_latency_y);
    local_latency_ = latency("local_latency", n.local_latency);

    neighbours_.resize(std::size_t{n_routers()} * 4);
    for (std::uint32_t r = 0; r < n_routers(); ++r) {
        const Coord c = coord(r);
        Neighbour* out = &neighbours_[std::size_t{r} * 4];
        if (c.x + 1u < size_x_) out[kPlusX] = {r + 1, latency_x_};
        if (c.x > 0) out[kMinusX] = {r - 1, latency_x_};
        if (c.y + 1u < size_y_) out[kPlusY] = {r + size_x_, latency_y_};
        if (c.y > 0) out[kMinusY] = {r - size_x_, latency_y_};
    }
}

std::string port_name(unsigned port) {
    static constexpr std::array<const char*, 4> names{"+x", "-x", "+y", "-y"};
    return port < names.size() ? names[port] : fmt::format("local {}", port - kFirstLocal);
}

}  // namespace loom::noc
