// SPDX-License-Identifier: Apache-2.0
// Training in place in arrays: operations, conversions, cycles and pulses are those that the activity asks
// for.
#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <bit>
#include <fstream>

#include "base/error.hpp"
#include "cores/cim/pulse_update.hpp"
#include "tests/support/core_kinds.hpp"
#include "tests/support/golden_network.hpp"
#include "tests/unit/training/cim_chips.hpp"
#include "training/learn/work_recorder.hpp"
#include "training/many_core/cim_arithmetic.hpp"
#include "training/many_core/make_many_core.hpp"

namespace loom::training {
namespace {

using arch::ZeroRule;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;
constexpr ZeroRule S = ZeroRule::Skip, D = ZeroRule::Dense, G = ZeroRule::Gate;

nlohmann::json golden_counts(const std::string& name) {
    std::ifstream file(learn::GoldenNetwork::folder() + "summary.json");
    return nlohmann::json::parse(file)[name]["op_counts"];
}

std::uint32_t item_of(const EngineRecord& record, const std::string& layer) {
    for (std::uint32_t i = 0; i < record.layers.size(); ++i)
        if (record.layers[i].name == layer) return i;
    ADD_FAILURE() << "no layer " << layer;
    return 0;
}
std::uint64_t events(const EngineRecord& record, const std::string& layer, Phase phase, TrainingEvent event) {
    return record.layers[item_of(record, layer)].phases[static_cast<std::size_t>(phase)].counts[event];
}
const cores::CimCounters& arrays(const ManyCoreEngine& e, const std::string& layer, Phase phase) {
    return *e.arithmetic().array_counters(item_of(e.record(), layer), phase);
}

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

/// Cycles add nothing to the numbers: functional weights bit for bit.
TEST(CimTraining, WeightsAreThoseOfTheFunctionalRun) {
    const auto functional = cells_trainer(false, {"triangle", {}, 1}, true),
               timed = cells_trainer(false, {"triangle", {}, 1}, true);
    const auto engine = make_cim_training_engine(cim_mesh(2), {S, S, S});
    for (std::size_t k = 0; k < 3; ++k) {
        const auto [x, y] = learn::GoldenNetwork::minibatch(k);
        functional->step(x, y);
        timed->step(x, y);
        engine->execute(learn::collect_work(*timed));
    }
    for (const char* name : {"w1", "w2"})
        EXPECT_EQ(functional->network().find(name)->layer->parameters()[0].value,
                  timed->network().find(name)->layer->parameters()[0].value);
}

TEST(CimTraining, DoesNotDependOnTheOrderOfEvaluation) {
    const arch::TrainingWork work = cells_work(true, {"triangle", {}, 1}, true);
    const auto plain = make_cim_training_engine(cim_mesh(3), {S, S, S}),
               shuffled = make_cim_training_engine(cim_mesh(3), {S, S, S});
    shuffled->shuffle(7);
    plain->execute(work);
    shuffled->execute(work);
    EXPECT_EQ(plain->record().cycles, shuffled->record().cycles);
    EXPECT_EQ(plain->network_counters().flit_hops(), shuffled->network_counters().flit_hops());
    std::uint64_t sum = 0;
    for (std::uint32_t i = 0; i < plain->record().layers.size(); ++i)
        for (std::size_t p = 0; p < kPhases; ++p) {
            sum += plain->record().layers[i].phases[p].cycles;
            EXPECT_EQ(plain->record().layers[i].phases[p].counts,
                      shuffled->record().layers[i].phases[p].counts);
            const auto words = [&](const ManyCoreEngine& e) {
                return std::bit_cast<std::array<std::uint64_t, sizeof(cores::CimCounters) / 8>>(
                    *e.arithmetic().array_counters(i, static_cast<Phase>(p)));
            };
            EXPECT_EQ(words(*plain), words(*shuffled));
        }
    EXPECT_EQ(sum, plain->record().cycles) << "every cycle belongs to one layer and phase";
}

TEST(CimTraining, RefusesWhatCannotBe) {
    const auto refused = [](auto change, const char* message) {
        arch::ChipSpec chip = cim_mesh(1);
        change(chip.core);
        EXPECT_THAT([&] { make_cim_training_engine(chip, {}); },
                    ThrowsMessage<ConfigError>(HasSubstr(message)));
    };
    refused([](auto& c) { support::cim_of(c).weights.weight_bits = 8; }, "core.cim.weights.weight_bits: ");
    refused([](auto& c) { support::cim_of(c).weights.encoding = arch::CimEncoding::Offset; },
            "core.cim.weights.encoding: ");
    refused([](auto& c) { support::cim_of(c).array.type = arch::CimType::Flash; }, "core.cim.array.type: ");
    refused([](auto& c) { c.kind = "near_memory"; }, "core.kind: ");
    refused([](auto& c) { support::cim_of(c).rows.rows_parallel = 999; }, "core.cim.rows.rows_parallel: ");
    EXPECT_THROW(make_near_memory_training_engine(cim_mesh(1), {}), ConfigError);

    arch::TrainingWork work = cells_work(false, {"triangle", {}, 1}, true);
    arch::ChipSpec few = cim_mesh(1);
    support::cim_of(few.core).arrays = 1;
    EXPECT_THAT([&] { make_cim_training_engine(few, {})->execute(work); },
                ThrowsMessage<MappingError>(HasSubstr("arrays of a core: need 2, have 1")));
    support::cim_of(few.core).arrays = 2;
    EXPECT_THAT([&] { make_cim_training_engine(few, {})->execute(work); },
                ThrowsMessage<MappingError>(HasSubstr("arrays of all cores")));
    arch::ChipSpec small = cim_mesh(1);
    small.core.synapse.memory = 8192;
    EXPECT_THAT([&] { make_cim_training_engine(small, {})->execute(work); },
                ThrowsMessage<MappingError>(HasSubstr("training memory")));
    work.linear[1].cells = {};
    EXPECT_THAT([&] { make_cim_training_engine(cim_mesh(1), {})->execute(work); },
                ThrowsMessage<UnsupportedError>(HasSubstr("w2 has no cells")));
}

}  // namespace
}  // namespace loom::training
