// SPDX-License-Identifier: Apache-2.0
// Synaptic operations per second of a near-memory core at cycle fidelity: packets arrive over the link,
// pass the modelled pipeline, and every timestep sweeps the neurons.
#include <benchmark/benchmark.h>

#include <memory>

#include "base/rng.hpp"
#include "cores/catalogue.hpp"
#include "tests/support/core_kinds.hpp"

namespace loom {
namespace {

using Arithmetic = arch::Arithmetic;

/// Delivers a list of axons, as fast as the core takes them.
class Source final : public Clocked {
  public:
    Source(Link<Packet>& link, Activity& activity) : link_(link), activity_(activity) {}
    void begin(std::vector<std::uint32_t> axons) {
        axons_ = std::move(axons);
        next_ = 0;
        if (!axons_.empty()) activity_.raise();
    }
    Cycle evaluate(Cycle now) override {
        while (next_ < axons_.size() && link_.can_send(now)) {
            Packet p;
            p.axon = axons_[next_++];
            activity_.raise();
            link_.send(now, p);
            if (next_ == axons_.size()) activity_.lower(now);
        }
        return kNever;
    }

  private:
    Link<Packet>& link_;
    Activity& activity_;
    std::vector<std::uint32_t> axons_;
    std::size_t next_ = 0;
};

struct Setup {
    arch::ChipSpec spec{support::core_kinds()};
    arch::Program program;
    std::shared_ptr<arch::CoreImage> image = std::make_shared<arch::CoreImage>();
    Scheduler scheduler;
    Activity activity;
    Link<Packet> in{1, 16}, out{1, 4};
    Source source{in, activity};
    std::unique_ptr<cores::Core> core;
    Scheduler::ComponentId source_id = 0;

    Setup(std::uint32_t inputs, std::uint32_t neurons, Arithmetic arithmetic) {
        spec.core.soma.arithmetic = arithmetic;
        spec.core.soma.lanes = 4;
        program.fixed = arithmetic == Arithmetic::Fixed;
        program.layers.resize(2);
        image->n_neurons = neurons;
        image->n_axons = inputs;
        arch::NeuronGroup g;
        g.layer = LayerId{1};
        g.count = neurons;
        g.in_shift = 10;
        auto& p = g.parameters;
        for (const char* name : {"bias", "v_reset", "v_min"}) p[name] = {{0}, {0.125}};
        for (const char* name : {"k", "a", "leak", "r"}) p[name].d = {0.125};
        p["decay_v"].i = {3584};
        p["threshold"] = {{std::int64_t{1} << 40}, {1e30}};
        for (std::uint32_t n = 0; n < neurons; ++n) g.layer_index.push_back(n);
        image->neurons.push_back(g);
        arch::AxonGroup a;
        a.target = LayerId{1};
        a.count = inputs;
        a.rows = arch::DenseRows{neurons};
        auto block = std::make_shared<arch::WeightBlock>();
        const CounterRng rng(1, 1);
        std::vector<std::int8_t> w(std::size_t{inputs} * neurons);
        for (std::size_t i = 0; i < w.size(); ++i) w[i] = static_cast<std::int8_t>(rng.word(i, 0));
        if (program.fixed) {
            block->values = w;
        } else {
            block->values = std::vector<double>(w.begin(), w.end());
        }
        a.weights = block;
        image->axons.push_back(a);
        image->fanout.row.assign(neurons + 1, 0);
        core = cores::make_core(spec, image, program, {&scheduler, &activity, &in, &out}, {});
        const auto id = scheduler.add(*core);
        core->set_component(id);
        source_id = scheduler.add(source);
        in.connect_producer(scheduler, source_id, source);
        in.connect_consumer(scheduler, id, *core);
    }

    void step(Step s, std::vector<std::uint32_t> axons) {
        source.begin(std::move(axons));
        const Cycle now = scheduler.now() + 1;
        scheduler.wake(source_id, now);
        core->begin_step(now - 1, s);
        while (scheduler.run_next()) {
        }
    }
};

void dense(benchmark::State& state, Arithmetic arithmetic) {
    Setup s(1024, 1024, arithmetic);
    const CounterRng rng(7, 7);
    Step step = 0;
    for (auto _ : state) {
        std::vector<std::uint32_t> active;
        for (std::uint32_t a = 0; a < 1024; ++a) {
            if (rng.bernoulli(0.1, a, static_cast<std::uint32_t>(step % 16))) active.push_back(a);
        }
        s.step(step++, std::move(active));
    }
    const auto c = s.core->counters()[0];
    state.counters["sop/s"] = benchmark::Counter(static_cast<double>(c.ac), benchmark::Counter::kIsRate);
    state.counters["neuron_updates/s"] = benchmark::Counter(
        static_cast<double>(c.updates_active + c.updates_inactive), benchmark::Counter::kIsRate);
}
void core_row_fixed(benchmark::State& s) {
    dense(s, Arithmetic::Fixed);
}
void core_row_float64(benchmark::State& s) {
    dense(s, Arithmetic::Float64);
}
BENCHMARK(core_row_fixed);
BENCHMARK(core_row_float64);
// Two fixed lengths: under callgrind their difference is 400 timesteps and nothing else.
BENCHMARK(core_row_fixed)->Iterations(100);
BENCHMARK(core_row_fixed)->Iterations(500);

/// Neurons alone: a timestep without input.
void neuron_array(benchmark::State& state) {
    Setup s(1, 1024, Arithmetic::Fixed);
    Step step = 0;
    for (auto _ : state) s.step(step++, {});
    const auto c = s.core->counters()[0];
    state.counters["neuron_updates/s"] = benchmark::Counter(
        static_cast<double>(c.updates_active + c.updates_inactive), benchmark::Counter::kIsRate);
}
BENCHMARK(neuron_array);

}  // namespace
}  // namespace loom
