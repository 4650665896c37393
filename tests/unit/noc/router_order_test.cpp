// SPDX-License-Identifier: Apache-2.0
// Every kind of router, allocator and arbiter: in order, and the same whatever the order of evaluation and
// after a reset.
#include <algorithm>
#include <map>

#include "contract_bench.hpp"
#include "noc/allocation/allocators.hpp"
#include "noc/catalogue.hpp"
#include "noc/routing/routing.hpp"

namespace loom {
namespace {

using testing::all_routers;
using testing::Bench;
using testing::offer_random;
using testing::Router;
using testing::Sample;
using testing::sample;
using testing::since;

TEST(Order, OfEvaluationDoesNotMatter) {
    for (const Sample& s : testing::samples()) {
        for (const Router& router : all_routers()) {
            arch::ChipSpec spec = testing::spec_of(s, router, "auto");
            spec.noc.faults.loss = 0.02;
            std::vector<std::vector<Bench::Arrival>> runs;
            for (const std::uint64_t shuffle : {0u, 1u, 77u}) {
                const auto b = testing::bench_or_refusal(spec, shuffle);
                if (b == nullptr) break;
                // a core that takes nothing for a while gives the links' credits a part
                for (std::uint32_t e = 0; e < b->endpoints() && router.kind != "scheduled"; ++e)
                    b->shut(e, 60 + 7 * e);
                offer_random(*b, 5, 250, 120, 4);
                ASSERT_TRUE(b->drain());
                runs.push_back(b->arrivals);
            }
            if (runs.empty()) continue;
            SCOPED_TRACE(s.name + ": " + testing::combination(spec));
            EXPECT_EQ(runs[1], runs[0]);
            EXPECT_EQ(runs[2], runs[0]);
        }
    }
}

/// Cycles of a sample do not depend on the samples before it: arbiters, coins, losses, schedules start anew.
TEST(Reset, GivesTheSameTimesAgain) {
    for (const Sample& s : testing::samples()) {
        for (const Router& router : all_routers()) {
            arch::ChipSpec spec = testing::spec_of(s, router, "auto");
            spec.noc.faults.loss = 0.03;
            const auto b = testing::bench_or_refusal(spec);
            if (b == nullptr) continue;
            SCOPED_TRACE(s.name + ": " + testing::combination(spec));
            std::vector<std::vector<Bench::Arrival>> runs;
            for (const Cycle wait : {3u, 4u, 101u}) {
                const Cycle start = b->scheduler.now() + wait;
                b->arrivals.clear();
                offer_random(*b, start, 200, 60, 3);
                ASSERT_TRUE(b->drain());
                b->network->reset();
                runs.push_back(since(b->arrivals, start));
            }
            EXPECT_EQ(runs[1], runs[0]);
            EXPECT_EQ(runs[2], runs[0]);
        }
    }
}

TEST(Allocators, EveryPairWithEveryArbiterDrainsInOrder) {
    for (const char* name : {"mesh4x3", "torus5x4", "tree2x3", "crossbar6"}) {
        for (const std::string& va : noc::allocator_names()) {
            for (const std::string& sa : noc::allocator_names()) {
                for (const std::string& arbiter : noc::arbiter_names()) {
                    for (const unsigned vcs : {1u, 4u}) {
                        arch::ChipSpec spec =
                            testing::spec_of(sample(name), {"vc", vcs == 1 ? "P3" : "P2"}, "auto");
                        spec.noc.router.vc_allocator = va;
                        spec.noc.router.switch_allocator = sa;
                        spec.noc.router.arbiter = arbiter;
                        spec.noc.router.iterations = 2;
                        spec.noc.router.vcs = vcs;
                        spec.noc.router.buffer = 2;
                        const auto b = testing::bench_or_refusal(spec);
                        if (b == nullptr) continue;  // a torus with one VC
                        SCOPED_TRACE(std::string(name) + " " + va + " " + sa + " " + arbiter);
                        offer_random(*b, 5, 300, 50, 5);
                        for (std::uint32_t e = 0; e < b->endpoints(); ++e) {
                            for (unsigned i = 0; i < 5; ++i) b->offer(60, e, 0, 3, 1000 + i);
                        }
                        ASSERT_TRUE(b->drain()) << b->network->describe_stuck(3);
                        b->expect_empty("load");
                        EXPECT_EQ(b->n_arrivals, 300u + 5 * b->endpoints());
                        if (vcs != 1) continue;
                        std::map<std::pair<std::uint32_t, std::uint32_t>, std::uint32_t> last;
                        for (const auto& a : b->arrivals) {
                            auto [at, fresh] = last.try_emplace({a.source, a.endpoint}, a.number);
                            if (!fresh) {
                                EXPECT_LT(at->second, a.number);
                            }
                            at->second = a.number;
                        }
                    }
                }
            }
        }
    }
}

/// Deterministic routing and one VC: packets of a flow stay in order, on every fabric that does not deflect.
TEST(Order, OfAFlowIsKept) {
    for (const Sample& s : testing::samples()) {
        for (const std::string& routing : noc::builtin().routings.names()) {
            for (const Router& router : all_routers()) {
                if (router.kind == "deflection") continue;
                arch::ChipSpec spec = testing::spec_of(s, router, routing);
                spec.noc.router.vcs = 1;
                const auto b = testing::bench_or_refusal(spec);
                if (b == nullptr) continue;
                const auto& t = b->network->topology();
                if (noc::make_routing(spec.noc, t, 1)->several || t.wraps) continue;
                SCOPED_TRACE(s.name + ": " + testing::combination(spec));
                offer_random(*b, 5, 400, 100, 3);
                ASSERT_TRUE(b->drain());
                std::map<std::pair<std::uint32_t, std::uint32_t>, std::uint32_t> last;
                for (const auto& a : b->arrivals) {
                    auto [at, fresh] = last.try_emplace({a.source, a.endpoint}, a.number);
                    if (!fresh) {
                        EXPECT_LT(at->second, a.number);
                    }
                    at->second = a.number;
                }
            }
        }
    }
}

}  // namespace
}  // namespace loom
