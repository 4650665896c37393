// SPDX-License-Identifier: Apache-2.0
// Training in place in arrays: weights, order of evaluation, and what is refused.
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
