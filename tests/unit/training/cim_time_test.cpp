// SPDX-License-Identifier: Apache-2.0
// Training in place in arrays: cycles of reads, and the pulses and wear of updates.
#include <gmock/gmock.h>

#include <algorithm>
#include <array>
#include <bit>

#include "cores/cim/pulse_update.hpp"
#include "tests/unit/training/cim_records.hpp"

namespace loom::training {
namespace {

using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

/// T = (G - 1) II + ..., II = t_wl + t_rd + t_sh while converters are faster: sets of a vector follow each
/// other.
TEST(CimTraining, ForwardTimeOfADenseLayer) {
    arch::TrainingWork work = one_layer(16, 8, 1);
    for (std::size_t i = 0; i < 13; ++i) work.linear[0].input.set(0, 0, i);
    const auto forward = [&](std::uint64_t rows_parallel, std::uint64_t settle) {
        arch::ChipSpec chip = cim_mesh(1);
        support::cim_of(chip.core).rows.rows_parallel = rows_parallel;
        support::cim_of(chip.core).timing.t_rd = std::to_string(settle);
        const auto engine = make_cim_training_engine(chip, {S, S, S});
        engine->execute(work);
        std::uint64_t cycles = 0;
        for (const LayerRecord& l : engine->record().layers)
            cycles += l.phases[static_cast<std::size_t>(Phase::Forward)].cycles;
        return cycles;
    };
    const std::uint64_t one_set = forward(13, 40);
    for (const std::uint64_t parallel : {7U, 4U, 2U, 1U}) {
        const std::uint64_t sets = (13 + parallel - 1) / parallel;
        EXPECT_EQ(forward(parallel, 40) - one_set, (sets - 1) * (1 + 40 + 1)) << parallel;
        EXPECT_EQ(forward(parallel, 41) - forward(parallel, 40), sets) << parallel;
    }
    work.linear[0].input = arch::BitSignal(1, 1, 16);
    EXPECT_EQ(forward(1, 40), forward(1, 400)) << "no spike, no read";
}

/// With two spike registers the packets of the next timestep are taken while the arrays read this one's.
TEST(CimTraining, PacketsComeWhileArraysRead) {
    arch::TrainingWork work = one_layer(16, 8, 3);
    for (std::size_t t = 0; t < 3; ++t)
        for (std::size_t i = 0; i < 13; ++i) work.linear[0].input.set(t, 0, i);
    const auto run = [&](bool two) {
        arch::ChipSpec chip = cim_mesh(1);
        support::cim_of(chip.core).rows.double_buffer = two;
        const auto engine = make_many_core_training_engine(chip, {S, S, S});
        engine->execute(work);
        return engine->record();
    };
    const EngineRecord one = run(false), two = run(true);
    EXPECT_LT(two.cycles, one.cycles);
    for (std::size_t i = 0; i < one.layers.size(); ++i)
        for (std::size_t p = 0; p < kPhases; ++p)
            EXPECT_EQ(one.layers[i].phases[p].counts, two.layers[i].phases[p].counts);
}

TEST(CimTraining, UpdateGoesRowByRow) {
    arch::CimSpec s = support::cim_of(cim_mesh(1).core);
    s.write.t_pulse = "10";
    s.array.rows = 2, s.array.cols = 4;
    s.rows.rows_parallel = 2;
    s.adc.adc_share = 4;
    const cores::CimShape shape = cores::cim_shape(s, 3, 3, 1000);  // 2 x 2 arrays
    ASSERT_EQ(shape.arrays(), 4U);
    // [row][output][+, -]: row 0: most SET 3, most RESET 2 in the first array; 1 SET in the second; row 1:
    // none, 4 RESET; row 2: 5 SET in an array of its own
    const std::vector<std::int32_t> pulses{3, 0, -2, 1, 1, 0,   //
                                           0, 0, 0,  0, 0, -4,  //
                                           5, 0, 0,  0, 0, 0};
    const std::vector<double> nS(18, 2000);
    cores::CimCounters c;
    EXPECT_EQ(cores::update_in_place(s, shape, nS, pulses, c),
              std::max({(3 + 2) * 10, (1 + 4) * 10, 5 * 10}));
    EXPECT_EQ(c.write_pulses, 16U);
    EXPECT_EQ(c.set_energy, (3 + 1 + 1 + 5) * 2000U);
    EXPECT_EQ(c.reset_energy, (2 + 4) * 2000U);
    EXPECT_EQ(c.half_select, 0U);
    EXPECT_EQ(c.verify_reads, 0U);
    s.write.verify = true;
    s.write.t_verify = "3";
    cores::CimCounters verified;
    const std::vector<std::int32_t> one{0, 0, 0, 0, 2, -7,  //
                                        0, 0, 0, 0, 0, 0,   //
                                        0, 0, 0, 0, 0, 0};
    EXPECT_EQ(cores::update_in_place(s, cores::cim_shape(s, 3, 3, 1000), nS, one, verified), 9 * 13U);
    EXPECT_EQ(verified.verify_reads, 9U);
}

/// 2 x 2 cells: every pulse half-selects the others of its row and column.
TEST(CimTraining, HalfSelectedNeighboursOfPassiveArrays) {
    arch::CimSpec s = support::cim_of(cim_mesh(1).core);
    s.array.type = arch::CimType::RramXbar;
    s.rows.row_select = arch::CimRowSelect::GroupsSkip;
    const cores::CimShape shape = cores::cim_shape(s, 2, 1, 1000);
    const std::vector<double> nS{1000, 2000, 3000, 4000};
    const std::vector<std::int32_t> pulses{3, 0, 0, -2};
    cores::CimCounters c;
    cores::update_in_place(s, shape, nS, pulses, c);
    EXPECT_EQ(c.set_energy, 3U * 1000);
    EXPECT_EQ(c.reset_energy, 2U * 4000);
    EXPECT_EQ(c.half_select, 3U * (2000 + 3000) + 2U * (3000 + 2000));
}

TEST(CimTraining, PulsesWearTheCells) {
    const auto trainer = cells_trainer(false, {"triangle", {}, 1}, true);
    const auto engine = make_cim_training_engine(cim_mesh(2), {S, S, S});
    std::uint64_t pulses = 0;
    std::vector<std::uint64_t> life;
    for (std::size_t k = 0; k < 2; ++k) {
        const auto [x, y] = learn::GoldenNetwork::minibatch(k);
        trainer->step(x, y);
        const arch::TrainingWork work = learn::collect_work(*trainer);
        engine->execute(work);
        const auto& p = work.linear[1].cells.pulses;
        life.resize(p.size());
        for (std::size_t i = 0; i < p.size(); ++i) {
            life[i] += static_cast<std::uint64_t>(std::abs(p[i]));
            pulses += static_cast<std::uint64_t>(std::abs(p[i]));
        }
    }
    ASSERT_GT(pulses, 0U);
    EXPECT_EQ(events(engine->record(), "w2", Phase::WeightUpdate, &TrainingCounters::pulses), pulses);
    EXPECT_EQ(arrays(*engine, "w2", Phase::WeightUpdate).write_pulses, pulses);
    EXPECT_EQ(dynamic_cast<const CimArithmetic&>(engine->arithmetic()).most_pulses()[1],
              *std::ranges::max_element(life));
}

}  // namespace
}  // namespace loom::training
