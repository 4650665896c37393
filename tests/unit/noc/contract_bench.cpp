// SPDX-License-Identifier: Apache-2.0
#include "contract_bench.hpp"

#include <algorithm>
#include <random>
#include <tuple>

#include "base/error.hpp"
#include "noc/catalogue.hpp"
#include "noc/vc/pipeline.hpp"

namespace loom::testing {

const std::vector<Sample>& samples() {
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

const Sample& sample(const std::string& name) {
    for (const Sample& s : samples()) {
        if (s.name == name) return s;
    }
    throw InternalError("no sample " + name);
}

std::vector<Router> all_routers() {
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

arch::ChipSpec spec_of(const Sample& sample, const Router& router, const std::string& routing) {
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

Bench::Bench(const arch::ChipSpec& chip, std::uint64_t shuffle)
    : Bench(chip, noc::make_network(chip), shuffle) {}

Bench::Bench(const arch::ChipSpec& chip, std::unique_ptr<noc::Network> n, std::uint64_t shuffle)
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

void Bench::offer(Cycle at, std::uint32_t from, Destination to, unsigned flits, std::uint32_t number,
                  unsigned message_class) {
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

Cycle Bench::evaluate(Cycle now) {
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

noc::NocCounters Bench::total() const {
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

void Bench::expect_empty(const std::string& what) {
    const noc::NocCounters c = total();
    EXPECT_EQ(network->flits_in_flight(), 0u) << what << ": " << network->describe_stuck(3);
    EXPECT_EQ(c.packets_expected, c.packets_delivered + c.packets_dropped) << what;
    EXPECT_EQ(c.packets_delivered, n_arrivals) << what;
    EXPECT_EQ(queued_, 0u) << what;
}

std::unique_ptr<Bench> bench_or_refusal(const arch::ChipSpec& spec, std::uint64_t shuffle) {
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

std::string combination(const arch::ChipSpec& s) {
    return s.noc.topology + ", " + s.noc.routing + ", " + s.noc.router.kind + " " + s.noc.router.pipeline;
}

std::size_t each_combination(const Sample& sample, const std::function<void(Bench&)>& f) {
    std::size_t n = 0;
    for (const std::string& routing : noc::builtin().routings.names()) {
        for (const Router& router : all_routers()) {
            const auto bench = bench_or_refusal(spec_of(sample, router, routing));
            if (bench == nullptr) continue;
            SCOPED_TRACE(sample.name + ": " + combination(bench->spec));
            f(*bench);
            ++n;
        }
    }
    return n;
}

std::vector<std::uint64_t> all_to_one(Bench& b, Cycle cycles) {
    const std::uint32_t cores = b.network->topology().n_cores();
    std::vector<std::uint64_t> came(b.endpoints(), 0);
    for (std::uint32_t e = 0; e < cores; ++e) {
        for (unsigned i = 0; i < cycles; ++i) b.offer(3, e, 0, 1, i);
    }
    b.on_arrival = [&](const Bench::Arrival& a) { ++came[a.source]; };
    b.run_until(cycles);
    came.resize(cores);
    return came;
}

void offer_random(Bench& b, Cycle start, unsigned n, Cycle spread, unsigned most_flits, unsigned seed) {
    std::mt19937 random(seed);
    std::vector<std::tuple<Cycle, std::uint32_t, std::uint32_t, unsigned>> list;
    for (unsigned i = 0; i < n; ++i)
        list.emplace_back(random() % spread, random() % b.endpoints(), random() % b.endpoints(),
                          1 + random() % most_flits);
    std::sort(list.begin(), list.end());
    // flows of a schedule have one length
    const bool same = b.spec.noc.router.kind == "scheduled";
    std::uint32_t number = 0;
    for (const auto& [at, from, to, flits] : list)
        b.offer(start + at, from, to, same ? most_flits : flits, number++);
}

std::vector<Bench::Arrival> since(const std::vector<Bench::Arrival>& arrivals, Cycle start) {
    std::vector<Bench::Arrival> out = arrivals;
    for (auto& a : out) a.at -= start;
    return out;
}

}  // namespace loom::testing
