// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>

namespace loom::noc {

/// An end of one of an endpoint's links, as the port number that links announce (Clocked::announce).
struct EndpointPort {
    enum Direction : std::uint32_t {
        kIn,  ///< from the endpoint into the network
        kOut  ///< out of the network to the endpoint
    };
    std::uint32_t endpoint = 0;
    Direction direction = kIn;

    constexpr unsigned number() const { return 2 * endpoint + direction; }
    static constexpr EndpointPort of(unsigned number) {
        return {number / 2, static_cast<Direction>(number % 2)};
    }
};

}  // namespace loom::noc
