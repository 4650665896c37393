// SPDX-License-Identifier: Apache-2.0
#include "base/clocking/scheduler.hpp"

#include <algorithm>
#include <bit>
#include <functional>

#include "base/error.hpp"
#include "base/rng.hpp"

namespace loom {

Scheduler::ComponentId Scheduler::add(Clocked& component) {
    components_.push_back(&component);
    requested_.push_back(0);
    return static_cast<ComponentId>(components_.size() - 1);
}

void Scheduler::request(ComponentId id, Cycle at) {
    if (at < now_ || (evaluating_ && at == now_)) {
        throw InternalError("wake-up asked for a cycle that is over");
    }
    requested_[id] = at;
    if (at - now_ < kSlots) {
        const unsigned slot = static_cast<unsigned>(at % kSlots);
        wheel_[slot].push_back(id);
        occupied_[slot / 64] |= std::uint64_t{1} << (slot % 64);
    } else {
        far_.push({at, id});
    }
}

Cycle Scheduler::next() const {
    const unsigned start = static_cast<unsigned>(now_ % kSlots);
    const std::uint64_t soon = occupied_[start / 64] >> (start % 64);
    if (soon != 0) {
        const Cycle near = now_ + static_cast<unsigned>(std::countr_zero(soon));
        return far_.empty() ? near : std::min(near, far_.top().at);
    }
    for (unsigned i = 0; i <= kWords; ++i) {
        const unsigned word = (start / 64 + i) % kWords;
        std::uint64_t bits = occupied_[word];
        if (i == 0) bits &= ~std::uint64_t{0} << (start % 64);
        if (i == kWords) bits &= ~(~std::uint64_t{0} << (start % 64));
        if (bits != 0) {
            const unsigned slot = word * 64 + static_cast<unsigned>(std::countr_zero(bits));
            const Cycle near = now_ + (slot + kSlots - start) % kSlots;
            return far_.empty() ? near : std::min(near, far_.top().at);
        }
    }
    return far_.empty() ? kNever : far_.top().at;
}

void Scheduler::pull_far() {
    while (!far_.empty() && far_.top().at == now_) {
        const unsigned slot = static_cast<unsigned>(now_ % kSlots);
        wheel_[slot].push_back(far_.top().id);
        occupied_[slot / 64] |= std::uint64_t{1} << (slot % 64);
        far_.pop();
    }
}

bool Scheduler::run_next() {
    const Cycle at = next();
    if (at == kNever) return false;
    now_ = at;
    evaluate_slot();
    return true;
}

void Scheduler::step() {
    evaluate_slot();
    ++now_;
}

void Scheduler::evaluate_slot() {
    pull_far();
    const unsigned slot = static_cast<unsigned>(now_ % kSlots);
    if ((occupied_[slot / 64] >> (slot % 64) & 1u) == 0) return;
    occupied_[slot / 64] &= ~(std::uint64_t{1} << (slot % 64));
    due_.clear();
    due_.swap(wheel_[slot]);
    if (due_.size() > 1) {
        if (std::adjacent_find(due_.begin(), due_.end(), std::greater_equal<>()) != due_.end()) {
            std::sort(due_.begin(), due_.end());
            due_.erase(std::unique(due_.begin(), due_.end()), due_.end());
        }
        if (shuffle_seed_ != 0) {
            const CounterRng rng(shuffle_seed_, 0x5CED);
            for (std::size_t i = due_.size() - 1; i > 0; --i) {
                const auto word = rng.word(now_, static_cast<std::uint32_t>(i));
                std::swap(due_[i], due_[word % (i + 1)]);
            }
        }
    }
    evaluating_ = true;
    for (const ComponentId id : due_) {
        const Cycle wish = components_[id]->evaluate(now_);
        ++evaluations_;
        if (wish != kNever) wake(id, wish);
    }
    evaluating_ = false;
    ++cycles_evaluated_;
}

}  // namespace loom
