// SPDX-License-Identifier: Apache-2.0
// The network alone: flit-hops per second under uniform random traffic, and what an idle one costs.
#include <benchmark/benchmark.h>

#include <deque>
#include <memory>

#include "noc/catalogue.hpp"
#include "sim/base/rng.hpp"

namespace loom {
namespace {

/// All endpoints of a mesh: Bernoulli injection of single-flit packets to random others, immediate
/// ejection.
class Load final : public Clocked {
  public:
    Load(unsigned side, double rate) : rate_(rate) {
        spec_.noc.size = {side, side};
        network_ = noc::make_network(spec_);
        network_id_ = scheduler_.add(*network_);
        id_ = scheduler_.add(*this);
        for (unsigned e = 0; e < side * side; ++e) {
            in_.emplace_back(1, 64);
            out_.emplace_back(1, 64);
        }
        for (unsigned e = 0; e < side * side; ++e) {
            in_[e].connect_consumer(scheduler_, network_id_, *network_, 2 * e);
            in_[e].connect_producer(scheduler_, id_, *this, 2 * e);
            out_[e].connect_producer(scheduler_, network_id_, *network_, 2 * e + 1);
            network_->attach(EndpointId{e}, {&in_[e], &out_[e]});
        }
        scheduler_.wake(id_, 0);
    }
    Cycle evaluate(Cycle now) override {
        if (rate_ == 0) return kNever;
        const auto n = static_cast<std::uint32_t>(in_.size());
        for (std::uint32_t e = 0; e < n; ++e) {
            while (out_[e].peek(now) != nullptr) out_[e].take(now);
            const std::uint32_t word = rng_.word(e, static_cast<std::uint32_t>(now));
            if (word * 0x1p-32 >= rate_ || !in_[e].can_send(now)) continue;
            Packet p;
            p.destination =
                Destination::endpoint(EndpointId{rng_.word(e, static_cast<std::uint32_t>(now), 1) % n});
            in_[e].send(now, p);
        }
        return now + 1;
    }
    Scheduler& scheduler() { return scheduler_; }
    double flit_hops() const {
        double n = 0;
        for (const auto& c : network_->counters()) n += static_cast<double>(c.flit_hops());
        return n;
    }

  private:
    arch::ChipSpec spec_;
    double rate_;
    Scheduler scheduler_;
    std::unique_ptr<noc::Network> network_;
    Scheduler::ComponentId network_id_ = 0, id_ = 0;
    std::deque<Link<Packet>> in_, out_;
    CounterRng rng_{1, 1};
};

void router_step(benchmark::State& state) {
    Load load(static_cast<unsigned>(state.range(0)), static_cast<double>(state.range(1)) / 100.0);
    for (int i = 0; i < 1000; ++i) load.scheduler().run_next();
    const double before = load.flit_hops();
    for (auto _ : state) load.scheduler().run_next();
    state.counters["flit_hops/s"] =
        benchmark::Counter(load.flit_hops() - before, benchmark::Counter::kIsRate);
    state.counters["cycles/s"] =
        benchmark::Counter(static_cast<double>(state.iterations()), benchmark::Counter::kIsRate);
}
BENCHMARK(router_step)->ArgNames({"side", "percent"})->Args({8, 10})->Args({8, 30})->Args({16, 20});

void idle_network(benchmark::State& state) {
    Load load(64, 0);
    for (auto _ : state) load.scheduler().step();
    state.counters["cycles/s"] =
        benchmark::Counter(static_cast<double>(state.iterations()), benchmark::Counter::kIsRate);
}
BENCHMARK(idle_network);

}  // namespace
}  // namespace loom
