// SPDX-License-Identifier: Apache-2.0
// Nobody starves, whatever the routers, allocators and arbiters.
#include <algorithm>
#include <map>
#include <set>

#include "contract_bench.hpp"
#include "noc/allocation/allocators.hpp"
#include "noc/routing/way.hpp"

namespace loom {
namespace {

using testing::all_to_one;
using testing::Bench;
using testing::sample;

/// Where n inputs compete for an output, an arbiter that serves whoever has waited longest (round robin:
/// whoever is next) gives each of them every n-th grant at least. So a source gets at least the product of
/// 1/n along its way.
std::vector<double> shares(const arch::ChipSpec& spec, bool every_port) {
    const noc::Topology t = noc::make_topology(spec.noc, spec.clock.period, spec.io.router);
    const auto routing = noc::make_routing(spec.noc, t, static_cast<unsigned>(spec.noc.router.vcs));
    std::map<std::pair<std::uint32_t, unsigned>, std::set<unsigned>> inputs;
    for (std::uint32_t e = 0; e < t.n_cores(); ++e) {
        for (const auto& s : noc::way_of(*routing, e, 0)) inputs[{s.router, s.port}].insert(s.in_port);
    }
    std::vector<double> out;
    for (std::uint32_t e = 0; e < t.n_cores(); ++e) {
        double share = 1;
        for (const auto& s : noc::way_of(*routing, e, 0))
            share /=
                every_port ? t.n_ports(s.router) : static_cast<double>(inputs[{s.router, s.port}].size());
        out.push_back(share);
    }
    return out;
}

/// What the bound is for a kind of arbiter.
enum class Bound { EveryInput, EveryPort, Equal, Half };

void nobody_starves(arch::ChipSpec spec, Bound bound) {
    spec.noc.router.wait1 = 100000;  // timeout: nothing is dropped
    const auto b = testing::bench_or_refusal(spec);
    if (b == nullptr) return;
    const auto came = all_to_one(*b, 1500);
    const auto share = shares(spec, bound == Bound::EveryPort);
    double sum = 0;
    for (const auto c : came) sum += static_cast<double>(c);
    for (std::size_t e = 0; e < came.size(); ++e) {
        // half of it: the ways fill and the window cuts a round
        const double least = bound == Bound::Equal ? sum / static_cast<double>(came.size()) / 3
                                                   : share[e] * sum * (bound == Bound::Half ? 0.25 : 0.5);
        EXPECT_GE(static_cast<double>(came[e]), std::max(1.0, least))
            << "source " << e << " of " << came.size() << ": " << ::testing::PrintToString(came);
    }
}

TEST(Fair, NobodyStarvesWhenAllSendToOne) {
    // no torus of even sides: the coins would give the ways further inputs
    for (const char* name :
         {"mesh4x3", "mesh3x2_tiles", "torus5", "tree2x3", "star5", "crossbar6", "graph7"}) {
        for (const std::string& allocator : noc::allocator_names()) {
            for (const std::string& arbiter : noc::arbiter_names()) {
                arch::ChipSpec spec = testing::spec_of(sample(name), {"vc", "P2"}, "auto");
                spec.noc.router.vc_allocator = spec.noc.router.switch_allocator = allocator;
                spec.noc.router.arbiter = arbiter;
                SCOPED_TRACE(std::string(name) + " " + allocator + " " + arbiter);
                // tori: what comes round has half of the VCs that a core has; wavefront: the diagonal that
                // goes first turns over all ports, also those that nobody comes by; age: nobody is passed by
                // younger ones, so that a third of the mean is a wide bound
                nobody_starves(spec, allocator == "wavefront"       ? Bound::EveryPort
                                     : arbiter == "age"             ? Bound::Equal
                                     : spec.noc.topology == "torus" ? Bound::Half
                                                                    : Bound::EveryInput);
            }
        }
        for (const char* kind : {"async", "handshake", "timeout"}) {
            SCOPED_TRACE(std::string(name) + " " + kind);
            // handshake: the order of reservations turns with time, not with grants
            nobody_starves(testing::spec_of(sample(name), {kind, "P2"}, "auto"),
                           std::string(kind) == "handshake" || std::string(name) == "torus5"
                               ? Bound::Half
                               : Bound::EveryInput);
        }
    }
}

/// The age arbiter lets the oldest packet go first, wherever it comes from. Age counts from the entry into
/// the network, so who comes from afar is favoured, but within a factor; a round robin halves shares at every
/// merge.
TEST(Fair, TheOldestFirstIsFairerThanARoundRobin) {
    const auto spread = [](const char* arbiter) {
        arch::ChipSpec spec = testing::spec_of(sample("mesh5"), {"vc", "P2"}, "auto");
        spec.noc.router.arbiter = arbiter;
        spec.noc.router.vcs = 1;
        Bench b(spec);
        const auto came = all_to_one(b, 3000);
        const auto [least, most] = std::minmax_element(came.begin(), came.end());
        return static_cast<double>(*most) / static_cast<double>(*least);
    };
    EXPECT_LT(spread("age"), 3.0);
    EXPECT_GT(spread("round_robin"), 4.0);
}

/// A schedule gives every flow its slot: exactly equal.
TEST(Fair, ASchedule) {
    Bench b(testing::spec_of(sample("mesh4x3"), {"scheduled", "P2"}, "auto"));
    const auto came = all_to_one(b, 3000);
    for (const auto c : came) EXPECT_NEAR(static_cast<double>(c), static_cast<double>(came[0]), 1.0);
    EXPECT_GT(came[0], 40u);
}

}  // namespace
}  // namespace loom
