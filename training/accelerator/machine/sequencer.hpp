// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <deque>

#include "training/accelerator/machine/array.hpp"
#include "training/accelerator/machine/tokens.hpp"

namespace loom::training {

/// Told when the last task of a segment is over.
class SegmentObserver {
  public:
    virtual ~SegmentObserver() = default;
    virtual void segment_over(std::uint32_t segment, Cycle now) = 0;
};

/// Takes the tasks of a unit in order: loads from DRAM up to `prefetch` tasks ahead, lets operands stream for
/// the running and (double buffered) the next task, writes results back, passes tokens on.
class Sequencer final : public Clocked {
  public:
    struct Ports {
        Link<Command>* commands;
        Link<std::uint32_t>* done;
        Link<Transfer>* dram;
        Link<Arrival>* dram_answers;
        std::vector<Link<Transfer>*> reads, writes;  ///< by buffer
        std::vector<Link<Arrival>*> write_answers;
    };
    struct Depth {
        std::size_t prefetch = 4;
        bool double_buffer = true;
    };
    Sequencer(TaskSource& source, Tokens& tokens, SegmentObserver& observer, Ports ports, Depth depth)
        : source_(source), tokens_(tokens), observer_(observer), ports_(std::move(ports)), depth_(depth) {}

    Cycle evaluate(Cycle now) override;
    bool idle() const { return exhausted_ && slots_.empty(); }
    /// Cycle in which the last task was over.
    Cycle last() const { return last_; }

  private:
    struct Slot {
        Task task;
        bool load_issued = false, loaded = false, computed = false;
        std::uint32_t writes = 0;  ///< under way
    };
    Slot& slot(std::uint32_t number) { return slots_[number - first_]; }
    std::uint32_t end() const { return first_ + static_cast<std::uint32_t>(slots_.size()); }
    void take_answers(Cycle now);
    void retire(Cycle now);
    void pull();
    void load(Cycle now);
    void issue(Cycle now);

    TaskSource& source_;
    Tokens& tokens_;
    SegmentObserver& observer_;
    Ports ports_;
    Depth depth_;
    std::deque<Slot> slots_;
    std::uint32_t first_ = 0, loads_ = 0, issued_ = 0, computed_ = 0;  ///< numbers of the next such task
    bool exhausted_ = false;
    Cycle last_ = 0;
};

}  // namespace loom::training
