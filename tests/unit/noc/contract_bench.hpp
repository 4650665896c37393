// SPDX-License-Identifier: Apache-2.0
// What the contract suite runs on: a network of any kind with all of its endpoints, samples of every
// topology, and the combinations that the catalogues make possible. A new topology adds a line to samples().
#pragma once
#include <gtest/gtest.h>

#include <deque>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "noc/allocation/allocators.hpp"
#include "noc/catalogue.hpp"
#include "noc/multicast/sets.hpp"
#include "noc/pipeline.hpp"
#include "noc/routing/routing.hpp"
#include "noc/traffic/pattern.hpp"
#include "base/error.hpp"
#include "base/clocking/link.hpp"

namespace loom::testing {

struct Sample {
    std::string name;
    std::function<void(arch::NocSpec&)> set;
};

/// Odd and even sizes, one to three dimensions, tiles, bridges, narrow links and other clock domains.
inline const std::vector<Sample>& samples() {
    using S = arch::NocSpec&;
    static const std::vector<Sample> list{
        {"mesh4x3",
         [](S s) {
             s.size = {4, 3};
         }},
        {"mesh5", [](S s) { s.size = {5}; }},
        {"mesh3x2x3",
         [](S s) {
             s.size = {3, 2, 3};
         }},
        {"mesh3x2_tiles",
         [](S s) {
             s.size = {3, 2}, s.cores_per_router = 2, s.link_latency_y = 3;
         }},
        {"mesh3x3_narrow",
         [](S s) {
             s.size = {3, 3}, s.link_width = 12;
         }},
        {"mesh3x3_clocks",
         [](S s) {
             s.size = {3, 3}, s.link_period = 1500;
         }},
        {"mesh2x3_bridges",
         [](S s) {
             s.size = {2, 3}, s.chips.grid = {2, 2}, s.chips.width = 16;
         }},
        {"torus4x3",
         [](S s) {
             s.topology = "torus", s.size = {4, 3};
         }},
        {"torus5x4",
         [](S s) {
             s.topology = "torus", s.size = {5, 4};
         }},
        {"torus2x3x4",
         [](S s) {
             s.topology = "torus", s.size = {2, 3, 4};
         }},
        {"torus5", [](S s) { s.topology = "torus", s.size = {5}, s.link_latency = 3; }},
        {"ring6", [](S s) { s.topology = "ring", s.size = {6}; }},
        {"ring3_tiles", [](S s) { s.topology = "ring", s.size = {3}, s.cores_per_router = 2; }},
        {"triangular4x4",
         [](S s) {
             s.topology = "triangular", s.size = {4, 4};
         }},
        {"triangular5x3",
         [](S s) {
             s.topology = "triangular", s.size = {5, 3};
         }},
        {"star5", [](S s) { s.topology = "star", s.size = {5}; }},
        {"crossbar6", [](S s) { s.topology = "crossbar", s.size = {6}; }},
        {"tree2x3",
         [](S s) {
             s.topology = "tree", s.size = {2, 3};
         }},
        {"tree3x2",
         [](S s) {
             s.topology = "tree", s.size = {3, 2}, s.local_latency = 2;
         }},
        {"hierarchy2x2x2",
         [](S s) {
             s.topology = "hierarchy", s.size = {2, 2, 2};
         }},
        {"hierarchy3x1x2",
         [](S s) {
             s.topology = "hierarchy", s.size = {3, 1, 2}, s.chips.width = 8;
         }},
        {"hypercube3", [](S s) { s.topology = "hypercube", s.size = {3}; }},
        {"graph7",
         [](S s) {
             s.topology = "graph", s.size = {7};
             s.links = {{{0, 1}, 0, 0}, {{1, 2}, 4, 0}, {{2, 3}, 0, 16}, {{3, 4}, 0, 0}, {{4, 5}, 2, 0},
                        {{5, 0}, 0, 0}, {{1, 4}, 0, 0}, {{6, 2}, 0, 0},  {{6, 5}, 0, 11}};
         }},
    };
    return list;
}

/// A kind of router, with a pipeline where it has them.
struct Router {
    std::string kind, pipeline;
};
inline std::vector<Router> routers() {
    std::vector<Router> list;
    for (const std::string& kind : noc::builtin().routers.names()) {
        if (kind != "vc") {
            list.push_back({kind, "P2"});
            continue;
        }
        for (const noc::Pipeline& p : noc::pipelines()) list.push_back({kind, std::string(p.name)});
    }
    return list;
}

inline arch::ChipSpec spec_of(const Sample& sample, const Router& router, const std::string& routing) {
    arch::ChipSpec spec;
    spec.noc.router.vcs = 4;
    spec.noc.router.buffer = 4;
    sample.set(spec.noc);
    spec.noc.router.kind = router.kind;
    spec.noc.router.pipeline = router.pipeline;
    spec.noc.routing = routing;
    spec.noc.router.async.x = spec.noc.router.async.local = 2000;
    spec.noc.router.async.y = 3000;
    spec.noc.router.async.z = 4000;
    spec.noc.router.async.handshake_x = 1500;
    spec.noc.router.async.handshake_y = 2000;
    spec.io.router = {0};
    return spec;
}

/// A network with every endpoint attached. Offers are taken in order per endpoint as soon as they are due and
/// there is room; arrivals are taken at once unless the endpoint is shut.
class Bench final : public Clocked {
  public:
    struct Arrival {
        Cycle at;
        std::uint32_t endpoint, source, number;
        std::uint16_t hops;
        bool operator==(const Arrival&) const = default;
    };

    explicit Bench(const arch::ChipSpec& chip, std::uint64_t shuffle = 0)
        : Bench(chip, noc::make_network(chip), shuffle) {}
    Bench(const arch::ChipSpec& chip, std::unique_ptr<noc::Network> n, std::uint64_t shuffle = 0)
        : spec(chip), network(std::move(n)) {
        if (shuffle != 0) scheduler.shuffle(shuffle);
        const noc::Topology& t = network->topology();
        const auto network_id = scheduler.add(*network);
        id_ = scheduler.add(*this);
        offers_.resize(t.n_endpoints());
        shut_.resize(t.n_endpoints());
        for (std::uint32_t e = 0; e < t.n_endpoints(); ++e) {
            in_.emplace_back(1, 4);
            // typed networks: a packet per class and cycle
            out_.emplace_back(t.local_latency, (t.local_latency + 1) * chip.noc.router.classes + 1);
        }
        for (std::uint32_t e = 0; e < t.n_endpoints(); ++e) {
            in_[e].connect_producer(scheduler, id_, *this);
            out_[e].connect_consumer(scheduler, id_, *this);
            network->join(scheduler, network_id, EndpointId{e}, {&in_[e], &out_[e]});
        }
    }

    std::uint32_t endpoints() const { return static_cast<std::uint32_t>(offers_.size()); }
    bool one_flit() const { return spec.noc.router.kind == "timeout"; }

    void offer(Cycle at, std::uint32_t from, Destination to, unsigned flits, std::uint32_t number,
               unsigned message_class = 0) {
        Packet p;
        p.destination = to;
        p.source = EndpointId{from};
        p.flits = static_cast<std::uint16_t>(one_flit() ? 1 : flits);
        p.axon = number;
        p.message_class = static_cast<std::uint8_t>(message_class);
        offers_[from].push_back({at, p});
        ++queued_;
        scheduler.wake(id_, at);
    }
    void offer(Cycle at, std::uint32_t from, std::uint32_t to, unsigned flits, std::uint32_t number) {
        offer(at, from, Destination::endpoint(EndpointId{to}), flits, number);
    }
    void shut(std::uint32_t endpoint, Cycle until) {
        shut_[endpoint] = until;
        scheduler.wake(id_, until);
    }
    Cycle start() const { return scheduler.now() + 3; }

    Cycle evaluate(Cycle now) override {
        Cycle next = kNever;
        for (std::uint32_t e = 0; e < offers_.size(); ++e) {
            while (shut_[e] <= now && out_[e].peek(now) != nullptr) {
                const Packet p = out_[e].take(now);
                ++n_arrivals;
                const Arrival a{now, e, index(p.source), p.axon, p.hops};
                if (on_arrival) {
                    on_arrival(a);
                } else {
                    arrivals.push_back(a);
                }
            }
            auto& q = offers_[e];
            while (!q.empty() && q.front().first <= now && in_[e].can_send(now)) {
                in_[e].send(now, q.front().second);
                q.pop_front();
                --queued_;
            }
            if (!q.empty() && q.front().first > now) next = std::min(next, q.front().first);
        }
        return next;
    }
    /// Runs until nothing is due; false when there is still something after `cycles`.
    bool drain(Cycle cycles = 400000) {
        const Cycle end = scheduler.now() + cycles;
        while (scheduler.next() != kNever) {
            if (scheduler.next() > end) return false;
            scheduler.run_next();
        }
        return queued_ == 0;
    }
    void run_until(Cycle at) {
        while (scheduler.next() <= at) scheduler.run_next();
    }
    noc::NocCounters total() const {
        noc::NocCounters c;
        for (const auto& t : network->counters()) {
            c.packets += t.packets;
            c.packets_expected += t.packets_expected;
            c.packets_delivered += t.packets_delivered;
            c.packets_dropped += t.packets_dropped;
            c.ni_in += t.ni_in;
            c.ni_out += t.ni_out;
            c.local += t.local;
            c.table_lookups += t.table_lookups;
            c.relays += t.relays;
            c.filtered += t.filtered;
            c.reinjected += t.reinjected;
            c.emergency += t.emergency;
            for (std::size_t k = 0; k < c.links.size(); ++k) c.links[k] += t.links[k];
        }
        return c;
    }
    /// Nothing is left, and every delivery asked for happened or is counted as dropped.
    void expect_empty(const std::string& what) {
        const noc::NocCounters c = total();
        EXPECT_EQ(network->flits_in_flight(), 0u) << what << ": " << network->describe_stuck(3);
        EXPECT_EQ(c.packets_expected, c.packets_delivered + c.packets_dropped) << what;
        EXPECT_EQ(c.packets_delivered, n_arrivals) << what;
        EXPECT_EQ(queued_, 0u) << what;
    }

    arch::ChipSpec spec;
    Scheduler scheduler;
    std::unique_ptr<noc::Network> network;
    std::vector<Arrival> arrivals;
    std::uint64_t n_arrivals = 0;
    std::function<void(const Arrival&)> on_arrival;

  private:
    Scheduler::ComponentId id_ = 0;
    std::deque<Link<Packet>> in_, out_;
    std::vector<std::deque<std::pair<Cycle, Packet>>> offers_;
    std::vector<Cycle> shut_;
    std::size_t queued_ = 0;
};

/// The network of a combination, or nothing when it is refused, which must be by a ConfigError that begins
/// with a key.
inline std::unique_ptr<Bench> bench_or_refusal(const arch::ChipSpec& spec, std::uint64_t shuffle = 0) {
    try {
        return std::make_unique<Bench>(spec, shuffle);
    } catch (const ConfigError& e) {
        EXPECT_EQ(std::string(e.what()).rfind("noc.", 0), 0u) << e.what();
    } catch (const std::exception& e) {
        ADD_FAILURE() << spec.noc.topology << ", " << spec.noc.routing << ", " << spec.noc.router.kind << ": "
                      << e.what();
    }
    return nullptr;
}

inline std::string combination(const arch::ChipSpec& s) {
    return s.noc.topology + ", " + s.noc.routing + ", " + s.noc.router.kind + " " + s.noc.router.pipeline;
}

/// f(bench) for every legal combination of a sample with routings and routers; how many there were.
template <class F>
std::size_t each_combination(const Sample& sample, F f) {
    std::size_t n = 0;
    for (const std::string& routing : noc::builtin().routings.names()) {
        for (const Router& router : routers()) {
            const auto bench = bench_or_refusal(spec_of(sample, router, routing));
            if (bench == nullptr) continue;
            SCOPED_TRACE(sample.name + ": " + combination(bench->spec));
            f(*bench);
            ++n;
        }
    }
    return n;
}

class EachSample : public ::testing::TestWithParam<Sample> {};
inline auto all_samples() {
    return ::testing::ValuesIn(samples());
}
inline std::string sample_name(const ::testing::TestParamInfo<Sample>& i) {
    return i.param.name;
}
inline void PrintTo(const Sample& s, std::ostream* out) {
    *out << s.name;
}

}  // namespace loom::testing
