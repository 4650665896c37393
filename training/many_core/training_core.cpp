// SPDX-License-Identifier: Apache-2.0
#include "training/many_core/training_core.hpp"

#include <algorithm>

namespace loom::training {

void TrainingCore::begin(Cycle start, Cycles job, std::vector<Send>& sends, bool beside) {
    sends_.swap(sends);
    sends.clear();
    sent_ = 0;
    beside_ = beside;
    next_send_ = start + job;
    job_ = {start + job, job > 0};
    busy_ += job;
    activity_.raise((job_.on ? 1 : 0) + static_cast<std::int64_t>(sends_.size()));
    if (job_.on || !sends_.empty()) scheduler_.wake(id_, job_.until);
}

void TrainingCore::finish(Hold& hold, Cycle now) {
    if (!hold.on || now < hold.until) return;
    hold.on = false;
    last_done_ = now;
    activity_.lower(now);
}

void TrainingCore::take_packet(Cycle now) {
    const Cycles cycles = std::max<Cycles>(work_.arrive(number_, in_->front(now)), 1);
    in_->drop(now);
    packet_ = {now + cycles, true};
    busy_ += cycles;
}

Cycle TrainingCore::evaluate(Cycle now) {
    finish(job_, now);
    finish(packet_, now);
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
    const bool open = beside_ || !job_.on;
    if (open && !packet_.on && in_ != nullptr && in_->peek(now) != nullptr) take_packet(now);
    Cycle next = kNever;
    if (job_.on) next = job_.until;
    if (packet_.on)
        next = std::min(next, packet_.until);
    else if (open && in_ != nullptr)
        next = std::min(next, in_->next_ready());
    if (sent_ < sends_.size() && !blocked) next = std::min(next, std::max(next_send_, now + 1));
    return next == kNever ? kNever : std::max(next, now + 1);
}

}  // namespace loom::training
