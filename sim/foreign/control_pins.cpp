// SPDX-License-Identifier: Apache-2.0
#include "sim/foreign/control_pins.hpp"

namespace loom::foreign {

ControlPins::ControlPins(sc_core::sc_module_name name) : sc_module(name) {
    SC_HAS_PROCESS(ControlPins);
    SC_METHOD(step);
    dont_initialize();
    sensitive << drive_;
}

void ControlPins::run(const kernel::ClockDomain& domain, Cycle now) {
    domain_ = &domain;
    now_ = now;
    drive_.notify(sc_core::SC_ZERO_TIME);
}

void ControlPins::step() {
    const auto now = sc_core::sc_time_stamp();
    const auto begin = domain_->time_of(now_), end = domain_->time_of(now_ + 1);
    switch (phase_) {
        case Phase::Low:
            rst.write(rst_);
            tick.write(tick_);
            rst_ = tick_ = false;
            for (PinLine* line : lines_) line->drive();
            phase_ = Phase::Driven;
            next_trigger(begin + (end - begin) / 2 - now);
            return;
        case Phase::Driven:
            for (PinLine* line : lines_) line->edge(now_);
            clk.write(true);
            phase_ = Phase::High;
            next_trigger(end - now);
            return;
        case Phase::High:
            clk.write(false);
            rst.write(false);
            tick.write(false);
            phase_ = Phase::Low;
            return;
    }
}

}  // namespace loom::foreign
