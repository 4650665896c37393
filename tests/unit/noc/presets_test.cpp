// SPDX-License-Identifier: Apache-2.0
// The fabrics of configs/noc against the figures of their chips: times and energies of hops, rates, limits.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>

#include "base/config/reader.hpp"
#include "base/error.hpp"
#include "network_fixture.hpp"
#include "noc/multicast/sets.hpp"
#include "noc/routing/routing.hpp"
#include "sim/report/energy_ledger.hpp"
#include "tests/support/core_kinds.hpp"

namespace loom {
namespace {

using testing::NetworkFixture;

const std::string configs = std::string(LOOM_SOURCE_DIR) + "/configs/";

/// The network, clock and prices of a file for `spikeloom noc`, changed by `sets`.
arch::ChipSpec preset(const std::string& name,
                      const std::vector<std::pair<std::string, std::string>>& sets = {}) {
    config::Node root = config::load_tree(configs + "noc/" + name + ".yaml");
    for (const auto& [key, value] : sets) config::set(root, key, value);
    arch::ChipSpec chip{support::core_kinds()};
    chip.name = name;
    config::read_into(*root.find("clock"), "clock", chip.clock);
    config::read_into(*root.find("noc"), "noc", chip.noc);
    config::read_into(*root.find("energy"), "energy", chip.energy);
    stats::check_prices(chip, stats::PricedPart::Network);
    return chip;
}

/// Cycles and pJ of one packet in the empty network.
struct Trip {
    long cycles = 0;
    double pj = 0;
    std::uint64_t hops = 0;
};
class Traveller {
  public:
    explicit Traveller(const arch::ChipSpec& chip) : chip_(chip), prices_(chip_), power_(chip_), f_(chip_) {}
    Trip send(std::uint32_t from, std::uint32_t to) {
        const Cycle at = f_.scheduler.now() + 100000;
        const double before = energy();
        f_.arrivals.clear();
        f_.offer(at, from, to, 1, 1);
        f_.drain();
        if (f_.arrivals.size() != 1 || f_.arrivals[0].endpoint != to) return {};
        return {static_cast<long>(f_.arrivals[0].at - at), energy() - before, f_.arrivals[0].packet.hops};
    }
    NetworkFixture& fixture() { return f_; }

  private:
    double energy() const {
        noc::NocCounters sum;
        for (const auto& c : f_.network->counters()) sum = c;  // one tag
        return stats::network_energy(sum, 0, prices_, power_).total().total();
    }
    const arch::ChipSpec chip_;
    const stats::PriceTable prices_;
    const stats::StaticPower power_;
    NetworkFixture f_;
};

/// Packets per second that arrive when `from` cores send to `to` as fast as they can.
double rate(const arch::ChipSpec& chip, const std::vector<std::uint32_t>& from, std::uint32_t to,
            std::uint32_t packets) {
    NetworkFixture f(chip);
    for (std::uint32_t k = 0; k < packets; ++k) {
        for (const std::uint32_t e : from) f.offer(10, e, to + (e - from[0]), 1, k);
    }
    f.drain();
    const auto& a = f.arrivals;
    const std::size_t first = a.size() / 4, last = a.size() * 3 / 4;
    return static_cast<double>(last - first) /
           (static_cast<double>(a[last].at - a[first].at) * chip.clock.period) * 1e12;
}

// ---- Loihi (Davies et al. 2018, table 2) ----------------------------------------------------------

TEST(LoihiFabric, TimeAndEnergyOfEveryWay) {
    const arch::ChipSpec chip = preset("loihi");
    Traveller t(chip);
    const double ns = chip.clock.period / 1000;
    for (std::uint32_t a = 0; a < 128; a += 3) {
        for (std::uint32_t b = 0; b < 128; b += 5) {
            const double hx = std::abs(static_cast<int>(a / 4 % 8) - static_cast<int>(b / 4 % 8));
            const double hy = std::abs(static_cast<int>(a / 32) - static_cast<int>(b / 32));
            const Trip trip = t.send(a, b);
            // two units of the time base from the core to the router
            ASSERT_NEAR(static_cast<double>(trip.cycles - 2) * ns, 4.1 * hx + 6.5 * hy + 2.1, 1e-9)
                << a << " -> " << b;
            ASSERT_NEAR(trip.pj, 3.0 * hx + 4.0 * hy + 1.7, 1e-6) << a << " -> " << b;
        }
    }
}

TEST(LoihiFabric, ALinkCarriesThePublishedRate) {
    const arch::ChipSpec chip = preset("loihi");
    // four cores of a tile to the next tile, east and north: 290 ps per spike
    EXPECT_NEAR(rate(chip, {0, 1, 2, 3}, 4, 2000) / 3.44e9, 1, 0.005);
    EXPECT_NEAR(rate(chip, {0, 1, 2, 3}, 32, 2000) / 3.44e9, 1, 0.005);
}

TEST(LoihiFabric, TheChipHasTheSame) {
    const auto chip = support::read_chip(config::load_tree(configs + "chips/loihi.yaml"));
    const arch::ChipSpec alone = preset("loihi");
    const noc::Topology a = noc::make_topology(chip.noc, chip.clock.period, {0, 0});
    const noc::Topology b = noc::make_topology(alone.noc, alone.clock.period, {0, 0});
    for (unsigned port = 0; port < 4; ++port) {
        const std::uint32_t r = 9;
        EXPECT_DOUBLE_EQ(a.channel(r, port).latency * chip.clock.period,
                         b.channel(r, port).latency * alone.clock.period);
    }
    for (const auto& [event, price] : alone.energy.actions) {
        ASSERT_EQ(chip.energy.actions.count(event), 1u);
        EXPECT_EQ(chip.energy.actions.at(event).value, price.value) << event;
    }
}

TEST(AsyncRouter, EachDirectionHasItsOwnDelay) {
    const arch::ChipSpec chip = preset("loihi", {{"noc.router.async.x_minus", "5 ns"},
                                                 {"noc.router.async.y_minus", "7 ns"},
                                                 {"noc.router.async.handshake_x_minus", "500 ps"}});
    Traveller t(chip);
    const auto ns = [&](std::uint32_t a, std::uint32_t b) {
        return static_cast<double>(t.send(a, b).cycles - 2) * chip.clock.period / 1000 - 2.1;
    };
    EXPECT_NEAR(ns(0, 4), 4.1, 1e-9);
    EXPECT_NEAR(ns(4, 0), 5.0, 1e-9);
    EXPECT_NEAR(ns(0, 32), 6.5, 1e-9);
    EXPECT_NEAR(ns(32, 0), 7.0, 1e-9);
    EXPECT_NEAR(ns(36, 0), 12.0, 1e-9);
    EXPECT_NEAR(rate(chip, {4, 5, 6, 7}, 0, 1000), 2e9, 2e7);
    EXPECT_NEAR(rate(chip, {0, 1, 2, 3}, 4, 1000), 1e12 / 290, 2e7);
}

// ---- TrueNorth (Merolla et al. 2014) ----------------------------------------------------------------

TEST(TrueNorthFabric, EnergyAndTimeOfEveryWay) {
    const arch::ChipSpec chip = preset("truenorth");
    Traveller t(chip);
    // 72 fJ per bit and hop in x, 32 bits, 2.3 pJ; 0.3 pJ/bit/mm over 390 um in y
    const double x = t.send(0, 1).pj, y = t.send(0, 64).pj;
    EXPECT_NEAR(x / 32, 0.072, 1e-9);
    EXPECT_NEAR(x, 2.3, 0.005);
    EXPECT_NEAR(y, 0.3 * 32 * 0.39, 1e-9);
    for (const auto& [from, to] : {std::pair{0, 4095}, {4095, 0}, {63, 4032}, {130, 70}, {2080, 2081}}) {
        const int dx = std::abs(from % 64 - to % 64), dy = std::abs(from / 64 - to / 64);
        const Trip trip = t.send(static_cast<std::uint32_t>(from), static_cast<std::uint32_t>(to));
        EXPECT_EQ(trip.hops, static_cast<std::uint64_t>(dx + dy));
        EXPECT_NEAR(trip.pj, dx * x + dy * y, 1e-6);
        // 7.16 ns per hop, 14.32 ns to the core, two units from the core to the router
        EXPECT_EQ(trip.cycles, dx + dy + 2 + 2);
    }
}

TEST(TrueNorthFabric, AddressesReachAsFarAsTheirBits) {
    const auto message = [](const char* bits, const char* size) -> std::string {
        try {
            noc::make_network(preset("truenorth", {{"noc.address_bits", bits}, {"noc.size", size}}));
        } catch (const ConfigError& e) {
            return e.what();
        }
        return "fits";
    };
    EXPECT_EQ(message("9", "[256, 4]"), "fits");  // 255 hops
    EXPECT_EQ(message("9", "[257, 4]"), "noc.address_bits: 9 bits reach 255 hops, the mesh needs 256");
    EXPECT_EQ(message("6", "[64, 64]"), "noc.address_bits: 6 bits reach 31 hops, the mesh needs 63");
}

TEST(TrueNorthFabric, ALinkPassesOneSpikePerHandshake) {
    const arch::ChipSpec chip = preset("truenorth");
    EXPECT_NEAR(rate(chip, {0}, 5, 500), 1e12 / 14320, 1e5);
}

TEST(TrueNorthFabric, CrossingAChipCosts26PicojoulePerBit) {
    const arch::ChipSpec chip = preset("truenorth_4chips");
    Traveller t(chip);
    const auto core = [](std::uint32_t x, std::uint32_t y) { return x + 128 * y; };
    const double x = 0.3 * 32 * 0.24, y = 0.3 * 32 * 0.39, bridge = 26 * 32;
    // all rows and columns share one link; the ways to merger and splitter are links like others
    for (std::uint32_t i = 0; i < 64; ++i) {
        EXPECT_NEAR(t.send(core(63, i), core(64, i)).pj, 2 * x + bridge, 1e-6) << i;
        EXPECT_NEAR(t.send(core(64, 64 + i), core(63, 64 + i)).pj, 2 * x + bridge, 1e-6) << i;
        EXPECT_NEAR(t.send(core(i, 63), core(i, 64)).pj, 2 * y + bridge, 1e-6) << i;
        EXPECT_NEAR(t.send(core(64 + i, 64), core(64 + i, 63)).pj, 2 * y + bridge, 1e-6) << i;
    }
    EXPECT_NEAR(t.send(core(3, 5), core(100, 120)).pj, 98 * x + 116 * y + 2 * bridge, 1e-6);
    EXPECT_NEAR(t.send(core(127, 127), core(0, 0)).pj, 128 * x + 128 * y + 2 * bridge, 1e-6);
    EXPECT_NEAR(t.send(core(0, 0), core(63, 63)).pj, 63 * x + 63 * y, 1e-6);
    // 40 M spikes/s over an edge
    EXPECT_NEAR(rate(chip, {core(63, 0)}, core(64, 0), 300), 4e7, 4e5);
}

// ---- SpiNNaker (Furber et al. 2013; SpiNNMachine) ----------------------------------------------------

TEST(SpinnakerFabric, AJouleCountPerRouter) {
    for (const auto& [bits, nj] : {std::pair{"40 bits", 1.0}, {"72 bits", 1.8}}) {
        const arch::ChipSpec chip = preset("spinnaker", {{"noc.flit_bits", bits}});
        Traveller t(chip);
        const Trip near = t.send(0, 1), far = t.send(0, 16 * (5 + 12 * 3) + 7);
        EXPECT_EQ(near.hops, 0u);
        EXPECT_NEAR(near.pj, 1000 * nj, 1e-6);
        EXPECT_EQ(far.hops, 5u);  // three diagonal, two in x
        EXPECT_NEAR(far.pj, 6 * 1000 * nj, 1e-6);
    }
}

TEST(SpinnakerFabric, ALinkIsAsFastAsItsSymbols) {
    // 10 symbols of 16 ns, 6.25 M packets/s; with payload 18 symbols
    EXPECT_NEAR(rate(preset("spinnaker"), {0}, 16, 200), 1e12 / 160000, 3e4);
    EXPECT_NEAR(rate(preset("spinnaker", {{"noc.flit_bits", "72 bits"}}), {0}, 16, 200), 1e12 / 288000, 3e4);
}

TEST(SpinnakerFabric, ABlockedPacketIsDroppedAfterWait1) {
    for (const std::uint64_t wait1 : {480u, 100u}) {
        arch::ChipSpec chip = preset("spinnaker");
        if (wait1 != 480) chip.noc.router.wait1 = wait1;
        ASSERT_EQ(chip.noc.router.wait1, wait1);
        ASSERT_EQ(chip.noc.router.wait2, 0u);
        NetworkFixture f(chip);
        f.shut[1] = true;  // a core that takes nothing
        for (std::uint32_t k = 0; k < 12; ++k) f.offer(10, 0, 1, 1, k);
        const auto dropped = [&] {
            return f.network->counters().empty() ? 0 : f.network->counters()[0].packets_dropped;
        };
        std::vector<Cycle> drops;
        std::uint64_t seen = 0;
        while (f.scheduler.run_next()) {
            for (; seen < dropped(); ++seen) drops.push_back(f.scheduler.now());
        }
        // the link to the core holds some, each of the others waits its time at the head of its queue
        ASSERT_GT(drops.size(), 2u);
        for (std::size_t i = 1; i < drops.size(); ++i) EXPECT_EQ(drops[i] - drops[i - 1], wait1 + 1);
        EXPECT_EQ(f.network->counters()[0].packets_expected, 12u);
    }
}

TEST(SpinnakerFabric, GoingStraightOnNeedsNoEntry) {
    const arch::ChipSpec chip = preset("spinnaker");
    const noc::Topology t = noc::make_topology(chip.noc, chip.clock.period, {0, 0});
    const auto routing = noc::make_routing(chip.noc, t, 2);
    routing->uses_halves = false;  // as the timeout router has it
    noc::MulticastSets sets(t, *routing, chip.noc.multicast);
    const auto core = [](std::uint32_t x, std::uint32_t y) { return 16 * (x + 12 * y); };
    const std::vector<std::uint32_t> straight{core(5, 0)}, turn{core(5, 2)};
    sets.add(core(0, 0), straight);
    sets.finish();
    EXPECT_THAT(sets.describe_tables(),
                ::testing::HasSubstr("tables: 2 entries"));  // where it starts and where it is delivered
    for (std::uint32_t x = 1; x < 5; ++x)
        EXPECT_EQ(sets.route(0, x, 1).ports, 1u) << x;  // in by -x, out by +x
    sets.add(core(0, 0), turn);
    sets.finish();
    EXPECT_THAT(
        sets.describe_tables(),
        ::testing::HasSubstr("tables: 5 entries"));  // start, the turn from the diagonal to x, delivery
    EXPECT_EQ(chip.noc.multicast.table_entries, 1023u);
}

}  // namespace
}  // namespace loom
