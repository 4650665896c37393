// SPDX-License-Identifier: Apache-2.0
// Timing of the machine: what bounds a sequence of equal tiles, and what its start and end cost.
#include "training/accelerator/machine/machine.hpp"

#include <gmock/gmock.h>

#include "tests/unit/training/chips.hpp"

namespace loom::training {
namespace {

class Equal final : public TaskSource {
  public:
    Equal(std::size_t n, const Task& task) : left_(n), task_(task) {}
    bool next(Task& task) override {
        if (left_ == 0) return false;
        --left_;
        task = task_;
        return true;
    }

  private:
    std::size_t left_;
    Task task_;
};
class Nobody final : public SegmentObserver {
    void segment_over(std::uint32_t, Cycle) override {}
};

struct Result {
    Cycles cycles;
    EngineRecord record;
};
Result run(const arch::TrainingChip& chip, std::vector<std::pair<std::size_t, Task>> units,
           std::size_t tokens = 0) {
    Result r;
    r.record.layers.resize(1);
    std::vector<std::unique_ptr<Equal>> sources;
    std::vector<Machine::Unit> list;
    for (auto& [n, task] : units) {
        sources.push_back(std::make_unique<Equal>(n, task));
        list.push_back({sources.back().get(), r.record.units.size()});
        r.record.units.push_back({"unit", 128, 0, 0});
    }
    Nobody nobody;
    Machine machine(chip, list, tokens, nobody, r.record);
    r.cycles = machine.run();
    return r;
}
Task task(Cycles compute) {
    Task t;
    t.compute = compute;
    t.busy = compute;
    return t;
}
arch::TrainingChip narrow() {
    arch::TrainingChip chip = test_chip();
    for (auto& b : chip.buffers) b.port = 64, b.banks = 1;
    chip.dram = {8, 40, 1};
    return chip;
}

TEST(TrainingMachine, ComputeFollowsComputeWithoutAGap) {
    // One cycle to the array, one back.
    for (const std::size_t n : {1U, 2U, 7U, 40U})
        EXPECT_EQ(run(narrow(), {{n, task(10)}}).cycles, 10 * n + 2);
}

TEST(TrainingMachine, ANarrowPortBoundsTheTiles) {
    Task t = task(10);
    t.read[0] = 64 * 25;
    const Result r = run(narrow(), {{20, t}});
    EXPECT_EQ(r.cycles, 20U * 25 + 1 + 1 + 1);  // request, last operand to the array, array to sequencer
    const PhaseRecord& p = r.record.layers[0].phases[0];
    EXPECT_EQ(p.cycles, r.cycles);
    EXPECT_EQ(p.stalled_memory, r.cycles - 20 * 10);
    t.read[1] = 64 * 24;  // another port, at the same time
    EXPECT_EQ(run(narrow(), {{20, t}}).cycles, r.cycles);
}

TEST(TrainingMachine, WithoutDoubleBuffersStreamsWaitForTheArray) {
    arch::TrainingChip chip = narrow();
    Task t = task(20);
    t.read[0] = 64 * 20;
    EXPECT_EQ(run(chip, {{10, t}}).cycles, 10U * 20 + 3);
    chip.schedule.double_buffer = false;
    EXPECT_EQ(run(chip, {{10, t}}).cycles, 10U * (20 + 3));
}

TEST(TrainingMachine, DramBandwidthBoundsAndLatencyIsPaidOnce) {
    Task t = task(10);
    t.load = 8 * 30;
    // Request, 30 cycles each, latency of the first, answer, command, compute of the last, and back.
    EXPECT_EQ(run(narrow(), {{20, t}}).cycles, 1 + 20U * 30 + 40 + 1 + 1 + 10 + 1);
    arch::TrainingChip chip = narrow();
    chip.dram.burst = 64;
    t.load = 65;  // two bursts
    EXPECT_EQ(run(chip, {{20, t}}).cycles, 1 + 20U * 16 + 40 + 1 + 1 + 10 + 1);
}

TEST(TrainingMachine, ABarrierWaitsForWrites) {
    Task t = task(10);
    t.write[0] = 64 * 50;
    EXPECT_EQ(run(narrow(), {{10, t}}).cycles, 1U + 10 + 1 + 1 + 10 * 50 + 1);  // writes one after the other
    t.barrier = true;
    EXPECT_EQ(run(narrow(), {{10, t}}).cycles, 10U * (1 + 10 + 1 + 1 + 50 + 1));
}

TEST(TrainingMachine, UnitsSharePortsAndWaitForTokens) {
    Task t = task(10);
    t.read[0] = 64 * 25;
    const Result both = run(narrow(), {{20, t}, {20, t}});
    EXPECT_EQ(both.cycles, 40U * 25 + 3);
    Task last = task(10), waiting = task(10);
    last.gives = 0;
    waiting.waits[0] = 0;
    const Result r = run(narrow(), {{1, last}, {1, waiting}}, 1);
    EXPECT_EQ(r.cycles, 2U * (10 + 2) + 1);
    EXPECT_EQ(r.record.units[1].waited + r.record.units[1].held, r.cycles);
    EXPECT_EQ(r.record.units[1].waited, 13U);
    Task never = task(1);
    never.waits[0] = 0;
    EXPECT_THROW(run(narrow(), {{1, never}}, 1), ModelError);
}

}  // namespace
}  // namespace loom::training
