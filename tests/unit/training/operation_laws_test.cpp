// SPDX-License-Identifier: Apache-2.0
// Laws of operations that hold for every work and chip: they equal a brute force over pairs, and the known
// proportionalities.
#include <gmock/gmock.h>

#include "tests/unit/training/law_works.hpp"

namespace loom::training {
namespace {

TEST(TrainingLaws, OperationsEqualThePairsOfABruteForce) {
    for (const arch::TrainingWork& work :
         {conv_work({.steps = 3, .batch = 3}), windows_work({.steps = 2, .batch = 2})})
        for (const SparsityRules& rules : all_rules()) {
            arch::TrainingChip chip = test_chip();
            chip.sparsity = rules;
            const EngineRecord r = run(work, chip);
            const Brute want = brute_force(work, rules);
            EXPECT_EQ(events(r, Phase::Forward, &TrainingCounters::ac), want.forward);
            EXPECT_EQ(events(r, Phase::Backward, &TrainingCounters::mac), want.backward);
            EXPECT_EQ(events(r, Phase::WeightGradient, &TrainingCounters::ac), want.gradient);
        }
}

TEST(TrainingLaws, NoOperationDependsOnTilesBlocksOrOrder) {
    for (const arch::TrainingWork& work :
         {conv_work({.steps = 3, .batch = 5}), windows_work({.steps = 3, .batch = 5})}) {
        const EngineRecord want = run(work, test_chip());
        for (int variant = 0; variant < 8; ++variant) {
            arch::TrainingChip chip = test_chip();
            if (variant == 0) chip.array = {3, 5, 2};
            if (variant == 1) chip.array = {64, 4, 1};
            if (variant == 2) chip.schedule.batch_block = want.batch_block == 2 ? 3 : 2;
            if (variant == 3) chip.schedule.order = arch::LoopOrder::Layer;
            if (variant == 4) chip.schedule.gradients = arch::GradientRule::EachTimestep;
            if (variant == 5) chip.schedule.double_buffer = false;
            if (variant == 6) chip.buffers[1].capacity = 80 * 1024;  // weights no longer stay
            if (variant == 7) chip.kind = "h2learn";
            const EngineRecord r = run(work, chip);
            for (const Phase p :
                 {Phase::Forward, Phase::Backward, Phase::WeightGradient, Phase::WeightUpdate}) {
                EXPECT_EQ(matrix(r, p), matrix(want, p)) << variant;
                for (const TrainingEvent e :
                     {&TrainingCounters::multiply, &TrainingCounters::add, &TrainingCounters::compare,
                      &TrainingCounters::shift, &TrainingCounters::mux})
                    EXPECT_EQ(events(r, p, e), events(want, p, e)) << variant << " " << event_name(e);
            }
            EXPECT_NE(r.cycles, want.cycles) << variant;
        }
    }
}

TEST(TrainingLaws, ForwardAcIsRateTimesSynapses) {
    for (const double rate : {0.0, 0.05, 0.3, 1.0}) {
        const arch::TrainingWork work = random_network({64, 48, 32}, {.spikes = rate});
        std::uint64_t want = 0;
        for (const arch::LinearWork& l : work.linear) want += l.input.ones() * l.shape.out_c;
        EXPECT_EQ(events(run(work, test_chip()), Phase::Forward, &TrainingCounters::ac), want);
    }
}

TEST(TrainingLaws, RecomputingCostsForwardWorkAgain) {
    arch::TrainingChip chip = test_chip();
    chip.schedule.order = arch::LoopOrder::Layer;
    chip.schedule.keep = arch::KeepRule::Membranes;
    const arch::TrainingWork work = conv_work();
    const EngineRecord kept = run(work, chip);
    chip.schedule.keep = arch::KeepRule::Recompute;
    const EngineRecord again = run(work, chip);
    EXPECT_EQ(events(again, Phase::Backward, &TrainingCounters::ac),
              events(kept, Phase::Forward, &TrainingCounters::ac));
    EXPECT_EQ(events(kept, Phase::Backward, &TrainingCounters::ac), 0U);
    EXPECT_GT(again.cycles, kept.cycles);
}

TEST(TrainingLaws, WorkScalesWithBatchStepsAndWidth) {
    arch::TrainingChip chip = test_chip();
    chip.sparsity = {D, D, D};
    const auto of = [&](std::size_t steps, std::size_t batch, std::size_t width) {
        return run(random_network({64, width, 32}, {.steps = steps, .batch = batch}), chip);
    };
    const EngineRecord base = of(4, 32, 64), longer = of(8, 32, 64), larger = of(4, 64, 64),
                       wider = of(4, 32, 128);
    for (const Phase p : {Phase::Forward, Phase::Backward, Phase::WeightGradient}) {
        EXPECT_EQ(matrix(longer, p), 2 * matrix(base, p));
        EXPECT_EQ(matrix(larger, p), 2 * matrix(base, p));
        EXPECT_EQ(matrix(wider, p), 2 * matrix(base, p));
    }
    // A step of the optimiser costs the same whatever T and B.
    EXPECT_EQ(events(longer, Phase::WeightUpdate, &TrainingCounters::multiply),
              events(base, Phase::WeightUpdate, &TrainingCounters::multiply));
    EXPECT_EQ(events(larger, Phase::WeightUpdate, &TrainingCounters::weight_write), 64U * 64 + 64 * 32);
    EXPECT_EQ(events(wider, Phase::WeightUpdate, &TrainingCounters::weight_write), 2U * (64 * 64 + 64 * 32));
    EXPECT_NEAR(static_cast<double>(phase_cycles(longer, Phase::Forward)),
                2.0 * static_cast<double>(phase_cycles(base, Phase::Forward)),
                0.1 * static_cast<double>(phase_cycles(longer, Phase::Forward)));
}

TEST(TrainingLaws, ConstantInputIsMultipliedOnce) {
    arch::TrainingWork work = random_network({64, 48, 10}, {});
    work.linear[0].binary_input = false;
    work.linear[0].constant_input = true;
    for (std::size_t t = 1; t < work.steps; ++t)
        for (std::size_t b = 0; b < work.batch; ++b)
            for (std::size_t i = 0; i < work.linear[0].input.row(t, b).size(); ++i)
                work.linear[0].input.row(t, b)[i] = work.linear[0].input.row(0, b)[i];
    arch::TrainingChip chip = test_chip();
    const std::uint64_t once = events(run(work, chip), Phase::Forward, &TrainingCounters::mac);
    chip.schedule.reuse_constant_input = false;
    EXPECT_EQ(events(run(work, chip), Phase::Forward, &TrainingCounters::mac), work.steps * once);
    EXPECT_EQ(once * work.steps, work.linear[0].input.ones() * 48);
}

TEST(TrainingLaws, TruncationCutsTheErrorChain) {
    arch::TrainingChip chip = test_chip();
    chip.sparsity = {D, D, D};
    arch::TrainingWork work = random_network({64, 48, 10}, {.steps = 8});
    const auto leaks = [&] { return events(run(work, chip), Phase::Backward, &TrainingCounters::shift); };
    const std::uint64_t neurons = 58 * work.batch;
    EXPECT_EQ(leaks(), 8 * neurons);
    work.truncate = 4;
    EXPECT_EQ(leaks(), 6 * neurons);
    work.temporal = false;
    EXPECT_EQ(leaks(), 0U);
}

TEST(TrainingLaws, TracesMultiplyAndCostAnAdditionPerInput) {
    arch::TrainingWork work = random_network({64, 48, 10}, {});
    work.temporal = false;
    work.traces = true;
    for (std::size_t l = 0; l < 2; ++l)
        work.linear[l].trace = random_bits({}, work.linear[l].shape.inputs(), 0.6, 50 + l);
    const EngineRecord r = run(work, test_chip());
    EXPECT_EQ(events(r, Phase::WeightGradient, &TrainingCounters::shift), (64U + 48) * 4 * 4);
    EXPECT_EQ(events(r, Phase::WeightGradient, &TrainingCounters::ac), 0U);
    std::uint64_t pairs = 0;
    for (const arch::LinearWork& l : work.linear)
        for (std::size_t t = 0; t < 4; ++t)
            for (std::size_t b = 0; b < 4; ++b) pairs += l.trace.ones(t, b) * l.error.ones(t, b);
    EXPECT_EQ(events(r, Phase::WeightGradient, &TrainingCounters::mac), pairs);
}

}  // namespace
}  // namespace loom::training
