// SPDX-License-Identifier: Apache-2.0
// Laws of cycles and memory that hold for every work and chip: nothing is lost or counted twice.
#include <gmock/gmock.h>

#include "base/error.hpp"
#include "tests/unit/training/law_works.hpp"

namespace loom::training {
namespace {

using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

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

}  // namespace
}  // namespace loom::training
