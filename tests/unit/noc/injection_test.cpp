// SPDX-License-Identifier: Apache-2.0
// What the sources of a network alone create: rates, bursts, sizes, classes; seen by a network that only
// takes.
#include <gtest/gtest.h>

#include <cmath>
#include <map>

#include "noc/traffic/load.hpp"

namespace loom {
namespace {

struct Created {
    Cycle at;
    std::uint32_t node;
    Packet packet;
};

/// Takes every packet as soon as it is there and delivers nothing.
class Sink final : public noc::Network {
  public:
    explicit Sink(const noc::Topology& t) : topology_(t), links_(t.n_endpoints()) {}
    void attach(EndpointId e, EndpointLinks l) override { links_.at(index(e)) = l; }
    Cycle evaluate(Cycle now) override {
        for (std::uint32_t e = 0; e < links_.size(); ++e) {
            // 1: the link from the source
            while (links_[e].in->peek(now) != nullptr)
                created.push_back({now - 1, e, links_[e].in->take(now)});
        }
        return kNever;
    }
    void reset() override {}
    const noc::Topology& topology() const override { return topology_; }
    std::size_t flits_in_flight() const override { return 0; }
    std::span<const noc::NocCounters> counters() const override { return {}; }
    std::vector<noc::PortUse> port_use(std::uint32_t) const override { return {}; }
    std::uint64_t buffer_cycles(std::uint32_t) const override { return 0; }
    std::string describe_stuck(std::size_t) const override { return ""; }
    Cycles zero_load_latency(EndpointId, EndpointId, unsigned) const override { return 1; }
    unsigned zero_load_hops(EndpointId, EndpointId) const override { return 0; }
    std::uint32_t add_set(EndpointId, std::span<const std::uint32_t>) override { return 0; }
    SetLinks set_links(std::uint32_t) const override { return {}; }
    std::uint32_t n_sets() const override { return 0; }
    void clear_sets() override {}

    std::vector<Created> created;

  private:
    const noc::Topology& topology_;
    std::vector<EndpointLinks> links_;
};

std::vector<Created> packets(const noc::TrafficSpec& traffic, Cycle cycles,
                             std::vector<std::uint64_t> size = {4, 4}, std::uint64_t seed = 1) {
    arch::NocSpec spec;
    spec.size = std::move(size);
    const noc::Topology t = noc::make_topology(spec, 1000, {0});
    Scheduler scheduler;
    Sink sink(t);
    const auto pattern = noc::make_pattern(traffic, t);
    noc::Load load(sink, scheduler, traffic, pattern.get(), nullptr, seed);
    while (scheduler.next() < cycles) scheduler.run_next();
    return sink.created;
}

noc::TrafficSpec traffic_of(const char* injection, double rate) {
    noc::TrafficSpec t;
    t.injection = injection;
    t.rate = rate;
    return t;
}

double rate_of(const std::vector<Created>& c, double nodes, double cycles) {
    double flits = 0;
    for (const Created& p : c) flits += p.packet.flits;
    return flits / nodes / cycles;
}

/// Variance over mean of the packets of all nodes in windows of 100 cycles, per node: 1 - p for Bernoulli.
double dispersion(const std::vector<Created>& c, Cycle cycles) {
    std::map<std::pair<std::uint32_t, Cycle>, double> n;
    for (const Created& p : c) ++n[{p.node, p.at / 100}];
    const double windows = 16.0 * static_cast<double>(cycles) / 100;
    const double mean = static_cast<double>(c.size()) / windows;
    double squares = 0;
    for (const auto& [k, x] : n) squares += x * x;
    return (squares / windows - mean * mean) / mean;
}

TEST(Injection, BernoulliHasTheRateAndNoMemory) {
    for (const double rate : {0.01, 0.1, 0.5}) {
        const auto c = packets(traffic_of("bernoulli", rate), 50000);
        EXPECT_NEAR(rate_of(c, 16, 50000), rate, 4 * std::sqrt(rate / 800000)) << rate;
        EXPECT_NEAR(dispersion(c, 50000), 1 - rate, 0.06) << rate;
    }
    EXPECT_EQ(packets(traffic_of("bernoulli", 1), 100).size(), 16u * 98);  // in each cycle from 1 to 98
    EXPECT_TRUE(packets(traffic_of("bernoulli", 0), 1000).empty());
    EXPECT_TRUE(packets(traffic_of("bernoulli", 1e-300), 1000).empty());
}

TEST(Injection, BurstsAreGeometricWithTheMeanAsked) {
    // rate = duty: within a burst every cycle has a packet, so bursts can be seen
    noc::TrafficSpec t = traffic_of("on_off", 0.2);
    t.on = 30;
    t.duty = 0.2;
    const Cycle cycles = 200000;
    const auto c = packets(t, cycles);
    EXPECT_NEAR(rate_of(c, 16, static_cast<double>(cycles)), 0.2, 0.01);
    std::map<std::uint32_t, Cycle> last;
    double bursts = 0, squares = 0;
    std::map<std::uint32_t, double> length;
    const auto close = [&](double n) {
        ++bursts;
        squares += n * n;
    };
    for (const Created& p : c) {
        if (last.count(p.node) != 0 && last[p.node] + 1 != p.at) {
            close(length[p.node]);
            length[p.node] = 0;
        }
        last[p.node] = p.at;
        ++length[p.node];
    }
    // pauses of 0 cycles (1 in 121) join two bursts
    const double mean = static_cast<double>(c.size()) / bursts;
    EXPECT_NEAR(mean, 30, 1.5);
    // geometric: variance = mean * (mean - 1)
    EXPECT_NEAR(squares / bursts - mean * mean, mean * (mean - 1), 0.12 * mean * mean);
    EXPECT_GT(dispersion(c, cycles), 15);
    // and at a lower rate than the bursts allow
    t.rate = 0.05;
    EXPECT_NEAR(rate_of(packets(t, cycles), 16, static_cast<double>(cycles)), 0.05, 0.003);
}

TEST(Injection, TimestepsSendAtTheirStart) {
    noc::TrafficSpec t = traffic_of("timestep", 0.004);
    t.period = 250;
    const auto c = packets(t, 100000);
    EXPECT_NEAR(rate_of(c, 16, 100000), 0.004, 0.0002);
    for (const Created& p : c) EXPECT_EQ(p.at - p.at % 250, static_cast<Cycle>(p.packet.payload));
    // counts per step and node: binomial
    std::map<std::pair<std::uint32_t, std::int64_t>, double> n;
    for (const Created& p : c) ++n[{p.node, p.packet.payload}];
    double squares = 0;
    for (const auto& [k, x] : n) squares += x * x;
    const double steps = 16 * 399, mean = static_cast<double>(c.size()) / steps;
    EXPECT_NEAR(squares / steps - mean * mean, mean, 0.08);
}

TEST(Injection, SpatialBurstsComeFromASquareAndAllNodesTakeTurns) {
    noc::TrafficSpec t = traffic_of("spatial", 0.01);
    t.period = 200;
    t.radius = 1;
    const auto c = packets(t, 400000, {6, 5});
    EXPECT_NEAR(rate_of(c, 30, 400000), 0.01, 0.0004);
    std::map<std::int64_t, std::vector<std::uint32_t>> steps;
    std::map<std::uint32_t, double> all;
    for (const Created& p : c) {
        steps[p.packet.payload].push_back(p.node);
        ++all[p.node];
    }
    const auto apart = [](std::uint32_t a, std::uint32_t b, std::uint32_t k) {
        const std::uint32_t d = (a + k - b) % k;
        return std::min(d, k - d);
    };
    for (const auto& [step, nodes] : steps) {
        for (const std::uint32_t n : nodes) {
            ASSERT_LE(apart(n % 6, nodes[0] % 6, 6), 2u);
            ASSERT_LE(apart(n / 6, nodes[0] / 6, 5), 2u);
        }
    }
    EXPECT_EQ(all.size(), 30u);
    for (const auto& [n, packets] : all) EXPECT_NEAR(packets, 4000, 600) << n;
}

TEST(Injection, PeriodicIsEven) {
    const auto c = packets(traffic_of("periodic", 0.125), 8000);
    std::map<std::uint32_t, Cycle> last;
    for (const Created& p : c) {
        if (last.count(p.node) != 0) {
            EXPECT_EQ(p.at - last[p.node], 8u);
        }
        last[p.node] = p.at;
    }
    EXPECT_NEAR(rate_of(c, 16, 8000), 0.125, 0.0002);
}

TEST(Injection, SizesAndClassesHaveTheirShares) {
    noc::TrafficSpec t = traffic_of("bernoulli", 0.3);
    t.packet_sizes = {{1, 3}, {5, 1}};
    t.classes = {1, 0, 4};
    const auto c = packets(t, 50000);
    EXPECT_NEAR(rate_of(c, 16, 50000), 0.3, 0.006);
    std::map<unsigned, double> size, kind;
    for (const Created& p : c) {
        ++size[p.packet.flits];
        ++kind[p.packet.message_class];
    }
    const auto n = static_cast<double>(c.size());
    EXPECT_EQ(size.size(), 2u);
    EXPECT_NEAR(size[5] / n, 0.25, 0.01);
    EXPECT_EQ(kind.count(1), 0u);
    EXPECT_NEAR(kind[2] / n, 0.8, 0.01);
}

TEST(Injection, ANodeDoesNotDependOnTheOthers) {
    noc::TrafficSpec all = traffic_of("on_off", 0.1), one = all;
    all.pattern = one.pattern = "pairs";
    all.pairs = {{3, 4}, {3, 9}, {7, 1, 2}};
    one.pairs = {{3, 4}, {3, 9}};
    const auto of_node = [](const std::vector<Created>& c) {
        std::vector<std::pair<Cycle, std::uint32_t>> out;
        for (const Created& p : c) {
            if (p.node == 3) out.emplace_back(p.at, p.packet.destination.value);
        }
        return out;
    };
    const auto a = of_node(packets(all, 20000)), b = of_node(packets(one, 20000));
    EXPECT_GT(a.size(), 1000u);
    EXPECT_EQ(a, b);
    EXPECT_NE(a, of_node(packets(one, 20000, {4, 4}, 2)));  // another seed
}

}  // namespace
}  // namespace loom
