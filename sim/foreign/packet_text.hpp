// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <ostream>

#include "base/clocking/packet.hpp"

namespace loom {

/// For the channels of SystemC, which print their values.
inline std::ostream& operator<<(std::ostream& out, const Packet& p) {
    return out << "packet to axon " << p.axon << " of endpoint " << p.destination.value;
}

}  // namespace loom
