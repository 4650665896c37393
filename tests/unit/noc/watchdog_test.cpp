// SPDX-License-Identifier: Apache-2.0
// Networks that really get stuck: the watchdog says what, where, and who waits for whom.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "network_fixture.hpp"
#include "noc/traffic/experiment.hpp"
#include "base/error.hpp"

namespace loom {
namespace {

using ::testing::HasSubstr;
using ::testing::MatchesRegex;

/// A ring with one VC and short buffers: long packets in the same sense take each other's way.
arch::ChipSpec ring() {
    arch::ChipSpec spec;
    spec.noc.topology = "ring";
    spec.noc.size = {3};
    spec.noc.check_deadlock = false;
    spec.noc.routing = "table";
    spec.noc.router.vcs = 1;
    spec.noc.router.buffer = 2;
    return spec;
}

TEST(Watchdog, NamesTheCircleOfBuffers) {
    arch::ChipSpec spec = ring();
    spec.noc.size = {5};
    spec.noc.routing = "auto";
    testing::NetworkFixture f(spec);
    for (std::uint32_t n = 0; n < 5; ++n) f.offer(1, n, (n + 2) % 5, 20, n);
    f.drain();
    EXPECT_TRUE(f.arrivals.empty());
    const std::string why = f.network->describe_stuck(100);
    EXPECT_THAT(why, HasSubstr("10 buffers wait for each other: router "));
    for (const char* r : {"0", "1", "2", "3", "4"})
        EXPECT_THAT(why, HasSubstr(std::string("router ") + r)) << why;
    EXPECT_THAT(why, HasSubstr("(packet from "));
    EXPECT_THAT(why, HasSubstr("-> the first"));
    EXPECT_THAT(why, HasSubstr("waits for a virtual channel of port +x"));
}

TEST(Watchdog, SaysNothingOfACircleWhereAReceiverIsToBlame) {
    arch::ChipSpec spec;
    spec.noc.size = {3, 1};
    testing::NetworkFixture f(spec);
    f.shut[2] = true;
    for (std::uint32_t i = 0; i < 100; ++i) f.offer(1, 0, 2, 2, i);
    f.drain();
    const std::string why = f.network->describe_stuck(50);
    EXPECT_THAT(why, ::testing::Not(HasSubstr("wait for each other")));
    EXPECT_THAT(why, HasSubstr("endpoint 2 vc 0: "));
    EXPECT_THAT(why, HasSubstr("wait for the receiver"));
    EXPECT_THAT(why, HasSubstr("packet from endpoint 0 to 2 waits for a credit of virtual channel"));
}

TEST(Watchdog, StopsARunInWhichNothingMoves) {
    arch::ChipSpec spec = ring();
    spec.noc.size = {6};
    spec.noc.routing = "auto";
    noc::TrafficSpec traffic;
    traffic.rate = 1;
    traffic.packet_size = 16;
    noc::MeasureSpec measure;
    measure.watchdog = 500;
    try {
        noc::run_traffic(spec, traffic, measure, 1, nullptr, {}, {});
        FAIL() << "it went on";
    } catch (const ModelError& e) {
        EXPECT_EQ(e.code(), ExitCode::SimulationFault);
        EXPECT_THAT(e.what(), HasSubstr("no flit moved for 502 cycles at cycle "));
        EXPECT_THAT(e.what(), HasSubstr("buffers wait for each other: router "));
    }
}

TEST(Watchdog, ALongLinkIsNotStuck) {
    arch::ChipSpec spec;
    spec.noc.size = {2, 1};
    spec.noc.link_latency = 3000;
    noc::TrafficSpec traffic;
    const std::vector<noc::TracePacket> trace{{1, 0, {1}, 1}};
    noc::MeasureSpec measure;
    measure.watchdog = 100;
    measure.sample = 100;
    EXPECT_EQ(noc::run_traffic(spec, traffic, measure, 1, &trace, {}, {}).deliveries, 1u);
}

}  // namespace
}  // namespace loom
