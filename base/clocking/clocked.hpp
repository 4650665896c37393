// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "base/ids.hpp"

namespace loom {

/// Anything with behaviour in a clock domain. Plain C++: no SystemC here.
class Clocked {
  public:
    virtual ~Clocked() = default;

    /// Does the work of cycle `now`. Reads its own state and what links show as ready at `now`;
    /// what it sends is visible to others at now + 1 at the earliest, so the order in which the
    /// components of one cycle are evaluated cannot matter.
    /// Returns the next cycle (> now) in which it has work of its own, or kNever when only an
    /// arrival or a returned credit can give it some.
    virtual Cycle evaluate(Cycle now) = 0;

    /// A link announces that its `port` has something (an arrival, or a credit) at cycle `at`.
    /// Called while others evaluate: may only take note of it. The scheduler is told by the link.
    virtual void announce(unsigned port, Cycle at) {
        (void)port;
        (void)at;
    }
};

}  // namespace loom
