// SPDX-License-Identifier: Apache-2.0
#include "sim/training_chip/training_core.hpp"

#include <algorithm>

namespace loom::training {

void TrainingCore::begin(Cycle start, Cycles job, std::vector<Send> sends) {
    sends_ = std::move(sends);
    sent_ = 0;
    free_ = start + job;
    next_send_ = free_;
    working_ = job > 0;
    busy_ += job;
    activity_.raise((working_ ? 1 : 0) + static_cast<std::int64_t>(sends_.size()));
    if (working_ || !sends_.empty()) scheduler_.wake(id_, free_);
}

void TrainingCore::finish(Cycle now) {
    working_ = false;
    last_done_ = now;
    activity_.lower(now);
}

Cycle TrainingCore::evaluate(Cycle now) {
    if (working_ && now >= free_) finish(now);
    const bool due = sent_ < sends_.size() && now >= next_send_;
    const bool blocked = due && !out_.can_send(now);  // the link wakes us when a credit is back
    if (due && !blocked) {
        const Send& s = sends_[sent_];
        activity_.raise(s.copies);
        out_.send(now, s.packet);
        ++sent_;
        next_send_ = now + interval_;
        last_done_ = now;
        activity_.lower(now);
    }
    if (!working_ && in_ != nullptr && in_->peek(now) != nullptr) {
        const Cycles job = std::max<Cycles>(work_.arrive(number_, in_->front(now)), 1);
        in_->drop(now);
        free_ = now + job;
        busy_ += job;
        working_ = true;
    }
    Cycle next = working_ ? free_ : (in_ != nullptr ? in_->next_ready() : kNever);
    if (sent_ < sends_.size() && !blocked) next = std::min(next, std::max(next_send_, now + 1));
    return next == kNever ? kNever : std::max(next, now + 1);
}

}  // namespace loom::training
