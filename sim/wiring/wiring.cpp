// SPDX-License-Identifier: Apache-2.0
#include "sim/wiring/wiring.hpp"

#include <fmt/format.h>

#include "base/error.hpp"
#include "noc/catalogue.hpp"

namespace loom::chip {

Wiring::Wiring(const arch::ChipSpec& spec, Scheduler& scheduler)
    : Wiring(noc::make_network(spec), scheduler) {
    const std::uint64_t cores = network_->topology().n_cores();
    if (spec.n_cores() == cores) return;
    throw InternalError(
        fmt::format("the chip says that it has {} cores, its network has {}: NocSpec::shapes is not set",
                    spec.n_cores(), cores));
}

Wiring::Wiring(std::unique_ptr<noc::Network> network, Scheduler& scheduler)
    : scheduler_(scheduler), network_(std::move(network)), network_id_(scheduler.add(*network_)) {}

Wiring::Ends Wiring::add_links(std::size_t in_slots) {
    const auto add = [&](Cycles latency, std::size_t slots) {
        return links_.emplace_back(std::make_unique<Link<Packet>>(latency, slots)).get();
    };
    Ends ends;
    if (in_slots != 0) ends.in = add(network_->topology().local_latency, in_slots);
    ends.out = add(1, kOutSlots);
    return ends;
}

void Wiring::connect(EndpointId endpoint, Ends ends, Scheduler::ComponentId id, Clocked& component) {
    if (ends.in != nullptr) ends.in->connect_consumer(scheduler_, id, component, kArrivals);
    ends.out->connect_producer(scheduler_, id, component, kCredits);
    network_->join(scheduler_, network_id_, endpoint, {ends.out, ends.in});
}

}  // namespace loom::chip
