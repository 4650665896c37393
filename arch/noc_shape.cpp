// SPDX-License-Identifier: Apache-2.0
#include "arch/noc_shape.hpp"

#include <algorithm>

#include "arch/noc_spec.hpp"

namespace loom::arch {

NocShape line_shape(const NocSpec& spec, std::uint64_t routers) {
    NocShape s;
    s.core_routers = s.width = routers;
    s.cores_per_router = spec.cores_per_router;
    return s;
}

NocShape grid_shape(const NocSpec& spec) {
    std::uint64_t routers = 1;
    for (const std::uint64_t k : spec.size) routers *= std::min<std::uint64_t>(k, 1u << 20);
    for (const std::uint64_t k : spec.chips.grid) routers *= k;
    NocShape s = line_shape(spec, routers);
    if (spec.size.size() == 2) s.width = spec.size[0] * (spec.chips.grid.empty() ? 1 : spec.chips.grid[0]);
    return s;
}

NocShape NocSpec::shape() const {
    return shapes == nullptr ? grid_shape(*this) : shapes->shape(*this);
}

}  // namespace loom::arch
