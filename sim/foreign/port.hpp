// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <memory>

#include "sim/foreign/chip_end.hpp"

namespace loom::foreign {

/// One channel for packets each way in the protocol of a face, on the chip's side of it.
class Port {
  public:
    virtual ~Port() = default;
    struct Exchange {
        bool open = false;    ///< a packet is on its way over the border, or the module needs its clock
        Cycle next = kNever;  ///< cycle in which to go on, when nothing else wakes the border
    };
    /// Moves packets as the protocol allows. Once a cycle at most; SystemC's time is that of the cycle.
    virtual Exchange exchange(Cycle now) = 0;
};

/// The module's side: what a module is made of to have packets come and go. There are three: FifoFace,
/// TlmFace, PinFace.
class Face {
  public:
    virtual ~Face() = default;
    /// Builds the chip's side and connects the two. Once, while the design is put together.
    virtual std::unique_ptr<Port> connect(ChipEnd& end) = 0;
};

}  // namespace loom::foreign
