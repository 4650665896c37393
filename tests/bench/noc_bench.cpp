// SPDX-License-Identifier: Apache-2.0
// The network alone with its traffic: flit-hops per second at the points for which BookSim2's and Noxim's
// speed is known, what an idle network costs, and what a large one with the traffic of a small one costs.
#include <benchmark/benchmark.h>

#include <memory>

#include "noc/catalogue.hpp"
#include "noc/traffic/load.hpp"
#include "tests/support/counted_new.hpp"

namespace loom {
namespace {

/// Uniform among the nodes of the corner of side x side routers.
class Corner final : public noc::Pattern {
  public:
    Corner(const noc::Topology& t, std::uint16_t side) : topology_(t), side_(side) {}
    std::uint32_t destination(std::uint32_t node, std::uint64_t n,
                              const noc::TrafficRng& rng) const override {
        const std::uint64_t word = rng.word(node, n, 1) % (std::uint64_t{side_} * side_);
        return topology_.router_at(
            {static_cast<std::uint16_t>(word % side_), static_cast<std::uint16_t>(word / side_), 0});
    }
    double share(std::uint32_t node) const override {
        const noc::Coord c = topology_.coord(node);
        return c.x < side_ && c.y < side_ ? 1 : 0;
    }

  private:
    const noc::Topology& topology_;
    std::uint16_t side_;
};

/// A square mesh with xy routing and single-flit packets in its corner of `busy` x `busy` nodes.
class Experiment {
  public:
    Experiment(unsigned side, unsigned busy, unsigned vcs, unsigned buffer, double rate, unsigned flits) {
        spec_.noc.size = {side, side};
        spec_.noc.routing = "xy";
        spec_.noc.router.vcs = vcs;
        spec_.noc.router.buffer = buffer;
        traffic_.rate = rate;
        traffic_.packet_size = flits;
        network_ = noc::make_network(spec_);
        pattern_ = std::make_unique<Corner>(network_->topology(), static_cast<std::uint16_t>(busy));
        load_ = std::make_unique<noc::Load>(*network_, scheduler_, traffic_, pattern_.get(), nullptr, 1);
    }
    void run(Cycles cycles) {
        const Cycle end = scheduler_.now() + cycles;
        while (scheduler_.next() < end) scheduler_.run_next();
    }
    double flit_hops() const {
        double n = 0;
        for (const auto& c : network_->counters()) n += static_cast<double>(c.flit_hops());
        return n;
    }

  private:
    arch::ChipSpec spec_;
    noc::TrafficSpec traffic_;
    Scheduler scheduler_;
    std::unique_ptr<noc::Network> network_;
    std::unique_ptr<noc::Pattern> pattern_;
    std::unique_ptr<noc::Load> load_;
};

/// args: side, VCs, buffer, rate in 1/1000 flits per node and cycle, flits of a packet, link hops per second
/// in thousands that the peer makes there (reference measurements, another machine: BookSim2; Noxim where
/// flits = 2).
void loaded(benchmark::State& state) {
    const auto arg = [&](std::size_t i) { return static_cast<unsigned>(state.range(i)); };
    Experiment e(arg(0), arg(0), arg(1), arg(2), arg(3) / 1000.0, arg(4));
    e.run(20000);
    const double before = e.flit_hops();
    const std::size_t allocations_before = testing::allocations();
    for (auto _ : state) e.run(100);
    const double hops = e.flit_hops() - before;
    using benchmark::Counter;
    state.counters["flit_hops/s"] = Counter(hops, Counter::kIsRate);
    state.counters["cycles/s"] = Counter(100.0 * static_cast<double>(state.iterations()), Counter::kIsRate);
    state.counters["x_peer"] = Counter(hops / (1000.0 * arg(5)), Counter::kIsRate);
    state.counters["allocations/Mhop"] =
        1e6 * static_cast<double>(testing::allocations() - allocations_before) / hops;
}
BENCHMARK(loaded)
    ->ArgNames({"side", "vcs", "buffer", "rate/1000", "flits", "peer_khops/s"})
    ->Args({8, 1, 4, 10, 1, 91})
    ->Args({8, 1, 4, 100, 1, 279})
    ->Args({8, 1, 4, 220, 1, 309})
    ->Args({8, 4, 8, 10, 1, 73})
    ->Args({8, 4, 8, 220, 1, 161})
    ->Args({16, 1, 4, 10, 1, 95})
    ->Args({16, 1, 4, 50, 1, 143})
    ->Args({16, 1, 4, 110, 1, 138})
    ->Args({16, 4, 8, 10, 1, 71})
    ->Args({16, 4, 8, 110, 1, 95})
    ->Args({32, 1, 4, 10, 1, 62})
    ->Args({32, 1, 4, 30, 1, 121})
    ->Args({32, 1, 4, 50, 1, 136})
    ->Args({32, 4, 8, 10, 1, 46})
    ->Args({32, 4, 8, 50, 1, 100})
    ->Args({8, 1, 4, 10, 2, 62})
    ->Args({8, 1, 4, 100, 2, 159})
    ->Args({8, 1, 4, 150, 2, 166})
    ->Args({16, 1, 4, 10, 2, 56})
    ->Args({16, 1, 4, 50, 2, 120})
    ->Args({16, 1, 4, 80, 2, 116})
    ->Args({32, 1, 4, 10, 2, 61})
    ->Args({32, 1, 4, 20, 2, 87})
    ->Args({32, 1, 4, 40, 2, 98});

/// The traffic of an 8x8 mesh, in an 8x8 and in the corner of a 64x64: times per cycle to compare.
void corner_traffic(benchmark::State& state) {
    Experiment e(static_cast<unsigned>(state.range(0)), 8, 4, 8, 0.1, 1);
    e.run(3000);
    const double before = e.flit_hops();
    for (auto _ : state) e.run(100);
    state.counters["flit_hops/s"] = benchmark::Counter(e.flit_hops() - before, benchmark::Counter::kIsRate);
}
BENCHMARK(corner_traffic)->ArgName("side")->Arg(8)->Arg(64);

/// An idle 64x64 mesh, stepped through every cycle.
void idle_stepped(benchmark::State& state) {
    arch::ChipSpec spec;
    spec.noc.size = {64, 64};
    const std::size_t before = testing::allocated_bytes();
    const auto network = noc::make_network(spec);
    const auto bytes = static_cast<double>(testing::allocated_bytes() - before);
    Scheduler scheduler;
    scheduler.add(*network);
    for (auto _ : state) scheduler.step();
    state.counters["cycles/s"] =
        benchmark::Counter(static_cast<double>(state.iterations()), benchmark::Counter::kIsRate);
    state.counters["bytes/router"] = bytes / 4096.0;
}
BENCHMARK(idle_stepped);

/// One packet across a 64x64 mesh every 10^9 cycles: the empty ones cost one jump.
void idle_jump(benchmark::State& state) {
    Experiment e(64, 1, 4, 8, 1e-9, 1);
    for (auto _ : state) e.run(1'000'000'000);
    state.counters["cycles/s"] =
        benchmark::Counter(1e9 * static_cast<double>(state.iterations()), benchmark::Counter::kIsRate);
}
BENCHMARK(idle_jump)->Iterations(10);

}  // namespace
}  // namespace loom
