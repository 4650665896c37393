// SPDX-License-Identifier: Apache-2.0
#include "noc/network_base.hpp"

#include "base/error.hpp"
#include "noc/routing/way.hpp"

namespace loom::noc {

NetworkBase::NetworkBase(const arch::ChipSpec& spec, Topology topology, NetworkState& state)
    : spec_(spec.noc), period_(spec.clock.period), topology_(std::move(topology)), state_(state) {
    find_multicast_style(spec_.multicast.style);  // a name is checked before the first set
}

void NetworkBase::reset() {
    if (state_.in_flight != 0 || !state_.relays.empty())
        throw InternalError("the network is reset while packets are in it");
    state_.epoch = kNever;
}

std::uint32_t NetworkBase::add_set(EndpointId source, std::span<const std::uint32_t> members) {
    if (sets_ == nullptr) {
        auto sets = std::make_unique<MulticastSets>(topology_, *routing_, spec_.multicast);
        prepare_for_sets(*sets);
        sets_ = std::move(sets);
        state_.sets = sets_.get();
    }
    sets_open_ = true;
    return sets_->add(index(source), members);
}

void NetworkBase::finish_sets() {
    sets_->finish();
    sets_open_ = false;
    check_sets(*sets_);
}

void NetworkBase::clear_sets() {
    if (state_.in_flight != 0) throw InternalError("sets are cleared while packets are in the network");
    if (sets_ != nullptr) sets_->clear();
}

Network::SetLinks NetworkBase::set_links(std::uint32_t set) const {
    return {sets_->tree_links(set), sets_->unicast_links(set)};
}

std::uint32_t NetworkBase::n_sets() const {
    return sets_ == nullptr ? 0 : static_cast<std::uint32_t>(sets_->size());
}

std::string NetworkBase::describe_tables() const {
    return sets_ == nullptr ? "" : sets_->describe_tables();
}

unsigned NetworkBase::zero_load_hops(EndpointId from, EndpointId to) const {
    return cost_of(topology_, way_of(*routing_, index(from), index(to))).hops;
}

}  // namespace loom::noc
