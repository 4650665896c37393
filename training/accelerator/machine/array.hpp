// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <array>
#include <vector>

#include "base/counter_math.hpp"
#include "training/accelerator/machine/channel.hpp"
#include "training/accelerator/task.hpp"

namespace loom::training {

struct Command {
    const Task* task = nullptr;
    std::uint32_t number = 0;   ///< of the task in its unit
    std::uint32_t streams = 0;  ///< read ports that deliver operands
    Cycle ready = 0;            ///< what it waited for in other units was there from this cycle on
};

/// Processing elements. A tile begins when the one before is done and ends when the busiest element has
/// finished and all operands have come.
class Array final : public Clocked {
  public:
    Array(EngineRecord& record, std::size_t unit, Link<Command>& commands, Link<std::uint32_t>& done,
          Cycle start)
        : record_(record), unit_(unit), commands_(commands), done_(done), free_since_(start) {}
    void add_port(Link<Arrival>& arrivals) { arrivals_.push_back(&arrivals); }

    Cycle evaluate(Cycle now) override {
        for (Link<Arrival>* l : arrivals_)
            while (l->peek(now) != nullptr) ++arrived_[l->take(now).task % arrived_.size()];
        for (;;) {
            if (!running_) {
                if (commands_.peek(now) == nullptr) return kNever;
                command_ = commands_.take(now);
                running_ = true;
                end_ = now + command_.task->compute;
            }
            if (now < end_) return end_;
            std::uint32_t& arrived = arrived_[command_.number % arrived_.size()];
            if (arrived != command_.streams) return kNever;
            arrived = 0;
            running_ = false;
            finish(now);
        }
    }
    /// The last task holds the unit until its results are written (`written`); it is idle from then to `end`.
    void drain(Cycle written, Cycle end) {
        UnitRecord& unit = record_.units[unit_];
        const Cycle held = last_ == nullptr ? 0 : written - free_since_;
        if (last_ != nullptr) {
            last_->cycles += held;
            last_->stalled_memory += held;
        }
        unit.held += held;
        unit.waited += end - free_since_ - held;
    }

  private:
    void finish(Cycle now) {
        const Task& t = *command_.task;
        UnitRecord& unit = record_.units[unit_];
        const Cycle from = std::max(free_since_, command_.ready);
        unit.waited += from - free_since_;
        unit.held += now - from;
        PhaseRecord& p = record_.layers[t.item].phases[static_cast<std::size_t>(t.phase)];
        p.cycles += now - from;
        p.stalled_memory += now - from - t.compute;
        p.busy += t.busy;
        p.gated += t.gated;
        p.imbalance += t.compute * unit.elements - t.busy - t.gated;
        p.counts = sum_of(p.counts, t.counts);
        free_since_ = now;
        last_ = &p;
        done_.send(now, command_.number);
    }

    EngineRecord& record_;
    std::size_t unit_;
    Link<Command>& commands_;
    Link<std::uint32_t>& done_;
    std::vector<Link<Arrival>*> arrivals_;
    std::array<std::uint32_t, 4> arrived_{};  ///< by task; at most two are under way
    Command command_;
    PhaseRecord* last_ = nullptr;
    Cycle end_ = 0, free_since_;
    bool running_ = false;
};

}  // namespace loom::training
