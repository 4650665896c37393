// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <random>
#include <sstream>

#include "base/error.hpp"
#include "sim/report/energy_ledger.hpp"
#include "sim/report/fail_if.hpp"
#include "sim/report/report.hpp"
#include "tests/support/core_kinds.hpp"

namespace loom::stats {
namespace {

const EventList& event_list() {
    static const EventList events(support::core_kinds());
    return events;
}

arch::ChipSpec priced_chip() {
    arch::ChipSpec chip{support::core_kinds()};
    chip.clock.period = 2000;  // 2 ns
    chip.noc.size = {2, 2};
    chip.energy.name = "test";
    for (const EventInfo& e : event_list()) {
        if (e.priced) chip.energy.unpriced[family_of(e.name)] = "free";
    }
    const auto price = [&](const char* name, double pj, const char* category) {
        chip.energy.unpriced.erase(name);
        arch::PriceSpec p;
        p.value = pj;
        p.category = category;
        p.source = "by hand";
        chip.energy.actions[name] = p;
    };
    price("dendrite.ac", 0.5, "compute");
    price("dendrite.mac", 2, "compute");
    price("synapse.word_reads", 10, "memory");
    price("noc.link_x", 3, "noc");
    price("axon_in.packets", 0.25, "control");
    price("barrier.barriers", 7, "control");
    arch::LeakageSpec leak;
    leak.value = 5;  // mW
    leak.source = "by hand";
    chip.energy.leakage["core"] = leak;
    leak.value = 1;
    chip.energy.leakage["chip"] = leak;
    return chip;
}

arch::Program small_program() {
    arch::Program p;
    p.layers.resize(2);
    p.layers[0].name = "in";
    p.layers[0].kind = "Input";
    p.layers[0].is_input = true;
    p.layers[0].count = 4;
    p.layers[1].name = "out";
    p.layers[1].kind = "LIF";
    p.layers[1].count = 10;
    p.layers[1].ann_macs = 40;
    p.output = LayerId{1};
    p.projections.resize(1);
    p.projections[0].target = LayerId{1};
    p.projections[0].dense_flops = 40;
    return p;
}

RunRecord small_record() {
    RunRecord r;
    r.samples = 2;
    r.timesteps = 5;
    r.chip_steps = 6;
    r.labelled = 2;
    r.correct = 1;
    r.total_cycles = 1000;
    r.barriers = 12;
    r.input_events = 8;
    r.cycles_per_sample = {400, 600};
    r.predictions = {3, 4};
    r.offchip_mac = {0, 10};
    CoreLayerRecord c;
    c.endpoint = 3;
    c.layer = 1;
    c.counters.common.ac = 100;
    c.counters.common.mac = 20;
    c.counters.common.words_read = 7;
    c.counters.common.packets_in = 40;
    c.counters.common.spikes = 6;
    r.cores = {c};
    r.noc.resize(1);
    r.noc[0].links[noc::kLinkX] = 11;
    r.noc[0].packets = 5;
    r.steps.resize(6);
    return r;
}

TEST(Energy, ByHand) {
    const auto chip = priced_chip();
    const auto j = make_stats(small_record(), chip, small_program());
    EXPECT_DOUBLE_EQ(j["energy"]["compute_pj"].get<double>(), 100 * 0.5 + 20 * 2);
    EXPECT_DOUBLE_EQ(j["energy"]["memory_pj"].get<double>(), 70);
    EXPECT_DOUBLE_EQ(j["energy"]["noc_pj"].get<double>(), 33);
    EXPECT_DOUBLE_EQ(j["energy"]["control_pj"].get<double>(), 40 * 0.25 + 12 * 7);
    // 1000 cycles of 2 ns = 2 us; 4 cores of 5 mW and 1 mW: 21 mW * 2 us = 42 nJ
    EXPECT_DOUBLE_EQ(j["energy"]["leakage_pj"].get<double>(), 42000);
    EXPECT_DOUBLE_EQ(j["energy"]["total_pj"].get<double>(), 90 + 70 + 33 + 94 + 42000);
    EXPECT_DOUBLE_EQ(j["estimate"]["paper_pj"].get<double>(), 0.9 * 100 + 4.6 * 30);
    EXPECT_DOUBLE_EQ(j["estimate"]["rate_pj"].get<double>(), 0.9 * 40 * (8.0 / 40) * 10);
    EXPECT_DOUBLE_EQ(j["estimate"]["ann_pj"].get<double>(), 4.6 * 80);
    EXPECT_DOUBLE_EQ(j["time"]["simulated_s"].get<double>(), 2e-6);
    EXPECT_EQ(j["accuracy"], 0.5);
    EXPECT_EQ(j["cycles"]["per_sample_mean"], 500.0);
    EXPECT_EQ(j["noc"]["flit_hops"], 11);
    EXPECT_EQ(j["cores_used"], 1);
    EXPECT_DOUBLE_EQ(j["layers"][1]["energy"]["total_pj"].get<double>(), 90 + 70 + 10);
    EXPECT_DOUBLE_EQ(j["layers"][0]["energy"]["noc_pj"].get<double>(), 33);
}

TEST(Energy, NothingIsLostOrCountedTwice) {
    std::mt19937_64 rng(1);
    arch::ChipSpec chip = priced_chip();
    chip.noc.size = {3, 2};
    chip.energy.leakage.clear();
    chip.energy.unpriced.clear();
    for (const EventInfo& e : event_list()) {
        arch::PriceSpec p;
        p.value = static_cast<double>(rng() % 1000) / 7;
        p.category = std::string(kCategories[rng() % 4]);
        chip.energy.actions[e.name] = p;
    }
    RunRecord r;
    r.total_cycles = 1;
    r.host_packets = rng() % 1000;
    r.barriers = rng() % 1000;
    std::map<std::string, std::uint64_t> counted;
    counted["host.packets"] = r.host_packets;
    counted["barrier.barriers"] = r.barriers;
    const auto fill = [&](const char* name, std::uint64_t& v, bool, const char*) {
        v = rng() % 100000;
        counted[name] += v;
    };
    for (std::uint32_t core = 0; core < 5; ++core) {
        for (std::uint32_t layer = 0; layer < 3; ++layer) {
            CoreLayerRecord c{core, layer, {}};
            fields(fill, c.counters.common);
            r.cores.push_back(c);
        }
    }
    r.noc.resize(3);
    for (auto& n : r.noc) fields(fill, n);
    const Ledger ledger = compute_energy(r, ChipPrices(chip), StaticPower(chip));
    std::map<std::string, std::uint64_t> found;
    double by_event = 0;
    for (const Leaf& l : ledger.leaves) found[event_list()[l.event].name] += l.count;
    for (const auto& [name, count] : counted) {
        EXPECT_EQ(found[name], count) << name;
        by_event += static_cast<double>(count) * chip.energy.actions[name].value.pj;
    }
    const double total = ledger.total().total();
    double by_layer = ledger.sum([](const Leaf& l) { return l.layer == Leaf::kNoLayer; }).total();
    for (std::uint32_t i = 0; i < 3; ++i)
        by_layer += ledger.sum([&](const Leaf& l) { return l.layer == i; }).total();
    double by_core = ledger.sum([](const Leaf& l) { return l.core == Leaf::kNoCore; }).total();
    for (std::uint32_t i = 0; i < 5; ++i)
        by_core += ledger.sum([&](const Leaf& l) { return l.core == i; }).total();
    EXPECT_NEAR(by_event / total, 1, 1e-12);
    EXPECT_NEAR(by_layer / total, 1, 1e-12);
    EXPECT_NEAR(by_core / total, 1, 1e-12);
}

TEST(Prices, EveryMistakeIsNamed) {
    const auto message = [](auto change) {
        arch::ChipSpec chip = priced_chip();
        change(chip.energy);
        try {
            check_prices(chip);
        } catch (const ConfigError& e) {
            return std::string(e.what());
        }
        return std::string("accepted");
    };
    using E = arch::EnergySpec&;
    EXPECT_EQ(message([](E) {}), "accepted");
    EXPECT_EQ(message([](E e) { e.actions["dendrite.acc"] = e.actions["dendrite.ac"]; }),
              "energy.actions.dendrite.acc: no such event; did you mean 'dendrite.ac'?");
    EXPECT_EQ(message([](E e) { e.actions["dendrite.ac"].category = "memroy"; }),
              "energy.actions.dendrite.ac.category: unknown 'memroy'; did you mean 'memory'?");
    EXPECT_EQ(message([](E e) { e.actions["dendrite.ac"].grade = "guessed"; }),
              "energy.actions.dendrite.ac.grade: unknown 'guessed'; expected one of 'measured', 'simulated', "
              "'derived', 'assumed'");
    EXPECT_EQ(message([](E e) { e.unpriced["dendrite.ac"] = "x"; }),
              "energy.unpriced.dendrite.ac: has a price as well");
    EXPECT_EQ(message([](E e) { e.unpriced["noc.hops"] = "x"; }).substr(0, 42),
              "energy.unpriced.noc.hops: no such event; e");
    EXPECT_EQ(message([](E e) { e.leakage["cores"] = {}; }),
              "energy.leakage.cores: unknown 'cores'; did you mean 'core'?");
    EXPECT_EQ(message([](E e) { e.unpriced.erase("soma.spikes"); }),
              "energy.actions.soma.spikes: missing; give it a price, or a reason under energy.unpriced "
              "(spikes fired)");
}

TEST(Record, PartsAddUpAndSurviveTheWire) {
    const RunRecord a = small_record();
    RunRecord whole;
    whole.cycles_per_sample.resize(4);
    whole.predictions.resize(4);
    whole.add(deserialise(serialise(a)), 0, 2);
    whole.add(deserialise(serialise(a)), 1, 2);
    EXPECT_EQ(whole.samples, 4u);
    EXPECT_EQ(whole.cores.size(), 1u);
    EXPECT_EQ(whole.cores[0].counters.common.ac, 200u);
    EXPECT_EQ(whole.noc[0].links[noc::kLinkX], 22u);
    EXPECT_EQ(whole.offchip_mac[1], 20u);
    EXPECT_THAT(whole.cycles_per_sample, ::testing::ElementsAre(400, 400, 600, 600));
    EXPECT_THAT(whole.predictions, ::testing::ElementsAre(3, 3, 4, 4));
    const std::string bytes = serialise(a);
    EXPECT_EQ(serialise(deserialise(bytes)), bytes);
    for (std::size_t n = 0; n < bytes.size(); n += 5)
        EXPECT_THROW(deserialise(bytes.substr(0, n)), InternalError);
}

TEST(Checks, Grammar) {
    const auto j = make_stats(small_record(), priced_chip(), small_program());
    EXPECT_TRUE(FailIf("samples == 2").fails(j));
    EXPECT_FALSE(FailIf("samples!=2").fails(j));
    EXPECT_TRUE(FailIf(" energy.noc_pj >= 33 ").fails(j));
    EXPECT_FALSE(FailIf("energy.noc_pj > 33").fails(j));
    EXPECT_TRUE(FailIf("layers[1].ops.ac <= 1e2").fails(j));
    EXPECT_TRUE(FailIf("accuracy < 0.51").fails(j));
    for (const char* bad :
         {"", "samples", "samples >", "> 3", "samples = 3", "samples > x", "samples > 3 4"}) {
        EXPECT_THROW(FailIf{bad}, Error) << bad;
    }
    for (const char* bad :
         {"sample > 1", "layers[7].ops.ac > 1", "layers > 1", "chip > 1", "energy.x.y > 1"}) {
        EXPECT_THROW(FailIf(bad).fails(j), Error) << bad;
    }
}

TEST(Report, TablesKeepTheirWidth) {
    arch::Program program = small_program();
    program.layers[1].name = "a layer with a very long name, and a comma";
    RunRecord r = small_record();
    r.cores[0].counters.common.ac = 123456789012345ull;
    r.total_cycles = 98765432109876ull;
    const auto j = make_stats(r, priced_chip(), program);
    std::stringstream table(summary_table(j, "chip"));
    for (std::string line; std::getline(table, line);) EXPECT_LE(line.size(), 120u) << line;
    std::stringstream csv(layers_csv(j));
    std::string header, row;
    std::getline(csv, header);
    int rows = 0;
    while (std::getline(csv, row)) ++rows;
    EXPECT_EQ(rows, 2);
    EXPECT_EQ(human_energy(1234567), "1.23 uJ");
    EXPECT_EQ(human_energy(0), "0.00 pJ");
    EXPECT_EQ(human_time(2.5e-4), "250 us");
    std::stringstream text(stats_text(j, event_list()));
    bool found = false;
    for (std::string line; std::getline(text, line);) {
        if (line.rfind("cycles.total ", 0) == 0)
            found =
                line.find("98765432109876  # simulated time of all inferences (cycles)") != std::string::npos;
    }
    EXPECT_TRUE(found);
    const arch::ChipSpec chip = priced_chip();
    EXPECT_NE(energy_yaml(RunAccount(r, chip, program))
                  .find("dendrite.ac:\n      count: 123456789012345\n      price: 0.5 pJ"),
              std::string::npos);
}

}  // namespace
}  // namespace loom::stats
