// SPDX-License-Identifier: Apache-2.0
// Training in place in arrays: operations and conversions are those that the activity asks for.
#include <gmock/gmock.h>

#include <algorithm>
#include <array>
#include <bit>

#include "cores/cim/pulse_update.hpp"
#include "tests/unit/training/cim_records.hpp"

namespace loom::training {
namespace {

TEST(CimTraining, OperationsOfTheGoldenMlp) {
    const arch::TrainingWork work = cells_work(false, {"rect", {}, 0.5}, false);
    const auto want = golden_counts("mlp_rect_hard_nodetach");
    for (const std::uint64_t side : {1U, 3U}) {
        const auto engine = make_cim_training_engine(cim_mesh(side), {S, S, S});
        engine->execute(work);
        const EngineRecord& r = engine->record();
        EXPECT_EQ(events(r, "w1", Phase::Forward, &TrainingCounters::array_mac),
                  want["fwd_l1_mac_sparse"].get<std::uint64_t>() / 8);
        EXPECT_EQ(events(r, "w2", Phase::Forward, &TrainingCounters::array_ac), want["fwd_l2_ac_sparse"]);
        EXPECT_EQ(events(r, "w2", Phase::Backward, &TrainingCounters::array_mac),
                  want["bwd_l2_mac_dual_sparse"]);
        EXPECT_EQ(events(r, "w1", Phase::WeightGradient, &TrainingCounters::mac),
                  want["wgrad_l1_mac_sparse_x_du"]);
        EXPECT_EQ(events(r, "w2", Phase::WeightGradient, &TrainingCounters::ac),
                  want["wgrad_l2_ac_sparse_s_du"]);
        EXPECT_EQ(events(r, "w2", Phase::Forward, &TrainingCounters::ac), 0U) << "the cells add";
    }
}

TEST(CimTraining, OperationsOfTheGoldenConvolution) {
    const arch::TrainingWork work = cells_work(true, {"rect", {}, 0.5}, false);
    const auto want = golden_counts("conv_rect_hard_nodetach");
    const auto engine = make_cim_training_engine(cim_mesh(2), {S, S, S});
    engine->execute(work);
    const EngineRecord& r = engine->record();
    EXPECT_EQ(events(r, "w1", Phase::Forward, &TrainingCounters::array_mac),
              want["fwd_l1_mac_sparse"].get<std::uint64_t>() / 8);
    EXPECT_EQ(events(r, "w2", Phase::Forward, &TrainingCounters::array_ac), want["fwd_l2_ac_sparse"]);
    EXPECT_EQ(events(r, "w2", Phase::Backward, &TrainingCounters::array_mac), want["bwd_l2_mac_dual_sparse"]);
    EXPECT_EQ(events(r, "w1", Phase::WeightGradient, &TrainingCounters::mac),
              want["wgrad_l1_mac_sparse_x_du"]);
    // One window per output position and plane of the inputs; 8 planes of analogue pixels, once per sample.
    std::uint64_t windows = 0;
    const arch::LinearWork& l = work.linear[0];
    for (std::size_t b = 0; b < work.batch; ++b)
        for (std::size_t y = 0; y < 8; ++y)
            for (std::size_t x = 0; x < 8; ++x) {
                bool any = false;
                for (std::size_t i = 0; i < 64; ++i)
                    any |= l.input.test(0, b, i) && i / 8 + 1 >= y && i / 8 <= y + 1 && i % 8 + 1 >= x &&
                           i % 8 <= x + 1;
                windows += any ? 8U : 0U;
            }
    EXPECT_EQ(arrays(*engine, "w1", Phase::Forward).vectors, windows);
}

/// Rows of a set of spikes in sets of 4, two row blocks of 64; 2 columns per output.
TEST(CimTraining, ForwardConversionsOfTheGoldenMlp) {
    const arch::TrainingWork work = cells_work(false, {"rect", {}, 0.5}, false);
    const auto engine = make_cim_training_engine(cim_mesh(1), {S, S, S});
    engine->execute(work);
    const arch::LinearWork& l = work.linear[1];
    std::uint64_t sets = 0, rows = 0, vectors = 0;
    for (std::size_t t = 0; t < work.steps; ++t)
        for (std::size_t b = 0; b < work.batch; ++b) {
            std::uint64_t n[2] = {0, 0};
            for (std::size_t i = 0; i < 128; ++i) n[i / 64] += l.input.test(t, b, i) ? 1U : 0U;
            sets += (n[0] + 3) / 4 + (n[1] + 3) / 4;
            rows += n[0] + n[1];
            vectors += n[0] + n[1] > 0 ? 1U : 0U;
        }
    const cores::CimCounters& c = arrays(*engine, "w2", Phase::Forward);
    EXPECT_EQ(c.vectors, vectors);
    EXPECT_EQ(c.sets, sets);
    EXPECT_EQ(c.rows_driven, rows);
    EXPECT_EQ(c.conversions, sets * 20);
    EXPECT_EQ(c.cell_operations, rows * 20);
    EXPECT_EQ(c.tree_adds, vectors * 10);
}

/// Behind pooling several spikes meet on a row: their number is read bit by bit, as far as a row has planes;
/// more drive all of them.
TEST(CimTraining, ForwardPlanesBehindPooling) {
    const arch::TrainingWork work = cells_work(true, {"rect", {}, 0.5}, false);
    for (const std::uint64_t bits : {8U, 1U}) {
        arch::ChipSpec chip = cim_mesh(1);
        support::cim_of(chip.core).input_bits = bits;
        const auto engine = make_cim_training_engine(chip, {S, S, S});
        engine->execute(work);
        std::uint64_t sets = 0, vectors = 0, further = 0;
        for (std::size_t t = 0; t < work.steps; ++t)
            for (std::size_t b = 0; b < work.batch; ++b) {
                std::array<std::uint64_t, 128> value{};
                for (std::size_t i = 0; i < 512; ++i) {  // [y][x][channel] of 8 x 8 x 8
                    const std::size_t c = i % 8, x = i / 8 % 8, y = i / 64;
                    value[c * 16 + y / 2 * 4 + x / 2] += work.neurons[0].spikes.test(t, b, i) ? 1U : 0U;
                }
                for (std::uint64_t& v : value) v = std::min<std::uint64_t>(v, (1U << bits) - 1);
                std::uint64_t planes = 0;
                for (std::uint64_t bit = 0; bit < 3; ++bit) {
                    std::array<std::uint64_t, 2> n{};
                    for (std::size_t r = 0; r < 128; ++r) n[r / 64] += value[r] >> bit & 1;
                    sets += (n[0] + 3) / 4 + (n[1] + 3) / 4;
                    planes += n[0] + n[1] > 0 ? 1U : 0U;
                }
                vectors += planes;
                further += planes > 1 ? planes - 1 : 0;
            }
        ASSERT_EQ(further > 0, bits > 1);
        const cores::CimCounters& c = arrays(*engine, "w2", Phase::Forward);
        EXPECT_EQ(c.vectors, vectors);
        EXPECT_EQ(c.sets, sets);
        EXPECT_EQ(c.shift_adds, c.conversions + further * 10);
    }
}

/// Cells conduct t_rd + t_sh each time: forward those of rows with a spike, backward both of every pair with
/// an error.
TEST(CimTraining, ConductanceOfTheCellsThatAreRead) {
    const arch::TrainingWork work = cells_work(false, {"rect", {}, 0.5}, false);
    arch::ChipSpec chip = cim_mesh(1);
    support::cim_of(chip.core).timing.t_rd = "40";
    const auto engine = make_cim_training_engine(chip, {S, S, S});
    engine->execute(work);
    const arch::LinearWork& l = work.linear[1];
    const auto nS = [&](std::size_t cell) {
        return 1000 * (0.588235 + static_cast<double>(l.cells.conductance[cell]) * (10 - 0.588235));
    };
    double forward = 0, backward = 0;
    for (std::size_t t = 0; t < work.steps; ++t)
        for (std::size_t b = 0; b < work.batch; ++b)
            for (std::size_t r = 0; r < 128; ++r)
                for (std::size_t c = 0; c < 20; ++c) {
                    if (l.input.test(t, b, r)) forward += nS(r * 20 + c);
                    if (l.error.test(t, b, c / 2) && l.wanted.ones(t, b) > 0) backward += nS(r * 20 + c);
                }
    EXPECT_NEAR(static_cast<double>(arrays(*engine, "w2", Phase::Forward).cell_conductance), forward * 41,
                1e-4 * forward * 41);
    EXPECT_NEAR(static_cast<double>(arrays(*engine, "w2", Phase::Backward).cell_conductance),
                backward * 8 * 41, 1e-4 * backward * 8 * 41);
}

/// Both cells of a pair, 8 planes; wanted rows are converted, those that share a converter one after the
/// other.
TEST(CimTraining, BackwardConversionsOfTheGoldenMlp) {
    const arch::TrainingWork work = cells_work(false, {"rect", {}, 0.5}, false);
    const auto engine = make_cim_training_engine(cim_mesh(1), {S, S, S});
    engine->execute(work);
    const arch::LinearWork& l = work.linear[1];
    std::uint64_t sets = 0, conversions = 0, steps = 0;
    for (std::size_t t = 0; t < work.steps; ++t)
        for (std::size_t b = 0; b < work.batch; ++b) {
            std::uint64_t errors = 0, wanted = 0, most = 0;
            for (std::size_t j = 0; j < 10; ++j) errors += l.error.test(t, b, j) ? 1U : 0U;
            for (std::size_t converter = 0; converter < 16; ++converter) {
                std::uint64_t n = 0;
                for (std::size_t i = 0; i < 8; ++i) n += l.wanted.test(t, b, converter * 8 + i) ? 1U : 0U;
                most = std::max(most, n);
                wanted += n;
            }
            if (errors == 0 || wanted == 0) continue;
            const std::uint64_t s = 2 * 8 * ((errors + 3) / 4);
            sets += s, conversions += s * wanted, steps += s * most;
        }
    const cores::CimCounters& c = arrays(*engine, "w2", Phase::Backward);
    EXPECT_EQ(c.sets, sets);
    EXPECT_EQ(c.conversions, conversions);
    EXPECT_EQ(c.adc_busy, steps);
    EXPECT_EQ(arrays(*engine, "w1", Phase::Backward).vectors, 0U) << "nobody wants errors of the input";
}

TEST(CimTraining, EachZeroCanBeKept) {
    const arch::TrainingWork work = cells_work(false, {"rect", {}, 0.5}, false);
    const auto run = [&](const arch::SparsityRules& rules) {
        auto engine = make_cim_training_engine(cim_mesh(2), rules);
        engine->execute(work);
        return engine;
    };
    const auto all = run({S, S, S}), errors = run({S, S, D}), gated = run({G, G, G}), none = run({D, D, D});
    const auto conversions = [](const auto& e) { return arrays(*e, "w2", Phase::Backward).conversions; };
    EXPECT_LT(conversions(all), conversions(errors));
    EXPECT_LT(conversions(gated), conversions(none));
    EXPECT_LT(all->record().cycles, errors->record().cycles);
    EXPECT_LT(errors->record().cycles, none->record().cycles);
    EXPECT_EQ(gated->record().cycles, none->record().cycles) << "gating saves no time";
    EXPECT_EQ(events(none->record(), "w2", Phase::Backward, &TrainingCounters::array_mac),
              golden_counts("mlp_rect_hard_nodetach")["bwd_l2_mac_dense"]);
}

/// Without the second set of converters rows are read one by one and multiplied on the lanes.
TEST(CimTraining, RowsAreReadWhereArraysAreNotTransposable) {
    const arch::TrainingWork work = cells_work(false, {"rect", {}, 0.5}, false);
    arch::ChipSpec chip = cim_mesh(1);
    support::cim_of(chip.core).training.transposable = false;
    const auto engine = make_cim_training_engine(chip, {S, S, S});
    engine->execute(work);
    const arch::LinearWork& l = work.linear[1];
    std::uint64_t rows = 0;
    for (std::size_t t = 0; t < work.steps; ++t)
        for (std::size_t b = 0; b < work.batch; ++b)
            if (l.error.ones(t, b) != 0) rows += l.wanted.ones(t, b);
    const cores::CimCounters& c = arrays(*engine, "w2", Phase::Backward);
    EXPECT_EQ(c.sets, rows);
    EXPECT_EQ(c.conversions, rows * 20);
    EXPECT_EQ(events(engine->record(), "w2", Phase::Backward, &TrainingCounters::mac),
              golden_counts("mlp_rect_hard_nodetach")["bwd_l2_mac_dual_sparse"]);
    EXPECT_EQ(events(engine->record(), "w2", Phase::Backward, &TrainingCounters::array_mac), 0U);
}

}  // namespace
}  // namespace loom::training
