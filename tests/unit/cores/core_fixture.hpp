// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <memory>
#include <utility>
#include <vector>

#include "base/clocking/scheduler.hpp"
#include "cores/catalogue.hpp"
#include "cores/cim/cim_core.hpp"
#include "tests/support/core_kinds.hpp"

namespace loom::testing {

/// Sends given packets at given cycles (as soon as there is room), takes what comes back.
class Peer final : public Clocked {
  public:
    Peer(Scheduler& s, Activity& activity, Link<Packet>& to_core, Link<Packet>& from_core)
        : scheduler_(s), activity_(activity), to_core_(to_core), from_core_(from_core), id_(s.add(*this)) {
        to_core.connect_producer(s, id_, *this, 0);
        from_core.connect_consumer(s, id_, *this, 1);
    }
    void send(Cycle at, std::uint32_t axon, std::int64_t payload = 1) {
        Packet p;
        p.axon = axon;
        p.payload = payload;
        queue_.emplace_back(at, p);
        activity_.raise();
        scheduler_.wake(id_, at);
    }
    Cycle evaluate(Cycle now) override {
        while (accept && from_core_.peek(now) != nullptr) {
            received.emplace_back(now, from_core_.take(now));
            activity_.lower(now);
        }
        if (next_ == queue_.size()) return kNever;
        if (queue_[next_].first > now) return queue_[next_].first;
        if (!to_core_.can_send(now)) return kNever;
        to_core_.send(now, queue_[next_++].second);
        return next_ < queue_.size() ? now + 1 : kNever;
    }
    void poke(Cycle at) { scheduler_.wake(id_, at); }

    std::vector<std::pair<Cycle, Packet>> received;
    bool accept = true;

  private:
    Scheduler& scheduler_;
    Activity& activity_;
    Link<Packet>&to_core_, &from_core_;
    Scheduler::ComponentId id_;
    std::vector<std::pair<Cycle, Packet>> queue_;
    std::size_t next_ = 0;
};

/// Parameters of an integrator with a threshold, in both arithmetics.
inline void set_integrator(arch::NeuronGroup& g, std::int64_t threshold, double real_threshold) {
    auto& p = g.parameters;
    for (const char* name : {"bias", "v_reset", "v_min"}) p[name] = {{0}, {0.0}};
    for (const char* name : {"a", "leak"}) p[name].d = {0.0};
    for (const char* name : {"k", "r"}) p[name].d = {1.0};
    p["decay_v"].i = {4096};
    p["threshold"] = {{threshold}, {real_threshold}};
    g.integration = arch::Integration::Integrate;
}

/// One core with a dense layer of `neurons` neurons on `inputs` axons, all weights 1, thresholds out of
/// reach, decay 1 (an integrator); tests change what they need before build().
struct CoreFixture {
    arch::ChipSpec spec{support::core_kinds()};
    arch::Program program;
    std::shared_ptr<arch::CoreImage> image = std::make_shared<arch::CoreImage>();
    cores::CoreSchedule schedule;
    Scheduler scheduler;
    Activity activity;
    std::unique_ptr<Link<Packet>> in, out;
    std::unique_ptr<Peer> peer;
    std::unique_ptr<cores::Core> core;
    Scheduler::ComponentId core_id = 0;

    explicit CoreFixture(std::uint32_t inputs = 4, std::uint32_t neurons = 8) {
        spec.core.soma.weight_shift = -1;
        program.layers.resize(2);
        arch::NeuronGroup g;
        g.layer = LayerId{1};
        g.count = neurons;
        set_integrator(g, 1 << 30, 1e30);
        for (std::uint32_t n = 0; n < neurons; ++n) g.layer_index.push_back(n);
        image->neurons = {g};
        image->n_neurons = neurons;
        image->endpoint = EndpointId{0};
        image->fanout.row.assign(neurons + 1, 0);
        dense(inputs, std::vector<double>(std::size_t{inputs} * neurons, 1.0));
    }
    arch::NeuronGroup& neurons() { return image->neurons[0]; }
    arch::AxonGroup& axons() { return image->axons[0]; }

    void dense(std::uint32_t inputs, const std::vector<double>& weights) {
        arch::AxonGroup a;
        a.target = LayerId{1};
        a.count = inputs;
        a.rows = arch::DenseRows{image->n_neurons};
        auto block = std::make_shared<arch::WeightBlock>();
        if (program.fixed) {
            block->values = std::vector<std::int8_t>(weights.begin(), weights.end());
        } else {
            block->values = weights;
        }
        a.weights = block;
        image->axons = {a};
        image->n_axons = inputs;
    }
    /// Every neuron gets `entries` fan-out entries to endpoint 7, axons 100, 101, ...
    void fanout(std::uint32_t entries) {
        image->fanout = {};
        for (std::uint32_t n = 0; n < image->n_neurons; ++n) {
            for (std::uint32_t e = 0; e < entries; ++e)
                image->fanout.entries.push_back({EndpointId{7}, 100 + e});
            image->fanout.row.push_back(static_cast<std::uint32_t>(image->fanout.entries.size()));
        }
    }
    void build() {
        in = std::make_unique<Link<Packet>>(1, spec.core.axon_in.fifo);
        out = std::make_unique<Link<Packet>>(1, 2);
        cores::CoreContext context;
        context.scheduler = &scheduler;
        context.activity = &activity;
        context.in = in.get();
        context.out = out.get();
        core = cores::make_core(spec, image, program, context, schedule);
        core_id = scheduler.add(*core);
        core->set_component(core_id);
        in->connect_consumer(scheduler, core_id, *core, 0);
        out->connect_producer(scheduler, core_id, *core, 1);
        peer = std::make_unique<Peer>(scheduler, activity, *in, *out);
    }
    /// Runs until nothing is due; returns the cycle of the last work.
    Cycle drain() {
        while (scheduler.run_next()) {
        }
        return activity.last_change();
    }
    const cores::CoreCounters& counters() const { return core->counters()[0]; }
    /// The own counters of a core of kind cim.
    const cores::CimCoreCounters& cim() const { return dynamic_cast<const cores::CimCore&>(*core).own()[0]; }
};

}  // namespace loom::testing
