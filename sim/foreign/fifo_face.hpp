// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>
#include <systemc>

#include "sim/foreign/packet_text.hpp"
#include "sim/foreign/port.hpp"

namespace loom::foreign {

/// Packets by sc_fifo. A packet that waits in front of the module stays in the chip's FIFO (axon_in.fifo
/// places) until it is read: the sc_fifo itself has one place each way, so at most one packet a cycle
/// passes, and a full network makes `out.write` block.
class FifoFace : public Face {
  public:
    sc_core::sc_fifo_in<Packet> in;
    sc_core::sc_fifo_out<Packet> out;

    FifoFace() : in("in"), out("out") {}
    /// One of several: ports in_<n> and out_<n>.
    explicit FifoFace(std::uint32_t n)
        : in(("in_" + std::to_string(n)).c_str()), out(("out_" + std::to_string(n)).c_str()) {}
    std::unique_ptr<Port> connect(ChipEnd& end) override;
};

}  // namespace loom::foreign
