// SPDX-License-Identifier: Apache-2.0
#include "sim/foreign/foreign_core.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/checked_cast.hpp"
#include "base/error.hpp"

namespace loom::foreign {
namespace {

std::uint64_t place(EndpointId endpoint, std::uint32_t axon) {
    return std::uint64_t{index(endpoint)} << 32 | axon;
}

}  // namespace

ForeignCore::ForeignCore(CoreModule& module, const CoreSite& site, cores::CoreContext context)
    : module_(module),
      image_(site.image),
      context_(context),
      end_(*this),
      port_(module.face().connect(end_)),
      flits_plain_(checked_cast<std::uint16_t>(site.chip.packet_flits(image_.kind, false), "number of a packet's flits")),
      flits_graded_(checked_cast<std::uint16_t>(site.chip.packet_flits(image_.kind, true), "number of a packet's flits")),
      neuron_slot_(image_.n_neurons),
      fires_(image_.n_neurons) {
    for (const arch::NeuronGroup& g : image_.neurons) {
        std::fill_n(neuron_slot_.begin() + g.first, g.count, slot_of(g.layer));
        std::fill_n(fires_.begin() + g.first, g.count, g.rule.fires);
    }
    for (const arch::AxonGroup& a : image_.axons) slot_of(a.target);
    for (std::uint32_t n = 0; n < image_.n_neurons; ++n) {
        for (std::uint32_t i = image_.fanout.row[n]; i < image_.fanout.row[n + 1]; ++i) {
            const arch::FanoutEntry& e = image_.fanout.entries[i];
            sender_.emplace(place(e.core, e.axon), n);
        }
    }
    end_.attach(context.in, context.out);
    module_.load(site);
    module_.when_stirred([this] {
        if (domain_ != nullptr) domain_->wake(id_);
    });
}

void ForeignCore::bind(kernel::ClockDomain& domain) {
    domain_ = &domain;
    end_.bind(domain, id_);
}

void ForeignCore::begin_step(Cycle now, Step step) {
    step_ = step;
    begins_ = true;
    hold();
    evaluate(now);
}

/// The module is met after all of the cycle's components, at the cycle's own time.
Cycle ForeignCore::evaluate(Cycle) {
    if (domain_ == nullptr) throw InternalError("a foreign core without a clock domain");
    if (!asked_) domain_->on_time(*this);
    asked_ = true;
    return kNever;
}

void ForeignCore::act(Cycle now) {
    asked_ = false;
    if (begins_) {
        begins_ = false;
        spikes_.clear();
        spike_counts_.clear();
        module_.fired().clear();
        module_.begin_step(step_);
    }
    const Port::Exchange e = port_->exchange(now);
    if (e.next != kNever) domain_->wake_at(id_, e.next);
    if (e.open || module_.busy()) return hold();
    if (!held_) return;
    module_.collect_spikes();
    settle_spikes();
    release(now);
}

void ForeignCore::hold() {
    if (held_) return;
    held_ = true;
    context_.activity->raise();
    domain_->keep_time();
}

void ForeignCore::release(Cycle now) {
    held_ = false;
    domain_->release_time();
    context_.activity->lower(now);
}

void ForeignCore::entering(Cycle now, const Packet& packet) {
    const auto group = std::find_if(image_.axons.begin(), image_.axons.end(), [&](const arch::AxonGroup& a) {
        return packet.axon >= a.first && packet.axon - a.first < a.count;
    });
    if (group == image_.axons.end()) {
        throw ModelError(fmt::format("{}: a packet for axon {}, which the core does not have", module_.name(),
                                     packet.axon));
    }
    ++counters_[slot_of(group->target)].packets_in;
    hold();
    context_.activity->lower(now);
}

void ForeignCore::leaving(Cycle, Packet& packet) {
    const auto sender = packet.destination.kind == Destination::Kind::Endpoint
                            ? sender_.find(place(EndpointId{packet.destination.value}, packet.axon))
                            : sender_.end();
    if (sender == sender_.end()) {
        throw ModelError(
            fmt::format("{}: sends a packet to axon {} of core {}, which is in no neuron's fan-out",
                        module_.name(), packet.axon, packet.destination.value));
    }
    const std::uint32_t neuron = sender->second;
    const std::size_t slot = neuron_slot_[neuron];
    packet.source = image_.endpoint;
    packet.tag = static_cast<std::uint16_t>(index(layers_[slot]));
    packet.flits = packet.payload == 1 ? flits_plain_ : flits_graded_;
    ++counters_[slot].packets_out;
    const arch::FanoutEntry& first = image_.fanout.entries[image_.fanout.row[neuron]];
    if (fires_[neuron] && index(first.core) == packet.destination.value && first.axon == packet.axon)
        module_.fired().push_back({neuron, packet.payload});
    context_.activity->raise();
}

void ForeignCore::settle_spikes() {
    auto& fired = module_.fired();
    if (fired.empty()) return;
    for (const auto& f : fired) {
        if (f.neuron >= image_.n_neurons)
            throw ModelError(fmt::format("{}: neuron {} has fired, but the core has {}", module_.name(),
                                         f.neuron, image_.n_neurons));
        const auto at = std::lower_bound(spikes_.begin(), spikes_.end(), f.neuron);
        const auto i = at - spikes_.begin();
        if (at == spikes_.end() || *at != f.neuron) {
            spikes_.insert(at, f.neuron);
            spike_counts_.insert(spike_counts_.begin() + i, 0);
        }
        spike_counts_[static_cast<std::size_t>(i)] += f.spikes;
        counters_[neuron_slot_[f.neuron]].spikes += static_cast<std::uint64_t>(f.spikes);
    }
    fired.clear();
}

Cycles ForeignCore::reset_state() {
    spikes_.clear();
    spike_counts_.clear();
    module_.fired().clear();
    return module_.reset();
}

void ForeignCore::set_host_current(std::uint32_t, std::int64_t) {
    throw UnsupportedError(std::string(module_.name()) +
                           ": currents that the host computes cannot be set in a foreign core");
}

std::size_t ForeignCore::slot_of(LayerId layer) {
    const auto it = std::find(layers_.begin(), layers_.end(), layer);
    if (it != layers_.end()) return static_cast<std::size_t>(it - layers_.begin());
    layers_.push_back(layer);
    counters_.emplace_back();
    return layers_.size() - 1;
}

}  // namespace loom::foreign
