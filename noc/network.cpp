// SPDX-License-Identifier: Apache-2.0
#include "noc/network.hpp"

#include "noc/endpoint_port.hpp"

namespace loom::noc {

void Network::join(Scheduler& scheduler, Scheduler::ComponentId id, EndpointId endpoint, EndpointLinks links) {
    const std::uint32_t e = index(endpoint);
    if (links.in != nullptr)
        links.in->connect_consumer(scheduler, id, *this, EndpointPort{e, EndpointPort::kIn}.number());
    if (links.out != nullptr)
        links.out->connect_producer(scheduler, id, *this, EndpointPort{e, EndpointPort::kOut}.number());
    attach(endpoint, links);
}

}  // namespace loom::noc
