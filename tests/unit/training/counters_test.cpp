// SPDX-License-Identifier: Apache-2.0
// Counters of training: one list of fields, and what is made from it.
#include "training/work/training_counters.hpp"

#include <gmock/gmock.h>

#include <map>
#include <set>

#include "arch/event_info.hpp"
#include "arch/price_words.hpp"
#include "base/error.hpp"

namespace loom::training {
namespace {

using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

TEST(TrainingCounters, TheListHasEveryCounterOnce) {
    TrainingCounters counters;
    std::set<std::string> names;
    std::size_t n = 0;
    fields(
        [&](const char* name, std::uint64_t& count, bool priced, const char* doc) {
            EXPECT_TRUE(names.insert(name).second) << name;
            EXPECT_TRUE(priced) << name;
            EXPECT_NE(std::string(doc), "") << name;
            count = ++n;
        },
        counters);
    EXPECT_EQ(n, sizeof(TrainingCounters) / sizeof(std::uint64_t));
    EXPECT_EQ(counters.ac, 1U);
    EXPECT_EQ(counters.array_mac, n);
    EXPECT_EQ(event_name(&TrainingCounters::square_root), "square_root");
    EXPECT_EQ(counters[&TrainingCounters::mac], counters.mac);
}

TEST(TrainingCounters, BitsAndLevelsOfEvents) {
    arch::TrainingBits bits;
    bits.weight = 3, bits.membrane = 5, bits.error = 7, bits.gradient = 11, bits.state = 13;
    std::map<std::string, std::pair<Level, std::uint64_t>> of;
    TrainingCounters counters;
    fields(
        [&](const char* name, std::uint64_t&, const TrainingCost& cost, const char*) {
            of[name] = {cost.level, cost.bits_of(bits)};
        },
        counters);
    EXPECT_EQ(of.at("mac"), std::pair(Level::Compute, std::uint64_t{1}));
    EXPECT_EQ(of.at("pad_read"), std::pair(Level::Pad, std::uint64_t{3}));
    EXPECT_EQ(of.at("weight_write"), std::pair(Level::Buffer, std::uint64_t{3}));
    EXPECT_EQ(of.at("spike_read"), std::pair(Level::Buffer, std::uint64_t{1}));
    EXPECT_EQ(of.at("membrane_read"), std::pair(Level::Buffer, std::uint64_t{5}));
    EXPECT_EQ(of.at("error_write"), std::pair(Level::Buffer, std::uint64_t{7}));
    EXPECT_EQ(of.at("gradient_read"), std::pair(Level::Buffer, std::uint64_t{11}));
    EXPECT_EQ(of.at("state_write"), std::pair(Level::Buffer, std::uint64_t{13}));
    EXPECT_EQ(of.at("dram_read"), std::pair(Level::Dram, std::uint64_t{8}));
    EXPECT_EQ(of.at("flits"), std::pair(Level::Network, std::uint64_t{1}));
}

TEST(PriceWords, EveryWordIsChecked) {
    const arch::PriceNames names{{"ac", "mac"}, {"chip"}};
    const auto with = [&](auto change) {
        arch::EnergySpec list;
        list.actions["ac"] = {};
        change(list);
        return [list, names] { check_price_words(list, "energy", names); };
    };
    EXPECT_NO_THROW(with([](arch::EnergySpec&) {})());
    const auto refuses = [&](auto change, const char* message) {
        EXPECT_THAT(with(change), ThrowsMessage<ConfigError>(HasSubstr(message)));
    };
    refuses([](arch::EnergySpec& e) { e.actions["acc"] = {}; }, "energy.actions.acc: no such event");
    refuses([](arch::EnergySpec& e) { e.actions["ac"].category = "computing"; },
            "energy.actions.ac.category");
    refuses([](arch::EnergySpec& e) { e.actions["ac"].grade = "guessed"; }, "energy.actions.ac.grade");
    refuses([](arch::EnergySpec& e) { e.actions["ac"].scope = "some"; }, "energy.actions.ac.scope");
    refuses([](arch::EnergySpec& e) { e.unpriced["ac"] = "free"; },
            "energy.unpriced.ac: has a price as well");
    refuses([](arch::EnergySpec& e) { e.unpriced["add"] = "free"; }, "energy.unpriced.add: no such event");
    refuses([](arch::EnergySpec& e) { e.leakage["chips"] = {}; }, "energy.leakage.chips");
    refuses([](arch::EnergySpec& e) { e.leakage["chip"].grade = "x"; }, "energy.leakage.chip.grade");
    refuses([](arch::EnergySpec& e) { e.leakage["chip"].value = e.leakage["chip"].per_cycle = 1; },
            "energy.leakage.chip.per_cycle");
}

}  // namespace
}  // namespace loom::training
