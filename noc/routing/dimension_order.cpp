// SPDX-License-Identifier: Apache-2.0
#include "noc/routing/dimension_order.hpp"

namespace loom::noc {

unsigned route_xy(Coord here, Coord destination, unsigned local_port) {
    if (here.x != destination.x) return here.x < destination.x ? kPlusX : kMinusX;
    if (here.y != destination.y) return here.y < destination.y ? kPlusY : kMinusY;
    return local_port;
}

}  // namespace loom::noc
