// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <bit>
#include <cstdint>

#include "base/ids.hpp"
#include "base/clocking/scheduler.hpp"

namespace loom {

/// Where a packet goes. Opaque to everything but the network's routing function, so that
/// multicast keys, regions and relative addresses can join without touching cores.
struct Destination {
    enum class Kind : std::uint8_t { Endpoint, Set };
    Kind kind = Kind::Endpoint;
    std::uint32_t value = 0;

    /// Several endpoints: a set that the network knows (Network::add_set).
    static constexpr Destination set(std::uint32_t id) { return {Kind::Set, id}; }
    static constexpr Destination endpoint(EndpointId id) {
        return {Kind::Endpoint, static_cast<std::uint32_t>(id)};
    }
};

/// One spike message as cores see it. The network may cut it into several flits.
struct Packet {
    Destination destination;
    EndpointId source{};
    std::uint32_t axon = 0;     ///< input axon at the destination core
    std::uint16_t tag = 0;      ///< source layer: counters are kept per tag
    std::uint16_t flits = 1;    ///< length on the network, >= 1
    std::int64_t payload = 1;   ///< 1 for a plain spike; a graded value; or the bits of a double
    std::uint32_t entered = 0;  ///< cycle (low bits) in which it left its source queue; set by the network
    std::uint32_t head = 0;     ///< cycle in which its head left the last router, where the fabric says so
    std::uint16_t hops = 0;     ///< links crossed; set by the network
    std::uint8_t message_class = 0;
    std::uint32_t set = ~std::uint32_t{0};  ///< destination set it was sent to, if any; set by the network

    static std::int64_t from_double(double v) { return std::bit_cast<std::int64_t>(v); }
    static double to_double(std::int64_t p) { return std::bit_cast<double>(p); }
};

/// Work that is under way anywhere on the chip: packets not yet consumed and cores not yet done
/// with their timestep. Zero means that the timestep has drained. `raise` before `lower` of whatever
/// caused it, so that the value never touches zero while work is left.
class Activity {
  public:
    void raise(std::int64_t n = 1) { outstanding_ += n; }
    void lower(Cycle now, std::int64_t n = 1) {
        outstanding_ -= n;
        if (now > last_change_) last_change_ = now;
        if (outstanding_ == 0 && watcher_ != nullptr) watcher_->wake(watcher_id_, now + 1);
    }
    /// `id` is evaluated in the cycle after the last work is done.
    void watch(Scheduler& scheduler, Scheduler::ComponentId id) {
        watcher_ = &scheduler;
        watcher_id_ = id;
    }
    std::int64_t outstanding() const { return outstanding_; }
    /// Cycle of the latest `lower`: progress, for the watchdog and for the drain time.
    Cycle last_change() const { return last_change_; }
    void reset() { outstanding_ = 0; }

  private:
    std::int64_t outstanding_ = 0;
    Cycle last_change_ = 0;
    Scheduler* watcher_ = nullptr;
    Scheduler::ComponentId watcher_id_ = 0;
};

}  // namespace loom
