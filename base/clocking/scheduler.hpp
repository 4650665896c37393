// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <array>
#include <cstdint>
#include <queue>
#include <vector>

#include "base/clocking/clocked.hpp"

namespace loom {

/// The calendar of one clock domain: which component is due in which cycle. Evaluates only what is
/// due and jumps over empty cycles, so that cost follows activity and not chip size.
/// A wheel of kSlots cycles serves the near future, a heap the rest.
class Scheduler {
  public:
    using ComponentId = std::uint32_t;

    /// Components are evaluated in order of registration within a cycle (unless shuffled).
    ComponentId add(Clocked& component);
    /// Asks for an evaluation at cycle `at`; several requests for one cycle make one evaluation.
    /// at > now() while a cycle is being evaluated; at >= now() otherwise.
    void wake(ComponentId id, Cycle at) {
        if (requested_[id] != at || at <= now_) request(id, at);  // otherwise: asked for, still to come
    }

    /// The next cycle with anything due, or kNever.
    Cycle next() const;
    /// Advances to next() and evaluates everything due there. Returns false when nothing is.
    bool run_next();
    /// Steps one cycle at a time whether or not anything is due (for benchmarks of idle cost).
    void step();

    Cycle now() const { return now_; }
    /// Evaluates the components of each cycle in a pseudo-random order (seed != 0): a check that
    /// order does not matter.
    void shuffle(std::uint64_t seed) { shuffle_seed_ = seed; }
    std::uint64_t evaluations() const { return evaluations_; }
    std::uint64_t cycles_evaluated() const { return cycles_evaluated_; }

  private:
    static constexpr unsigned kSlots = 1024;
    static constexpr unsigned kWords = kSlots / 64;
    struct Far {
        Cycle at;
        ComponentId id;
        bool operator>(const Far& o) const { return at != o.at ? at > o.at : id > o.id; }
    };

    void request(ComponentId id, Cycle at);
    void evaluate_slot();
    void pull_far();

    std::vector<Clocked*> components_;
    std::vector<Cycle> requested_;  ///< latest wake-up asked for
    std::array<std::vector<ComponentId>, kSlots> wheel_;
    std::array<std::uint64_t, kWords> occupied_{};
    std::priority_queue<Far, std::vector<Far>, std::greater<>> far_;
    std::vector<ComponentId> due_;
    Cycle now_ = 0;
    bool evaluating_ = false;
    std::uint64_t shuffle_seed_ = 0;
    std::uint64_t evaluations_ = 0;
    std::uint64_t cycles_evaluated_ = 0;
};

}  // namespace loom
