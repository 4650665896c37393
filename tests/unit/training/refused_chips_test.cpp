// SPDX-License-Identifier: Apache-2.0
// Training chips that cannot be.
#include <gmock/gmock.h>

#include "base/error.hpp"
#include "tests/unit/training/law_works.hpp"

namespace loom::training {
namespace {

using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

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
