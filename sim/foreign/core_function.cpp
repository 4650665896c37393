// SPDX-License-Identifier: Apache-2.0
#include "sim/foreign/core_function.hpp"

#include "base/error.hpp"
#include "cores/near_memory/delay_ring.hpp"
#include "cores/near_memory/neuron_stage.hpp"
#include "cores/near_memory/soma.hpp"

namespace loom::foreign {

struct CoreFunction::State {
    explicit State(const CoreSite& s)
        : site(s),
          ring(static_cast<std::uint32_t>(s.core().dendrite.max_delay) + 1, s.image.n_neurons),
          soma(s.core(), s.image,
               s.neuron_models == nullptr ? cores::builtin_neuron_models() : *s.neuron_models) {}

    const CoreSite& site;
    cores::DelayRing<std::int64_t> ring;
    cores::Soma<std::int64_t> soma;
    cores::CoreCounters counters;  ///< of the soma; not the module's
    std::vector<CoreModule::Fired> fired;
    Step step = 0;
};

CoreFunction::CoreFunction(const CoreSite& site) : state_(std::make_unique<State>(site)) {
    if (!site.program.fixed)
        throw UnsupportedError("CoreFunction: programs in float64 are not for foreign cores");
    if (!site.image.psums_out.empty() || !site.image.psums_in.empty())
        throw UnsupportedError("CoreFunction: cores that exchange partial sums");
}
CoreFunction::~CoreFunction() = default;
CoreFunction::CoreFunction(CoreFunction&&) noexcept = default;

void CoreFunction::deliver(const Packet& packet) {
    const arch::AxonGroup& g = state_->site.image.axons[cores::axon_group(state_->site.image, packet.axon)];
    state_->ring.deliver(g, packet.axon - g.first, packet.payload, state_->step + g.delay);
}

std::span<const CoreModule::Fired> CoreFunction::begin_step(Step step) {
    State& s = *state_;
    s.step = step;
    s.fired.clear();
    const std::uint32_t every = s.site.schedule.reset_every;
    for (std::size_t k = 0; k < s.site.image.neurons.size(); ++k) {
        const arch::NeuronGroup& g = s.site.image.neurons[k];
        if (!s.site.active(g, step)) continue;
        if (every != 0 && step % every == g.start_step % every) s.soma.reset(k);
        s.soma.sweep(k, 0, g.count, s.ring.open(step), nullptr, s.counters);
        for (const cores::FiredNeuron& f : s.soma.fired()) s.fired.push_back({f.neuron, f.spikes});
    }
    s.ring.close(step);
    return s.fired;
}

std::vector<Packet> CoreFunction::packets(const CoreModule::Fired& fired) const {
    const arch::FanoutTable& t = state_->site.image.fanout;
    std::vector<Packet> out;
    for (std::uint32_t i = t.row[fired.neuron]; i < t.row[fired.neuron + 1]; ++i) {
        Packet p;
        p.destination = Destination::endpoint(t.entries[i].core);
        p.axon = t.entries[i].axon;
        p.payload = fired.spikes;
        out.push_back(p);
    }
    return out;
}

bool CoreFunction::has_fanout(std::uint32_t neuron) const {
    const arch::FanoutTable& t = state_->site.image.fanout;
    return t.row[neuron] != t.row[neuron + 1];
}

void CoreFunction::reset() {
    state_->ring.reset();
    for (std::size_t k = 0; k < state_->site.image.neurons.size(); ++k) state_->soma.reset(k);
}

double CoreFunction::membrane(std::uint32_t neuron) const {
    return static_cast<double>(state_->soma.membrane(neuron));
}

double CoreFunction::current(std::uint32_t neuron) const {
    return static_cast<double>(state_->soma.current(neuron));
}

}  // namespace loom::foreign
