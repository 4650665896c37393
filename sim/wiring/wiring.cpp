// SPDX-License-Identifier: Apache-2.0
#include "sim/wiring/wiring.hpp"

#include "noc/catalogue.hpp"

namespace loom::chip {

Wiring::Wiring(const arch::ChipSpec& spec, Scheduler& scheduler)
    : Wiring(noc::make_network(spec), scheduler) {}

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
    const std::uint32_t e = index(endpoint);
    if (ends.in != nullptr) {
        ends.in->connect_producer(scheduler_, network_id_, *network_, 2 * e + 1);
        ends.in->connect_consumer(scheduler_, id, component, kArrivals);
    }
    ends.out->connect_producer(scheduler_, id, component, kCredits);
    ends.out->connect_consumer(scheduler_, network_id_, *network_, 2 * e);
    network_->attach(endpoint, {ends.out, ends.in});
}

}  // namespace loom::chip
