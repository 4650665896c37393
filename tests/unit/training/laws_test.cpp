// SPDX-License-Identifier: Apache-2.0
// Laws that hold for every work and chip: counts equal a brute force over pairs, nothing is lost or counted
// twice, and the known proportionalities.
#include <gmock/gmock.h>

#include "base/error.hpp"
#include "tests/unit/training/chips.hpp"
#include "tests/unit/training/random_work.hpp"
#include "training/accelerator/make_engine.hpp"

namespace loom::training {
namespace {

using arch::SparsityRules;
using arch::ZeroRule;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

constexpr ZeroRule D = ZeroRule::Dense, G = ZeroRule::Gate, S = ZeroRule::Skip;

EngineRecord run(const arch::TrainingWork& work, const arch::TrainingChip& chip, std::uint64_t shuffle = 0) {
    const auto engine = make_engine(chip);
    engine->shuffle(shuffle);
    engine->execute(work);
    return engine->record();
}
std::uint64_t events(const EngineRecord& r, Phase p, TrainingEvent e) {
    std::uint64_t n = 0;
    for (const LayerRecord& l : r.layers) n += l.phases[static_cast<std::size_t>(p)].counts[e];
    return n;
}
std::uint64_t matrix(const EngineRecord& r, Phase p) {
    return events(r, p, &TrainingCounters::ac) + events(r, p, &TrainingCounters::mac);
}
std::uint64_t phase_cycles(const EngineRecord& r, Phase p) {
    std::uint64_t n = 0;
    for (const LayerRecord& l : r.layers) n += l.phases[static_cast<std::size_t>(p)].cycles;
    return n;
}
std::uint64_t phase_cycles(const EngineRecord& r) {
    std::uint64_t n = 0;
    for (std::size_t p = 0; p < kPhases; ++p) n += phase_cycles(r, static_cast<Phase>(p));
    return n;
}
arch::LinearShape uneven() {
    arch::LinearShape s = conv_shape(7, 5, 21, 2);
    s.in_w = 9;
    s.out_w = 5;
    return s;
}
/// Two convolutions with stride and padding, a dense layer; nothing is a multiple of the array.
arch::TrainingWork conv_work(const RandomWork& r = {}) {
    arch::LinearShape second = conv_shape(4, 21, 18);
    second.in_w = second.out_w = 5;
    arch::LinearShape last;
    last.in_c = second.outputs();
    last.out_c = 10;
    return random_chain({uneven(), second, last}, r);
}

/// Windows of any kind: dilation, axes that differ, more padding behind than before, groups, depthwise.
arch::TrainingWork windows_work(const RandomWork& r = {}) {
    const auto outputs = [](arch::LinearShape s) {
        s.out_h = s.window.rows.outputs(s.in_h), s.out_w = s.window.columns.outputs(s.in_w);
        return s;
    };
    const arch::LinearShape first = outputs({.in_h = 9,
                                             .in_w = 7,
                                             .in_c = 6,
                                             .out_c = 70,
                                             .window = {{3, 2, 2, 1, 1}, {2, 1, 3, 0, 2}},
                                             .groups = 2});
    const arch::LinearShape depthwise = outputs({.in_h = first.out_h,
                                                 .in_w = first.out_w,
                                                 .in_c = 70,
                                                 .out_c = 140,
                                                 .window = {{3, 1, 1, 1, 1}, {1, 2}},
                                                 .groups = 70});
    const arch::LinearShape pointwise =
        outputs({.in_h = depthwise.out_h, .in_w = depthwise.out_w, .in_c = 140, .out_c = 18});
    arch::LinearShape last;
    last.in_c = pointwise.outputs();
    last.out_c = 10;
    arch::TrainingWork w = random_chain({first, depthwise, pointwise, last}, r);
    w.linear[1].bias = true;
    return w;
}

struct Brute {
    std::uint64_t forward = 0, backward = 0, gradient = 0;
};
/// Pairs one by one.
Brute brute_force(const arch::TrainingWork& w, const SparsityRules& rules) {
    Brute n;
    for (const arch::LinearWork& l : w.linear)
        for (std::size_t t = 0; t < w.steps; ++t)
            for (std::size_t b = 0; b < w.batch; ++b)
                each_pair(l.shape, [&](std::size_t q, std::size_t p, std::size_t) {
                    const std::size_t in = p * l.shape.in_c, out = q * l.shape.out_c;
                    for (std::size_t c = 0; c < l.shape.in_c; ++c) {
                        const bool s = rules.spikes == D || l.input.test(t, b, in + c);
                        const bool h =
                            rules.derivative == D || l.wanted.empty() || l.wanted.test(t, b, in + c);
                        for (std::size_t k = 0; k < l.shape.out_c; ++k) {
                            if (c * l.shape.groups / l.shape.in_c != k * l.shape.groups / l.shape.out_c)
                                continue;
                            const bool g = rules.errors == D || l.error.test(t, b, out + k);
                            n.forward += s;
                            n.backward += l.sends_error && g && h;
                            n.gradient += s && g;
                        }
                    }
                });
    return n;
}

std::vector<SparsityRules> all_rules() {
    std::vector<SparsityRules> rules;
    for (const ZeroRule s : {D, G, S})
        for (const ZeroRule g : {D, G, S})
            for (const ZeroRule h : {D, G, S}) rules.push_back({s, g, h});
    return rules;
}

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

TEST(TrainingLaws, AMacArrayRefusesToExploitZeros) {
    for (const SparsityRules& rules :
         {SparsityRules{S, D, D}, SparsityRules{D, G, D}, SparsityRules{D, D, S}}) {
        arch::TrainingChip chip = test_chip("mac_array");
        chip.sparsity = rules;
        const std::string key = rules.spikes != D ? "spikes" : rules.errors != D ? "errors" : "derivative";
        try {
            make_engine(chip);
            ADD_FAILURE();
        } catch (const ConfigError& e) {
            EXPECT_THAT(e.what(), ::testing::HasSubstr("sparsity." + key));
            EXPECT_THAT(e.what(), ::testing::HasSubstr("kind sata"));
        }
    }
}

TEST(TrainingLaws, EveryCycleOfEveryElementIsAccountedFor) {
    for (const arch::TrainingWork& work : {conv_work(), windows_work({.steps = 2, .batch = 3})})
        for (const char* kind : {"sata", "h2learn", "mac_array"})
            for (const SparsityRules& rules :
                 {SparsityRules{D, D, D}, SparsityRules{G, G, G}, SparsityRules{S, S, S}}) {
                arch::TrainingChip chip = test_chip(kind);
                if (chip.kind == "mac_array" && rules.spikes != D) continue;
                chip.sparsity = rules;
                if (chip.kind == "h2learn") {
                    chip.lut_inputs = 4;
                    chip.backward_array = chip.array;
                    chip.update_array = chip.array;
                }
                const EngineRecord r = run(work, chip);
                const std::uint64_t elements = chip.array.elements();
                for (const LayerRecord& l : r.layers)
                    for (const PhaseRecord& p : l.phases) {
                        EXPECT_EQ(p.cycles * elements,
                                  p.busy + p.gated + p.imbalance + p.stalled_memory * elements)
                            << kind << " " << l.name;
                        EXPECT_LE(p.busy, p.cycles * elements);
                    }
                std::uint64_t held = 0;
                for (const UnitRecord& u : r.units) {
                    EXPECT_EQ(u.held + u.waited, r.cycles) << kind << " " << u.name;
                    held += u.held;
                }
                EXPECT_EQ(held, phase_cycles(r)) << kind;
                if (r.units.size() == 1) {
                    EXPECT_EQ(phase_cycles(r), r.cycles) << kind;
                }
            }
}

TEST(TrainingLaws, OrderOfEvaluationChangesNothing) {
    const arch::TrainingWork work = conv_work();
    for (const char* kind : {"sata", "h2learn", "mac_array"}) {
        const arch::TrainingChip chip = test_chip(kind);
        const EngineRecord a = run(work, chip);
        for (const std::uint64_t seed : {1U, 2U, 3U}) {
            const EngineRecord b = run(work, chip, seed);
            EXPECT_EQ(a.cycles, b.cycles);
            for (std::size_t l = 0; l < a.layers.size(); ++l)
                for (std::size_t p = 0; p < kPhases; ++p) {
                    EXPECT_EQ(a.layers[l].phases[p].counts, b.layers[l].phases[p].counts);
                    EXPECT_EQ(a.layers[l].phases[p].cycles, b.layers[l].phases[p].cycles) << kind << l << p;
                    EXPECT_EQ(a.layers[l].phases[p].stalled_memory, b.layers[l].phases[p].stalled_memory);
                }
        }
    }
}

TEST(TrainingLaws, CyclesAreBoundedByWorkAndDenseCyclesByDenseWork) {
    const arch::TrainingWork work = conv_work();
    const SparsityRules dense{D, D, D}, gate{G, G, G}, skip{S, S, S};
    std::vector<std::uint64_t> cycles;
    for (const SparsityRules& rules : {dense, gate, skip}) {
        arch::TrainingChip chip = test_chip();
        chip.sparsity = rules;
        const EngineRecord r = run(work, chip);
        const Brute n = brute_force(work, rules);
        EXPECT_GE(r.cycles * 128, n.forward + n.backward + n.gradient);
        cycles.push_back(r.cycles);
    }
    EXPECT_GE(cycles[1] * 100,
              cycles[0] * 95);  // gating saves operations, hardly a cycle (fewer error words move)
    EXPECT_LT(cycles[2], cycles[1] / 2);
}

TEST(TrainingLaws, ForwardAcIsRateTimesSynapses) {
    for (const double rate : {0.0, 0.05, 0.3, 1.0}) {
        const arch::TrainingWork work = random_network({64, 48, 32}, {.spikes = rate});
        std::uint64_t want = 0;
        for (const arch::LinearWork& l : work.linear) want += l.input.ones() * l.shape.out_c;
        EXPECT_EQ(events(run(work, test_chip()), Phase::Forward, &TrainingCounters::ac), want);
    }
}

std::uint64_t membrane_bits(const EngineRecord& r) {
    return r.memory[0].peak_bits + r.memory[0].spilled_bits;
}

TEST(TrainingLaws, MembranesTakeStepsTimesBatch) {
    arch::TrainingChip chip = test_chip();
    chip.schedule.keep = arch::KeepRule::Membranes;
    const auto bits = [&](std::size_t steps, std::size_t batch) {
        chip.schedule.batch_block = batch;
        return membrane_bits(run(random_network({64, 100, 60}, {.steps = steps, .batch = batch}), chip));
    };
    const std::uint64_t step = 160 * 16;  // what one more timestep of a sample takes
    EXPECT_EQ(bits(8, 4) - bits(4, 4), 4 * 4 * step);
    EXPECT_EQ(bits(8, 12) - bits(4, 12), 4 * 12 * step);
    EXPECT_EQ(bits(4, 12) - bits(4, 8), bits(4, 8) - bits(4, 4));
    EXPECT_GE(bits(4, 8) - bits(4, 4), 4 * 4 * step);
    chip.schedule.keep = arch::KeepRule::Recompute;
    chip.schedule.order = arch::LoopOrder::Layer;
    const auto recomputed = [&](std::size_t steps) {
        return membrane_bits(run(random_network({64, 100, 60, 20}, {.steps = steps}), chip));
    };
    chip.schedule.batch_block = 4;
    EXPECT_LT(recomputed(8) - recomputed(4), 180U * 16 * 4 * 4 * 6 / 10);  // one layer's at a time
}

TEST(TrainingLaws, WithoutErrorsThroughTimeMemoryDoesNotGrowWithSteps) {
    const auto memory = [&](std::size_t steps, bool temporal) {
        arch::TrainingWork work = random_network({64, 100, 60}, {.steps = steps});
        work.temporal = temporal;
        const EngineRecord r = run(work, test_chip());
        std::uint64_t bits = 0;
        for (const MemoryUse& m : r.memory) bits += m.peak_bits + m.spilled_bits;
        return bits;
    };
    EXPECT_EQ(memory(4, false), memory(16, false));
    EXPECT_GT(memory(16, true), 2 * memory(4, true) - memory(4, false));
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

TEST(TrainingLaws, TablesGainOnlyAboveASpikeDensity) {
    /// Additions, and processing element x cycle, of forward with tables of 4 inputs against without.
    const auto gain = [](double spikes, auto of) {
        const arch::TrainingWork work = random_network({256, 256, 256}, {.batch = 16, .spikes = spikes});
        arch::TrainingChip chip = test_chip("h2learn");
        chip.buffers.push_back({"t", {"tables"}, 8 * 1024 * 1024, 8, 256});
        chip.buffers[1].capacity *= 4;
        chip.buffers[1].banks = 256;
        const auto second_step = [&] {  // weights and tables are there
            const auto engine = make_engine(chip);
            engine->execute(work);
            const auto first = of(engine->record());
            engine->execute(work);
            return static_cast<double>(of(engine->record()) - first);
        };
        const double plain = second_step();
        chip.lut_inputs = 4;
        return plain / second_step();
    };
    const auto additions = [](const EngineRecord& r) {
        return events(r, Phase::Forward, &TrainingCounters::ac) +
               events(r, Phase::WeightUpdate, &TrainingCounters::add);
    };
    const auto cycles = [](const EngineRecord& r) {
        return phase_cycles(r, Phase::Forward) + phase_cycles(r, Phase::WeightUpdate);
    };
    EXPECT_GT(gain(0.9, additions), 2.5);
    EXPECT_GT(gain(0.9, additions), gain(0.3, additions));
    EXPECT_GT(gain(0.3, additions), 1);
    EXPECT_LT(gain(0.05, additions), 1);
    EXPECT_LT(gain(0.01, additions), gain(0.05, additions));
    EXPECT_GT(gain(0.9, cycles), 1.3);
    EXPECT_LT(gain(0.01, cycles), 1);
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

TEST(TrainingLaws, SlowerMemoryStallsAndDoubleBuffersHide) {
    const arch::TrainingWork work = conv_work();
    arch::TrainingChip chip = test_chip();
    const std::uint64_t base = run(work, chip).cycles;
    arch::TrainingChip narrow = chip, slow = chip, single = chip, conflict = chip, wide = chip;
    narrow.buffers[1].banks = 4;
    slow.dram.bytes_per_cycle = 1;
    single.schedule.double_buffer = false;
    conflict.schedule.weight_layout = arch::WeightLayout::Linear;
    for (auto& b : wide.buffers) b.port = 4096;
    EXPECT_GT(run(work, narrow).cycles, base);
    EXPECT_GT(run(work, slow).cycles, base);
    EXPECT_GT(run(work, single).cycles, base);
    EXPECT_LT(run(work, wide).cycles, base);
    EXPECT_GE(run(work, conflict).cycles, base);
}

TEST(TrainingLaws, SpillsWhatDoesNotFitAndRefusesWhatCannotWork) {
    const arch::TrainingWork work = conv_work();
    arch::TrainingChip chip = test_chip();
    const EngineRecord fits = run(work, chip);
    EXPECT_EQ(fits.memory[3].spilled_bits, 0U);
    chip.buffers[3].capacity = 2 * 9 * 21 * 16 + 1000;
    const EngineRecord spills = run(work, chip);
    EXPECT_GT(spills.memory[3].spilled_bits, 0U);
    EXPECT_LE(spills.memory[3].peak_bits, chip.buffers[3].capacity);
    EXPECT_GT(events(spills, Phase::Backward, &TrainingCounters::dram_write),
              events(fits, Phase::Backward, &TrainingCounters::dram_write));
    EXPECT_GT(spills.cycles, fits.cycles);
    EXPECT_EQ(matrix(spills, Phase::Backward), matrix(fits, Phase::Backward));
    chip.buffers[3].capacity = 100;
    EXPECT_THAT([&] { run(work, chip); },
                ThrowsMessage<MappingError>(HasSubstr("z buffer, bits: need 6048, have 100")));
}

TEST(TrainingLaws, WrongChipsAreRefused) {
    arch::TrainingChip chip = test_chip("sato");
    EXPECT_THAT([&] { make_engine(chip); },
                ThrowsMessage<ConfigError>(HasSubstr("kind: unknown `sato`; did you mean 'sata'?")));
    chip = test_chip();
    chip.lut_inputs = 4;
    EXPECT_THAT([&] { make_engine(chip); }, ThrowsMessage<ConfigError>(HasSubstr("lut_inputs")));
    chip = test_chip();
    chip.buffers[0].holds = {"membrane"};
    EXPECT_THAT([&] { make_engine(chip); },
                ThrowsMessage<ConfigError>(HasSubstr("buffers[0].holds[0]: unknown `membrane`")));
    chip.buffers[0].holds = {};
    EXPECT_THAT([&] { make_engine(chip); },
                ThrowsMessage<ConfigError>(HasSubstr("buffers: none holds membranes")));
    chip = test_chip();
    chip.schedule.keep = arch::KeepRule::Recompute;
    EXPECT_THAT([&] { make_engine(chip); }, ThrowsMessage<ConfigError>(HasSubstr("schedule.keep")));
}

}  // namespace
}  // namespace loom::training
