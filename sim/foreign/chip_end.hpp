// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "base/clocking/link.hpp"
#include "base/clocking/packet.hpp"
#include "sim/kernel/clock_domain.hpp"

namespace loom::foreign {

/// Keeps the books of a module's border: what a packet means when it crosses.
class Border {
  public:
    virtual ~Border() = default;
    /// The module takes a packet from the chip.
    virtual void entering(Cycle now, const Packet& packet) = 0;
    /// The module hands a packet to the chip; what is the chip's to say is filled in.
    virtual void leaving(Cycle now, Packet& packet) = 0;
};

/// The chip's end of one channel for packets each way. A port carries them over to the module.
/// Everything that takes `now` is called while the border acts in cycle `now`.
class ChipEnd {
  public:
    explicit ChipEnd(Border& border) : border_(border) {}
    /// Null: nothing passes that way.
    void attach(Link<Packet>* to_module, Link<Packet>* to_chip) {
        to_module_ = to_module;
        to_chip_ = to_chip;
    }
    /// component: the border's number in the scheduler.
    void bind(kernel::ClockDomain& domain, Scheduler::ComponentId component) {
        domain_ = &domain;
        component_ = component;
    }

    /// The next packet for the module, or nullptr.
    const Packet* front(Cycle now) const { return to_module_ == nullptr ? nullptr : to_module_->peek(now); }
    /// The module has taken it: its place in the FIFO is free.
    void take(Cycle now) {
        border_.entering(now, to_module_->front(now));
        to_module_->drop(now);
    }
    /// When false, the border acts again in the cycle in which a credit is back.
    bool can_send(Cycle now) { return to_chip_ != nullptr && to_chip_->can_send(now); }
    void send(Cycle now, Packet packet) {
        border_.leaving(now, packet);
        to_chip_->send(now, packet);
    }

    /// The border acts in the first cycle that begins `delay` from now or later, not before the next.
    void wake(sc_core::sc_time delay = sc_core::SC_ZERO_TIME) const { domain_->wake(component_, delay); }
    const kernel::ClockDomain& domain() const { return *domain_; }

  private:
    Border& border_;
    Link<Packet>* to_module_ = nullptr;
    Link<Packet>* to_chip_ = nullptr;
    kernel::ClockDomain* domain_ = nullptr;
    Scheduler::ComponentId component_ = 0;
};

}  // namespace loom::foreign
