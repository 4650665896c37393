// SPDX-License-Identifier: Apache-2.0
// Prices per bit, mm and direction, leakage of links, and Accelergy's tables.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <random>

#include "base/config/reader.hpp"
#include "base/error.hpp"
#include "sim/report/energy_ledger.hpp"
#include "sim/report/energy_report.hpp"
#include "sim/report/ert.hpp"
#include "tests/support/core_kinds.hpp"

namespace loom::stats {
namespace {

using ::testing::HasSubstr;
using Per = EnergyPrice::Per;

void price(arch::ChipSpec& chip, const std::string& event, EnergyPrice value, const char* category = "noc") {
    arch::PriceSpec p;
    p.value = value;
    p.category = category;
    p.source = "by hand";
    chip.energy.actions[event] = p;
    chip.energy.unpriced.erase(event);
}

const EventList& event_list() {
    static const EventList events(support::core_kinds());
    return events;
}

arch::ChipSpec free_chip() {
    arch::ChipSpec chip{support::core_kinds()};
    chip.noc.size = {4, 3};
    for (const EventInfo& e : event_list()) {
        if (e.priced) chip.energy.unpriced[family_of(e.name)] = "free";
    }
    return chip;
}

std::size_t event(const std::string& name) {
    for (std::size_t i = 0; i < event_list().size(); ++i) {
        if (event_list()[i].name == name) return i;
    }
    ADD_FAILURE() << name;
    return 0;
}

template <class F>
std::string message(F f) {
    try {
        f();
    } catch (const Error& e) {
        return e.what();
    }
    return "accepted";
}

TEST(PriceTable, BitsAndLengthsAreMultipliedOut) {
    arch::ChipSpec chip = free_chip();
    chip.noc.flit_bits = 40;
    chip.noc.link_length = 0.24;
    chip.noc.link_length_y = 0.39;
    chip.noc.local_length = 0.1;
    price(chip, "noc.link_x", {0.3, Per::BitMm});
    price(chip, "noc.link_y", {0.3, Per::BitMm});
    price(chip, "noc.local", {1, Per::BitMm});
    price(chip, "noc.buffer_reads", {25, Per::Bit});
    price(chip, "noc.crossbar", 7);
    price(chip, "synapse.word_reads", {0.5, Per::Bit}, "memory");
    check_prices(chip);
    const PriceTable t(chip);
    EXPECT_DOUBLE_EQ(t[event("noc.link_x+")].pj, 0.3 * 40 * 0.24);
    EXPECT_DOUBLE_EQ(t[event("noc.link_x-")].pj, 0.3 * 40 * 0.24);
    EXPECT_DOUBLE_EQ(t[event("noc.link_y-")].pj, 0.3 * 40 * 0.39);
    EXPECT_DOUBLE_EQ(t[event("noc.local")].pj, 4);
    EXPECT_DOUBLE_EQ(t[event("noc.buffer_reads")].pj, 1000);
    EXPECT_DOUBLE_EQ(t[event("noc.crossbar")].pj, 7);
    EXPECT_DOUBLE_EQ(t[event("synapse.word_reads")].pj, 32);
    EXPECT_EQ(t[event("noc.link_y+")].formula, "300 fJ/bit/mm * 40 bits * 390 um");
    EXPECT_EQ(t[event("noc.buffer_reads")].formula, "25 pJ/bit * 40 bits");
    EXPECT_EQ(t[event("noc.crossbar")].formula, "");
}

TEST(PriceTable, ADirectionMayHaveItsOwnPrice) {
    arch::ChipSpec chip = free_chip();
    price(chip, "noc.link_x", 3);
    price(chip, "noc.link_x-", 5);
    chip.energy.unpriced["noc.link_y+"] = "not this way";
    price(chip, "noc.link_y", 4);
    check_prices(chip);
    const PriceTable t(chip);
    EXPECT_EQ(t[event("noc.link_x+")].pj, 3);
    EXPECT_EQ(t[event("noc.link_x-")].pj, 5);
    EXPECT_EQ(t[event("noc.link_y-")].pj, 4);
    EXPECT_EQ(t[event("noc.link_y+")].pj, 0);
    EXPECT_EQ(t[event("noc.link_y+")].reason, "not this way");
    noc::NocCounters c;
    c.links[noc::kLinkX] = 10;
    c.links[noc::kLinkXMinus] = 100;
    EXPECT_EQ(network_energy(c, 0, t, StaticPower(chip)).total().total(), 10 * 3 + 100 * 5);
}

TEST(PriceTable, MistakesAreNamed) {
    const auto with = [](auto change, PricedPart part = PricedPart::Chip) {
        arch::ChipSpec chip = free_chip();
        change(chip);
        return message([&] { check_prices(chip, part); });
    };
    using C = arch::ChipSpec&;
    EXPECT_EQ(with([](C) {}), "accepted");
    EXPECT_EQ(with([](C c) {
                  price(c, "noc.link_x", {0.3, Per::BitMm});
              }),
              "noc.link_length: missing; energy.actions.noc.link_x is a price per mm (300 fJ/bit/mm)");
    EXPECT_EQ(
        with([](C c) {
            price(c, "dendrite.ac", {0.3, Per::Bit}, "compute");
        }),
        "energy.actions.dendrite.ac.value: 300 fJ/bit is a price per bit, but the event has no fixed number "
        "of bits; price it per event");
    EXPECT_EQ(with([](C c) {
                  price(c, "noc.crossbar", {1, Per::BitMm});
              }),
              "energy.actions.noc.crossbar.value: 1 pJ/bit/mm is a price per mm, but the event has no "
              "length; price "
              "it per event or bit");
    EXPECT_EQ(
        with([](C c) { c.energy.unpriced.erase("noc.link_y"); }),
        "energy.actions.noc.link_y: missing; give it a price, or a reason under energy.unpriced (flits over "
        "a link in y)");
    EXPECT_EQ(with([](C c) { c.energy.unpriced["noc.link_q"] = "x"; }),
              "energy.unpriced.noc.link_q: no such event; did you mean 'noc.link_x'?");
    // what a chip cannot do needs no price: z on a 2-D mesh, a length for it
    EXPECT_EQ(with([](C c) { c.energy.unpriced.erase("noc.link_z"); }), "accepted");
    EXPECT_EQ(with([](C c) { price(c, "noc.link_z", {1, Per::BitMm}); }), "accepted");
    EXPECT_THAT(with([](C c) {
                    c.noc.size = {2, 2, 2};
                    c.energy.unpriced.erase("noc.link_z");
                }),
                HasSubstr("energy.actions.noc.link_z: missing"));
    EXPECT_THAT(with([](C c) {
                    c.noc.multicast.style = "table";
                    c.energy.unpriced.erase("noc.table_lookups");
                }),
                HasSubstr("energy.actions.noc.table_lookups: missing"));
    // a network alone needs no prices of cores
    EXPECT_EQ(with([](C c) { c.energy.unpriced.erase("soma.spikes"); }, PricedPart::Network), "accepted");
}

TEST(Leakage, CountsRoutersLinksAndBridges) {
    arch::ChipSpec chip = free_chip();  // 4 x 3 cores per chip
    chip.noc.chips.grid = {2, 1};
    chip.clock.period = 500;
    const auto leak = [&](const char* what, double mw, double per_cycle = 0) {
        chip.energy.leakage[what].value = mw;
        chip.energy.leakage[what].per_cycle = per_cycle;
    };
    leak("router", 2);
    leak("link", 0, 0.5);
    leak("bridge", 8);
    leak("core", 1);
    check_prices(chip);
    // 24 routers, a merger and a splitter; per chip 3 * 3 + 4 * 2 links, and 2 * 3 to the mergers
    const Inventory n(chip);
    EXPECT_EQ(n.routers, 26u);
    EXPECT_EQ(n.links, 40u);
    EXPECT_EQ(n.bridges, 1u);
    const Leakage l = network_energy({}, 1000, PriceTable(chip), StaticPower(chip)).leakage;
    // 1000 cycles of 500 ps: 500 pJ per mW
    EXPECT_DOUBLE_EQ(l.router_pj, 26 * 2 * 500);
    EXPECT_DOUBLE_EQ(l.link_pj, 40 * 0.5 * 1000);
    EXPECT_DOUBLE_EQ(l.bridge_pj, 8 * 500);
    EXPECT_EQ(l.core_pj, 0);  // of a network alone
    EXPECT_DOUBLE_EQ(compute_energy({}, ChipPrices(chip), StaticPower(chip)).leakage.core_pj, 0);
    EXPECT_DOUBLE_EQ(StaticPower(chip).over(1000).core_pj, 24 * 500);
    leak("link", 1, 1);
    EXPECT_EQ(message([&] { check_prices(chip); }),
              "energy.leakage.link.per_cycle: there is a power (value) as well");
}

/// Whatever is counted is in the priced list or in the free one, and the parts make the whole, to the bit.
TEST(NetworkEnergy, LeavesAddUpAndNothingIsLeftOut) {
    std::mt19937_64 rng(3);
    for (int trial = 0; trial < 50; ++trial) {
        arch::ChipSpec chip = free_chip();
        for (const EventInfo& e : event_list()) {
            // multiples of 1/8: sums are exact
            if (rng() % 2 == 0) price(chip, family_of(e.name), static_cast<double>(rng() % 64) / 8);
        }
        noc::NocCounters c;
        std::map<std::string, std::uint64_t> counted;
        fields(
            [&](const char* name, std::uint64_t& n, bool priced, const char*) {
                n = rng() % 100000;
                if (priced && n != 0) counted[name] = n;
            },
            c);
        const PriceTable prices(chip);
        const Ledger ledger = network_energy(c, 10, prices, StaticPower(chip));
        const auto events = events_json(ledger, prices), free = unpriced_json(ledger, prices);
        double sum = 0;
        for (const auto& [name, e] : events.items()) sum += e["pj"].get<double>();
        EXPECT_EQ(sum, ledger.total().total());
        for (const auto& [name, n] : counted) {
            ASSERT_EQ(events.contains(name) + free.contains(name), 1u) << name;
            EXPECT_EQ((events.contains(name) ? events : free)[name]["count"].get<std::uint64_t>(), n) << name;
        }
        // a chip whose cores did nothing pays the same
        RunRecord record;
        record.noc = {c};
        EXPECT_EQ(compute_energy(record, ChipPrices(chip), StaticPower(chip)).total().total(), sum);
    }
}

TEST(EnergyYaml, ShowsTheFormula) {
    arch::ChipSpec chip = free_chip();
    chip.noc.link_length = 0.24;
    price(chip, "noc.link_x", {0.3, Per::BitMm});
    noc::NocCounters c;
    c.links[noc::kLinkX] = 2;
    c.packets = 3;
    const PriceTable prices(chip);
    const std::string text = energy_yaml(network_energy(c, 0, prices, StaticPower(chip)), prices);
    EXPECT_THAT(text, HasSubstr("    noc.link_x+:\n      count: 2\n      price: 2.304 pJ\n"
                                "      formula: 300 fJ/bit/mm * 32 bits * 240 um\n      energy: 4.608 pJ\n"));
    EXPECT_THAT(text, HasSubstr("    noc.packets:\n      count: 3\n      unpriced: \"free\"\n"));
}

// ---- Accelergy -------------------------------------------------------------------------------------

const char* const kTable = R"(
ERT:
  version: '0.4'
  tables:
    - name: chip.tile.buffer[0..63]
      actions:
        - {name: write, arguments: {}, energy: 0.7}
        - {name: read, arguments: {}, energy: 0.5}
    - name: chip.tile.link_x[1..1]
      actions: [{name: transfer, arguments: null, energy: 1.5}]
    - name: chip.dendrite
      actions: [{name: ac, energy: 0.05}]
    - name: chip.shared_glb
      actions:
        - {name: read, energy: 32.4}
        - {name: update, energy: 26.2}
    - name: chip.router[1..64]
      actions: [{name: leak, energy: 0.005}]
)";

config::Node section(const std::string& table, const std::string& more) {
    config::Node root = config::load_text(table + more, "ert.yaml");
    config::Node whole = config::Node::make_map();
    whole.put("energy", std::move(root));
    return whole;
}

arch::EnergySpec read_ert(const std::string& table, const std::string& more) {
    config::Node root = section(table, more);
    expand_ert(root, "energy", support::core_kinds());
    return config::read<arch::EnergySpec>(*root.find("energy"), "energy");
}

const char* const kMap = "map: {shared_glb.read: synapse.word_reads, shared_glb.update: none}\n";

TEST(Ert, TablesBecomePrices) {
    const auto e = read_ert(kTable, std::string(kMap) +
                                        "actions: {noc.link_y: {value: 2 pJ, source: us}, "
                                        "noc.buffer_reads: {value: 9 pJ}}\n");
    EXPECT_EQ(e.actions.size(), 6u);
    EXPECT_EQ(e.actions.at("noc.buffer_writes").value, EnergyPrice(0.7));
    EXPECT_EQ(e.actions.at("noc.buffer_writes").category, "noc");
    EXPECT_EQ(e.actions.at("noc.buffer_writes").source, "ert.yaml: chip.tile.buffer[0..63], write");
    EXPECT_EQ(e.actions.at("noc.buffer_reads").value, EnergyPrice(9));  // ours goes first
    EXPECT_EQ(e.actions.at("noc.link_x").value, EnergyPrice(1.5));
    EXPECT_EQ(e.actions.at("dendrite.ac").category, "compute");
    EXPECT_EQ(e.actions.at("synapse.word_reads").value, EnergyPrice(32.4));
    EXPECT_EQ(e.actions.at("synapse.word_reads").category, "memory");
    EXPECT_EQ(e.actions.at("noc.link_y").source, "us");
    EXPECT_EQ(e.leakage.at("router").per_cycle, 0.005);
}

TEST(Ert, ComesFromAFileBesideTheOneThatNamesIt) {
    const std::string folder = ::testing::TempDir();
    std::ofstream(folder + "table.yaml") << kTable;
    std::ofstream(folder + "list.yaml") << "energy:\n  ert: table.yaml\n  " << kMap;
    std::ofstream(folder + "other.yaml") << "energy:\n  file: table.yaml\n  " << kMap;
    for (const char* name : {"list.yaml", "other.yaml"}) {
        config::Node root = config::load_tree(folder + name);
        expand_ert(root, "energy", support::core_kinds());
        const auto e = config::read<arch::EnergySpec>(*root.find("energy"), "energy");
        EXPECT_EQ(e.actions.size(), 5u) << name;
        EXPECT_EQ(e.ert, "");
    }
    config::Node none = config::load_text("energy: {ert: nothing.yaml}", "x.yaml");
    EXPECT_THAT(message([&] { expand_ert(none, "energy", support::core_kinds()); }),
                HasSubstr("nothing.yaml"));
}

TEST(Ert, MistakesHaveAPlaceAndTheNearestName) {
    const auto with = [](std::string from, const std::string& to, const std::string& more = kMap) {
        std::string table = kTable;
        table.replace(table.find(from), from.size(), to);
        return message([&] { read_ert(table, more); });
    };
    EXPECT_EQ(
        with("name: write", "name: wirte"),
        "ert.yaml:7:11: ERT.tables.chip.tile.buffer[0..63].wirte: 'buffer.wirte' is no event; did you mean "
        "'buffer.write'?; or name one in energy.map: {buffer.wirte: event} (`none`: not counted)");
    EXPECT_THAT(with("link_x[1..1]", "linkx[1..1]"), HasSubstr("did you mean 'link_x.transfer'?"));
    EXPECT_THAT(
        with("energy: 0.7", "energy: much"),
        HasSubstr("ert.yaml:7:48: ERT.tables.chip.tile.buffer[0..63].write.energy: expected a number of pJ "
                  ">= 0, got 'much'"));
    EXPECT_THAT(with("energy: 0.7", "energy: -1"), HasSubstr("expected a number of pJ >= 0"));
    EXPECT_THAT(with("energy: 0.7", "energy: [1]"),
                HasSubstr("expected a number of pJ >= 0, got a sequence"));
    EXPECT_THAT(with("energy: 0.7", "enrgy: 1"),
                HasSubstr("ert.yaml:7:11: ERT.tables.chip.tile.buffer[0..63].write: "
                          "expected a map with `energy`"));
    EXPECT_THAT(with("tables:", "tabels:"), HasSubstr("ERT: expected a map with `tables`"));
    EXPECT_THAT(with("name: chip.dendrite", "name: chip.tile.buffer"), HasSubstr("'buffer.ac' is no event"));
    EXPECT_THAT(with("name: read, arguments", "name: write, arguments"),
                HasSubstr("noc.buffer_writes has a price from this table already"));
    EXPECT_THAT(with("x", "x", ""), HasSubstr("'shared_glb.read' is no event"));
    EXPECT_THAT(with("x", "x", "map: {shared_glb.read: synapse.word_red, shared_glb.update: none}\n"),
                HasSubstr("energy.map.shared_glb.read: no such event; did you mean 'synapse.word_reads'?"));
    EXPECT_THAT(with("x", "x",
                     std::string("map: {shared_glb.read: none, shared_glb.update: none, glb.read: none}\n")),
                HasSubstr("energy.map.glb.read: the table has no such action"));
    EXPECT_THAT(message([&] { read_ert("ERT: 3\n", ""); }), HasSubstr("ERT: expected a map with `tables`"));
    EXPECT_THAT(message([&] { read_ert("ERT: {tables: {a: 1}}\n", ""); }),
                HasSubstr("expected a sequence of tables"));
}

}  // namespace
}  // namespace loom::stats
