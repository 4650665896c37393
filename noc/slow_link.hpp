// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>

namespace loom::noc {

/// When a link is free again after a flit of `flit_ps` that starts in the cycle at `now_ps`. A link that was
/// busy into this cycle goes on from where it was, so that its rate is exact in the long run.
inline std::uint64_t next_free(std::uint64_t free_ps, double now_ps, double period, std::uint64_t flit_ps) {
    if (static_cast<double>(free_ps) + period <= now_ps) free_ps = static_cast<std::uint64_t>(now_ps);
    return free_ps + flit_ps;
}

}  // namespace loom::noc
