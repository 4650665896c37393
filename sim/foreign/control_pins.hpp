// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <systemc>
#include <vector>

#include "sim/kernel/clock_domain.hpp"

namespace loom::foreign {

/// What the data pins of one face do in a clock cycle.
class PinLine {
  public:
    virtual ~PinLine() = default;
    /// The chip's pins get their values for the cycle.
    virtual void drive() = 0;
    /// The clock rises: what the pins show is what happens in cycle `now`.
    virtual void edge(Cycle now) = 0;
};

/// The pins that a module has once: clk, rst and tick to it, busy from it.
///
/// In a cycle of the chip that begins at time t, the chip's pins change at t, clk rises in the middle of the
/// cycle and falls at its end; what valid and ready show when clk rises is what happens in that cycle. So
/// ready may depend on valid by logic alone. The clock stands still while the module has nothing to do: busy
/// is low and nothing is at its faces.
///   rst    for one rising edge before a sample
///   tick   for one rising edge when a timestep begins
///   busy   holds the timestep open; it is looked at in the cycles after an edge
class ControlPins : public sc_core::sc_module {
  public:
    explicit ControlPins(sc_core::sc_module_name name);

    sc_core::sc_signal<bool> clk{"clk"}, rst{"rst"}, tick{"tick"}, busy{"busy"};

    void reset() { rst_ = true; }
    void begin_step() { tick_ = true; }
    void add(PinLine& line) { lines_.push_back(&line); }
    /// Whether the clock has to go on for the module's sake.
    bool needed() const { return rst_ || tick_ || busy.read(); }
    /// Clocks the module once, in cycle `now`. Asked for by any number of faces.
    void run(const kernel::ClockDomain& domain, Cycle now);

  private:
    void step();

    enum class Phase { Low, Driven, High };
    Phase phase_ = Phase::Low;
    const kernel::ClockDomain* domain_ = nullptr;
    Cycle now_ = 0;
    bool rst_ = false, tick_ = false;
    std::vector<PinLine*> lines_;
    sc_core::sc_event drive_;
};

}  // namespace loom::foreign
