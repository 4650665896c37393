// SPDX-License-Identifier: Apache-2.0
// A network under steady load asks for no memory per packet or cycle, whatever its routers, routes and
// destinations.
#include <gtest/gtest.h>

#include "noc/catalogue.hpp"
#include "noc/traffic/load.hpp"
#include "tests/support/counted_new.hpp"

namespace loom {
namespace {

struct Case {
    const char* name;
    void (*change)(arch::NocSpec&, noc::TrafficSpec&);
};

class SteadyState : public ::testing::TestWithParam<Case> {};

TEST_P(SteadyState, AsksForNoMemory) {
    arch::ChipSpec spec;
    spec.noc.size = {6, 6};
    noc::TrafficSpec traffic;
    traffic.rate = 0.15;
    traffic.packet_size = 2;
    GetParam().change(spec.noc, traffic);
    const auto network = noc::make_network(spec);
    const auto pattern = noc::make_pattern(traffic, network->topology());
    Scheduler scheduler;
    noc::Load load(*network, scheduler, traffic, pattern.get(), nullptr, 3);
    const auto run = [&](Cycle end) {
        while (scheduler.next() < end) scheduler.run_next();
    };
    run(60000);
    const std::uint64_t before = load.deliveries;
    const std::size_t allocations = testing::allocations();
    run(70000);
    EXPECT_GT(load.deliveries, before + 1000);
    // a list grows now and then to a new record of what it holds; nothing is paid per packet or cycle
    EXPECT_LE(testing::allocations() - allocations, 100u);
}

INSTANTIATE_TEST_SUITE_P(
    Networks, SteadyState,
    ::testing::Values(
        Case{"default", [](arch::NocSpec&, noc::TrafficSpec&) {}},
        Case{"wavefront",
             [](arch::NocSpec& n, noc::TrafficSpec&) { n.router.switch_allocator = "wavefront"; }},
        Case{"torus", [](arch::NocSpec& n, noc::TrafficSpec&) { n.topology = "torus"; }},
        Case{"adaptive", [](arch::NocSpec& n, noc::TrafficSpec&) { n.routing = "adaptive"; }},
        Case{"handshake", [](arch::NocSpec& n, noc::TrafficSpec&) { n.router.kind = "handshake"; }},
        Case{"deflection", [](arch::NocSpec& n, noc::TrafficSpec&) { n.router.kind = "deflection"; }},
        Case{"timeout",
             [](arch::NocSpec& n, noc::TrafficSpec& spec) {
                 n.router.kind = "timeout";
                 spec.packet_size = 1;
                               spec.rate = 0.04;
             }},
        Case{"scheduled",
             [](arch::NocSpec& n, noc::TrafficSpec& spec) {
                 n.router.kind = "scheduled";
                 n.router.slots = 24;
                 spec.pattern = "permutation";
                 spec.rate = 0.08;
             }},
        Case{"tree",
             [](arch::NocSpec& n, noc::TrafficSpec& spec) {
                 n.multicast.style = "tree";
                 spec.pattern = "fan_out";
                 spec.rate = 0.03;
             }}),
    [](const auto& c) { return c.param.name; });

}  // namespace
}  // namespace loom
