// SPDX-License-Identifier: Apache-2.0
#include "sim/chip/step_controller.hpp"

#include <algorithm>

namespace loom::chip {

void StepController::start(Cycle at, Step steps) {
    step_ = 0;
    steps_ = steps;
    next_begin_ = at;
    running_ = false;
    timings_.clear();
    if (steps != 0) scheduler_.wake(id_, at);
}

Cycle StepController::evaluate(Cycle now) {
    if (finished()) return kNever;
    if (running_) {
        if (activity_.outstanding() != 0) return kNever;
        timings_.back().drained = std::max(timings_.back().begin, activity_.last_change());
        running_ = false;
        drained_(now, step_);
        next_begin_ = timings_.back().drained + barrier_;
        ++step_;
        if (finished()) return kNever;
    }
    if (now < next_begin_) return next_begin_;
    timings_.push_back({now, now});
    running_ = true;
    begin_(now, step_);
    return activity_.outstanding() == 0 ? now + 1 : kNever;
}

}  // namespace loom::chip
