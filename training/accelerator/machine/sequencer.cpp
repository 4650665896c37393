// SPDX-License-Identifier: Apache-2.0
#include "training/accelerator/machine/sequencer.hpp"

namespace loom::training {

Cycle Sequencer::evaluate(Cycle now) {
    take_answers(now);
    retire(now);
    pull();
    load(now);
    issue(now);
    return kNever;  // answers, tokens and credits wake it
}

void Sequencer::take_answers(Cycle now) {
    while (ports_.dram_answers->peek(now) != nullptr) {
        const Arrival a = ports_.dram_answers->take(now);
        if (a.write)
            --slot(a.task).writes;
        else
            slot(a.task).loaded = true;
    }
    for (Link<Arrival>* l : ports_.write_answers)
        while (l->peek(now) != nullptr) --slot(l->take(now).task).writes;
    while (ports_.done->peek(now) != nullptr) {
        const std::uint32_t number = ports_.done->take(now);
        Slot& s = slot(number);
        s.computed = true;
        ++computed_;
        for (std::size_t b = 0; b < ports_.writes.size(); ++b) {
            if (s.task.write[b] == 0) continue;
            ports_.writes[b]->send(now, {s.task.write[b], number, true});
            ++s.writes;
        }
        if (s.task.store != 0) {
            ports_.dram->send(now, {s.task.store, number, true});
            ++s.writes;
        }
    }
}

void Sequencer::retire(Cycle now) {
    while (!slots_.empty() && slots_.front().computed && slots_.front().writes == 0) {
        const Task& t = slots_.front().task;
        if (t.gives != kNoToken) tokens_.give(now, t.gives);
        if (t.last) observer_.segment_over(t.segment, now);
        slots_.pop_front();
        ++first_;
        last_ = now;
    }
}

void Sequencer::pull() {
    while (!exhausted_ && slots_.size() < depth_.prefetch + 2) {
        Slot s;
        if (!source_.next(s.task)) {
            exhausted_ = true;
            break;
        }
        s.loaded = s.task.load == 0;
        slots_.push_back(std::move(s));
    }
}

void Sequencer::load(Cycle now) {
    while (loads_ < end() && loads_ <= computed_ + depth_.prefetch) {
        const Task& t = slot(loads_).task;
        if (tokens_.ready(t) > now) return;
        if (t.load_after && first_ != loads_) return;
        if (t.load != 0) ports_.dram->send(now, {t.load, loads_, false});
        ++loads_;
    }
}

void Sequencer::issue(Cycle now) {
    while (issued_ < loads_ && issued_ < computed_ + (depth_.double_buffer ? 2u : 1u)) {
        const Slot& s = slot(issued_);
        if (!s.loaded || (s.task.barrier && first_ != issued_)) return;
        Command c{&s.task, issued_, 0, tokens_.ready(s.task)};
        for (std::size_t b = 0; b < ports_.reads.size(); ++b) {
            if (s.task.read[b] == 0) continue;
            ports_.reads[b]->send(now, {s.task.read[b], issued_, false});
            ++c.streams;
        }
        ports_.commands->send(now, c);
        ++issued_;
    }
}

}  // namespace loom::training
