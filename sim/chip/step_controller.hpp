// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <functional>
#include <vector>

#include "base/clocking/packet.hpp"
#include "base/clocking/scheduler.hpp"

namespace loom::chip {

/// The barrier policy: a timestep begins everywhere at once, ends when all its work has drained, and
/// the next begins `barrier` cycles later.
class StepController final : public Clocked {
  public:
    struct Timing {
        Cycle begin = 0;
        Cycle drained = 0;  ///< end of the last work; equals begin when there was none
    };
    using Hook = std::function<void(Cycle now, Step step)>;

    StepController(Scheduler& scheduler, Activity& activity, Cycles barrier)
        : scheduler_(scheduler), activity_(activity), barrier_(barrier), id_(scheduler.add(*this)) {
        activity.watch(scheduler, id_);
    }
    /// begin: starts the cores and the host for a step; drained: called once its work is over.
    void hooks(Hook begin, Hook drained) {
        begin_ = std::move(begin);
        drained_ = std::move(drained);
    }
    /// Runs `steps` timesteps from cycle `at` on.
    void start(Cycle at, Step steps);
    Cycle evaluate(Cycle now) override;

    bool finished() const { return step_ == steps_; }
    Step step() const { return step_; }
    /// Cycle in which a step after the last could have begun.
    Cycle end() const { return next_begin_; }
    const std::vector<Timing>& timings() const { return timings_; }

  private:
    Scheduler& scheduler_;
    Activity& activity_;
    Cycles barrier_;
    Scheduler::ComponentId id_;
    Hook begin_, drained_;
    std::vector<Timing> timings_;
    Step step_ = 0, steps_ = 0;
    Cycle next_begin_ = 0;
    bool running_ = false;
};

}  // namespace loom::chip
