// SPDX-License-Identifier: Apache-2.0
// Tiles against a brute force that gives every pair to its processing element, and buffer accesses against
// their definitions.
#include <gmock/gmock.h>

#include <algorithm>

#include "tests/unit/training/chips.hpp"
#include "tests/unit/training/random_work.hpp"
#include "training/accelerator/make_engine.hpp"

namespace loom::training {
namespace {

using arch::SparsityRules;
using arch::ZeroRule;

constexpr ZeroRule D = ZeroRule::Dense, G = ZeroRule::Gate, S = ZeroRule::Skip;

EngineRecord run(const arch::TrainingWork& work, const arch::TrainingChip& chip) {
    const auto engine = make_engine(chip);
    engine->execute(work);
    return engine->record();
}
const PhaseRecord& phase(const EngineRecord& r, std::size_t item, Phase p) {
    return r.layers[item].phases[static_cast<std::size_t>(p)];
}
std::uint64_t count(const EngineRecord& r, std::size_t item, Phase p, TrainingEvent e) {
    return phase(r, item, p).counts[e];
}

/// Work of every processing element of every tile: [tile][row][column].
class Elements {
  public:
    Elements(std::size_t rows, std::size_t columns) : rows_(rows), columns_(columns) {}
    void add(std::size_t tile, std::size_t row, std::size_t column, std::uint64_t n = 1) {
        const std::size_t size = (tile + 1) * rows_ * columns_;
        if (work_.size() < size) work_.resize(size);
        work_[(tile * rows_ + row) * columns_ + column] += n;
    }
    /// Sum over tiles of the busiest element and a cycle to start.
    std::uint64_t cycles() const {
        std::uint64_t sum = 0;
        for (std::size_t i = 0; i < work_.size(); i += rows_ * columns_) {
            const auto first = work_.begin() + static_cast<std::ptrdiff_t>(i);
            const std::uint64_t most =
                *std::max_element(first, first + static_cast<std::ptrdiff_t>(rows_ * columns_));
            if (most != 0) sum += most + 1;
        }
        return sum;
    }

  private:
    std::size_t rows_, columns_;
    std::vector<std::uint64_t> work_;
};

/// `l`: the second matrix of `work`, of 2 timesteps.
void compare_cycles(const arch::TrainingWork& work) {
    constexpr std::size_t R = 4, C = 8, A = 3;
    const arch::LinearWork& l = work.linear[1];
    const arch::LinearShape& shape = l.shape;
    const std::size_t outputs = shape.out_h * shape.out_w, inputs = shape.in_h * shape.in_w;
    const std::size_t in_c = shape.group_inputs(), out_c = shape.group_outputs();
    for (const ZeroRule s : {D, S})
        for (const ZeroRule g : {D, S})
            for (const ZeroRule h : {D, G, S}) {
                arch::TrainingChip chip = test_chip();
                chip.array = {R, C, A};
                chip.sparsity = {s, g, h};
                const EngineRecord r = run(work, chip);
                std::uint64_t forward = 0, backward = 0;
                const std::size_t blocks = (out_c + C - 1) / C, below = (in_c + C - 1) / C;
                const auto tiles = [&](std::size_t rows) { return (rows + R * A - 1) / (R * A); };
                const std::size_t f_tiles = tiles(work.batch * outputs), e_tiles = tiles(work.batch * inputs),
                                  g_tiles = tiles(shape.window.taps() * in_c);
                Elements gradient(R, C);
                for (std::size_t t = 0; t < 2; ++t) {
                    Elements f(R, C), e(R, C);
                    const auto pair = [&](std::size_t b, std::size_t group, std::size_t out, std::size_t in,
                                          std::size_t tap) {
                        const std::size_t to = b * outputs + out, from = b * inputs + in;
                        const std::size_t at = in * shape.in_c + group * in_c,
                                          above = out * shape.out_c + group * out_c;
                        for (std::size_t c = 0; c < in_c; ++c) {
                            const bool spike = s == D || l.input.test(t, b, at + c);
                            // Channels that are wanted close up.
                            std::size_t place = c;
                            bool wanted = true;
                            if (h == S) {
                                place = 0;
                                for (std::size_t i = 0; i < c; ++i) place += l.wanted.test(t, b, at + i);
                                wanted = l.wanted.test(t, b, at + c);
                            }
                            for (std::size_t k = 0; k < out_c; ++k) {
                                const bool error = g == D || l.error.test(t, b, above + k);
                                if (spike)
                                    f.add((group * f_tiles + to / (R * A)) * blocks + k / C, to % R, k % C);
                                if (error && wanted)
                                    e.add((group * e_tiles + from / (R * A)) * below + place / C, from % R,
                                          place % C);
                                const std::size_t row = tap * in_c + c;
                                if (spike && error)
                                    gradient.add((group * g_tiles + row / (R * A)) * blocks + k / C, row % R,
                                                 k % C);
                            }
                        }
                    };
                    for (std::size_t b = 0; b < work.batch; ++b)
                        each_pair(shape, [&](std::size_t out, std::size_t in, std::size_t tap) {
                            for (std::size_t n = 0; n < shape.groups; ++n) pair(b, n, out, in, tap);
                        });
                    forward += f.cycles();
                    backward += e.cycles();
                }
                const auto computed = [&](Phase p) {
                    return phase(r, 2, p).cycles - phase(r, 2, p).stalled_memory;
                };
                EXPECT_EQ(computed(Phase::Forward), forward);
                EXPECT_EQ(computed(Phase::Backward), backward);
                EXPECT_EQ(computed(Phase::WeightGradient), gradient.cycles());
            }
}

TEST(TrainingTiles, TakeAsLongAsTheirBusiestElement) {
    compare_cycles(random_chain({conv_shape(6, 5, 20), conv_shape(6, 20, 13, 2)}, {.steps = 2, .batch = 3}));
}

TEST(TrainingTiles, GroupsComeOneAfterTheOther) {
    arch::LinearShape s = conv_shape(6, 20, 40, 2);
    s.window.columns = {2, 1, 3, 0, 1};  // a dilation, another kernel, stride and padding
    s.out_w = s.window.columns.outputs(6);
    for (const std::size_t groups : {2U, 20U}) {
        s.groups = groups;
        compare_cycles(random_chain({conv_shape(6, 5, 20), s}, {.steps = 2, .batch = 3}));
    }
}

TEST(TrainingTiles, WeightsComeForWhatAnyPositionNeeds) {
    const arch::TrainingWork work =
        random_network({48, 40, 24}, {.batch = 8, .spikes = 0.05, .errors = 0.05});
    const arch::LinearWork& l = work.linear[1];
    for (const ZeroRule rule : {D, G, S}) {
        arch::TrainingChip chip = test_chip();
        chip.sparsity = {rule, rule, rule};
        const EngineRecord r = run(work, chip);
        std::uint64_t forward = 0, backward = 0, errors = 0;
        for (std::size_t t = 0; t < work.steps; ++t) {
            const auto any = [&](const arch::BitSignal& s) {
                std::uint64_t n = 0;
                for (std::size_t i = 0; i < s.count(); ++i) {
                    bool set = rule != S;
                    for (std::size_t b = 0; b < work.batch; ++b) set |= s.test(t, b, i);
                    n += set;
                }
                return n;
            };
            forward += any(l.input) * l.shape.out_c;
            backward += any(l.error) * any(l.wanted);
            std::uint64_t ones = 0;
            for (std::size_t b = 0; b < work.batch; ++b)
                ones += rule == S ? l.error.ones(t, b) : l.error.count();
            std::uint64_t passes = 0;  // the errors come again for each block of channels
            for (std::size_t b = 0; b < work.batch; ++b)
                passes =
                    std::max(passes, (rule == S ? l.wanted.ones(t, b) : l.wanted.count()) + 15) / 16 * 16;
            errors += ones * (passes / 16);
        }
        EXPECT_EQ(count(r, 2, Phase::Forward, &TrainingCounters::weight_read), forward);
        EXPECT_EQ(count(r, 2, Phase::Backward, &TrainingCounters::weight_read), backward);
        EXPECT_EQ(count(r, 2, Phase::Backward, &TrainingCounters::error_read), errors);
    }
}

TEST(TrainingTiles, BufferAccessesFollowTheirDefinitions) {
    arch::TrainingWork work = random_network({48, 40, 24}, {.batch = 8});
    work.state_words = 2;
    work.detach_reset = false;
    arch::TrainingChip chip = test_chip();
    chip.sparsity = {D, D, D};
    chip.schedule.keep = arch::KeepRule::Membranes;
    const EngineRecord r = run(work, chip);
    const std::uint64_t tn = 4 * 8 * 40, w = 40 * 24;
    const auto lif = [&](Phase p, TrainingEvent e) { return count(r, 1, p, e); };
    for (const TrainingEvent e :
         {&TrainingCounters::shift, &TrainingCounters::add, &TrainingCounters::compare,
          &TrainingCounters::mux, &TrainingCounters::spike_write, &TrainingCounters::membrane_read})
        EXPECT_EQ(lif(Phase::Forward, e), tn) << event_name(e);
    EXPECT_EQ(lif(Phase::Forward, &TrainingCounters::membrane_write),
              2 * tn);  // at work, and kept for backward
    EXPECT_EQ(lif(Phase::Backward, &TrainingCounters::membrane_read), tn);
    EXPECT_EQ(lif(Phase::Backward, &TrainingCounters::spike_read), tn);
    EXPECT_EQ(lif(Phase::Backward, &TrainingCounters::error_write), tn);
    EXPECT_EQ(lif(Phase::Backward, &TrainingCounters::error_read), tn);
    EXPECT_EQ(lif(Phase::Backward, &TrainingCounters::compare), 2 * tn);   // a rectangle
    EXPECT_EQ(lif(Phase::Backward, &TrainingCounters::multiply), 2 * tn);  // z h, and u g through the reset
    EXPECT_EQ(lif(Phase::Backward, &TrainingCounters::shift), 2 * tn);
    EXPECT_EQ(lif(Phase::Backward, &TrainingCounters::add), 2 * tn);
    EXPECT_EQ(lif(Phase::Backward, &TrainingCounters::mux), tn);
    for (const TrainingEvent e :
         {&TrainingCounters::gradient_read, &TrainingCounters::weight_read, &TrainingCounters::weight_write,
          &TrainingCounters::multiply, &TrainingCounters::add})
        EXPECT_EQ(count(r, 2, Phase::WeightUpdate, e), w) << event_name(e);
    EXPECT_EQ(count(r, 2, Phase::WeightUpdate, &TrainingCounters::state_read), 2 * w);
    EXPECT_EQ(count(r, 2, Phase::WeightUpdate, &TrainingCounters::state_write), 2 * w);
    EXPECT_EQ(count(r, 2, Phase::WeightGradient, &TrainingCounters::gradient_write),
              w);  // all timesteps at once
    EXPECT_EQ(count(r, 2, Phase::WeightGradient, &TrainingCounters::gradient_read), 0U);
    chip.schedule.gradients = arch::GradientRule::EachTimestep;
    const EngineRecord each = run(work, chip);
    EXPECT_EQ(count(each, 2, Phase::WeightGradient, &TrainingCounters::gradient_write), 4 * w);
    EXPECT_EQ(count(each, 2, Phase::WeightGradient, &TrainingCounters::gradient_read), 3 * w);
    // A mask instead of the membrane, where that is enough.
    work.detach_reset = true;
    chip.schedule.keep = arch::KeepRule::Masks;
    const EngineRecord masks = run(work, chip);
    EXPECT_EQ(count(masks, 1, Phase::Forward, &TrainingCounters::mask_write), tn);
    EXPECT_EQ(count(masks, 1, Phase::Forward, &TrainingCounters::membrane_write), tn);
    EXPECT_EQ(count(masks, 1, Phase::Backward, &TrainingCounters::mask_read), tn);
    EXPECT_EQ(count(masks, 1, Phase::Backward, &TrainingCounters::membrane_read), 0U);
}

TEST(TrainingTiles, SoftResetsSubtractInsteadOfSwitching) {
    arch::TrainingWork work = random_network({48, 40}, {.batch = 8});
    work.neurons[0].hard_reset = false;
    work.detach_reset = false;
    arch::TrainingChip chip = test_chip();
    chip.sparsity = {D, D, D};
    chip.schedule.leak_shift = false;
    const EngineRecord r = run(work, chip);
    const std::uint64_t tn = 4 * 8 * 40;
    for (const Phase p : {Phase::Forward, Phase::Backward}) {
        EXPECT_EQ(count(r, 1, p, &TrainingCounters::mux), 0U);
        EXPECT_EQ(count(r, 1, p, &TrainingCounters::add), 2 * tn);
    }
    EXPECT_EQ(count(r, 1, Phase::Forward, &TrainingCounters::multiply), tn);       // leak
    EXPECT_EQ(count(r, 1, Phase::Backward, &TrainingCounters::multiply), 2 * tn);  // leak, z h
    EXPECT_EQ(count(r, 1, Phase::Backward, &TrainingCounters::shift), tn);  // threshold through the reset
    EXPECT_EQ(count(r, 1, Phase::Backward, &TrainingCounters::spike_read), 0U);
}

TEST(TrainingTiles, TablesAddGroupsThatHaveASpike) {
    for (const std::size_t group : {2U, 4U, 8U}) {
        const arch::TrainingWork work = random_network({50, 40, 24}, {.batch = 8, .spikes = 0.1});
        arch::TrainingChip chip = test_chip("h2learn");
        chip.lut_inputs = group;
        chip.schedule.batch_block = 8;
        const EngineRecord r = run(work, chip);
        const arch::LinearWork& l = work.linear[0];
        std::uint64_t forward = 0, gradient = 0;
        const auto any = [&](auto bit, std::size_t first, std::size_t end) {
            for (std::size_t i = first; i < end; ++i)
                if (bit(i)) return true;
            return false;
        };
        for (std::size_t t = 0; t < 4; ++t)
            for (std::size_t b = 0; b < 8; ++b)
                for (std::size_t i = 0; i < 50; i += group)
                    forward += any([&](std::size_t n) { return l.input.test(t, b, n); }, i,
                                   std::min<std::size_t>(50, i + group));
        // Weight gradients: groups of neighbouring samples and timesteps.
        for (std::size_t n = 0; n < 32; n += group)
            for (std::size_t i = 0; i < 50; ++i)
                for (std::size_t k = 0; k < 40; ++k)
                    gradient +=
                        any([&](std::size_t p) { return l.input.test(p / 8, p % 8, i); }, n, n + group) &&
                        any([&](std::size_t p) { return l.error.test(p / 8, p % 8, k); }, n, n + group);
        EXPECT_EQ(count(r, 0, Phase::Forward, &TrainingCounters::ac), forward * 40) << group;
        EXPECT_EQ(count(r, 0, Phase::Forward, &TrainingCounters::lut_read), forward * 40) << group;
        EXPECT_EQ(count(r, 0, Phase::WeightGradient, &TrainingCounters::ac), gradient) << group;
        const std::uint64_t tables = (50 + group - 1) / group * 40, entries = std::uint64_t{1} << group;
        EXPECT_EQ(count(r, 0, Phase::WeightUpdate, &TrainingCounters::lut_write), tables * entries) << group;
        EXPECT_EQ(count(r, 0, Phase::WeightUpdate, &TrainingCounters::add),
                  tables * (entries - group - 1) + 50 * 40)
            << group;
    }
}

TEST(TrainingTiles, WeightsThatDoNotFitComeFromDramInEveryTimestep) {
    const arch::TrainingWork work = random_network({64, 256, 64}, {.steps = 4, .batch = 4});
    arch::TrainingChip chip = test_chip();
    chip.dram.burst = 1;
    chip.buffers[1].capacity = 64 * 1024;  // bits; a layer has 256 Ki
    chip.buffers[2].capacity *= 8;
    const std::uint64_t bytes = 64 * 256 * 2;
    const EngineRecord r = run(work, chip);
    EXPECT_EQ(r.batch_block, 4U);
    EXPECT_EQ(count(r, 2, Phase::Forward, &TrainingCounters::dram_read), 4 * bytes);
    EXPECT_EQ(count(r, 2, Phase::Backward, &TrainingCounters::dram_read), 4 * bytes);
    EXPECT_EQ(count(r, 2, Phase::WeightGradient, &TrainingCounters::dram_write), bytes);
    EXPECT_EQ(count(r, 2, Phase::WeightUpdate, &TrainingCounters::dram_read), 2 * bytes);
    EXPECT_EQ(count(r, 2, Phase::WeightUpdate, &TrainingCounters::dram_write), bytes);
    chip.buffers[1].capacity = 512 * 1024;  // one layer at a time: layer by layer it comes once
    chip.schedule.order = arch::LoopOrder::Layer;
    EXPECT_EQ(count(run(work, chip), 2, Phase::Forward, &TrainingCounters::dram_read), bytes);
}

}  // namespace
}  // namespace loom::training
