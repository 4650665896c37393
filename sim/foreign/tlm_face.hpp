// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>
#include <systemc>
#include <tlm>

#include "base/error.hpp"
#include "sim/foreign/core_module.hpp"
#include "sim/foreign/network_module.hpp"
#include "sim/foreign/port.hpp"

namespace loom::foreign {

/// Protocol traits of TLM-2.0 whose payload is a packet. Approximately timed, two phases:
///   BEGIN_REQ (forward)   the packet is sent; it lives, unchanged, until END_REQ
///   END_REQ   (backward, or on return: TLM_UPDATED)   the credit: the receiver has taken it and the next
///             may be sent. TLM_COMPLETED on return means the same.
/// One packet at a time each way. A delay beside a phase says how much later it is to be taken to happen;
/// it is rounded up to the chip's next cycle. No other interface (b_transport, DMI, debug) is used.
struct PacketProtocol {
    using tlm_payload_type = Packet;
    using tlm_phase_type = tlm::tlm_phase;
};

/// Packets by sockets of TLM-2.0. Derive, and say what happens with receive(), done() and send().
class TlmFace : public Face,
                private tlm::tlm_fw_transport_if<PacketProtocol>,
                private tlm::tlm_bw_transport_if<PacketProtocol> {
  public:
    tlm::tlm_target_socket<32, PacketProtocol> in;
    tlm::tlm_initiator_socket<32, PacketProtocol> out;

    TlmFace() : TlmFace("in", "out") {}
    /// One of several: sockets in_<n> and out_<n>.
    explicit TlmFace(std::uint32_t n)
        : TlmFace(("in_" + std::to_string(n)).c_str(), ("out_" + std::to_string(n)).c_str()) {}
    std::unique_ptr<Port> connect(ChipEnd& end) override;

    /// A packet arrives (BEGIN_REQ). True: taken at once, or in `delay` when that has been set. False:
    /// the module calls done() when it has taken it.
    virtual bool receive(const Packet& packet, sc_core::sc_time& delay) = 0;
    /// END_REQ for the packet that receive() has left waiting, `delay` from now.
    void done(sc_core::sc_time delay = sc_core::SC_ZERO_TIME);
    /// Sends a packet `delay` from now. Throws ModelError while the one before has no credit.
    void send(const Packet& packet, sc_core::sc_time delay = sc_core::SC_ZERO_TIME);
    bool can_send() const { return !sending_; }
    /// The credit of the packet sent has come back.
    virtual void sent() {}

  private:
    TlmFace(const char* in_name, const char* out_name);
    tlm::tlm_sync_enum nb_transport_fw(Packet& p, tlm::tlm_phase& phase, sc_core::sc_time& delay) override;
    tlm::tlm_sync_enum nb_transport_bw(Packet& p, tlm::tlm_phase& phase, sc_core::sc_time& delay) override;
    void b_transport(Packet&, sc_core::sc_time&) override;
    bool get_direct_mem_ptr(Packet&, tlm::tlm_dmi&) override { return false; }
    unsigned transport_dbg(Packet&) override { return 0; }
    void invalidate_direct_mem_ptr(sc_dt::uint64, sc_dt::uint64) override {}

    Packet* waiting_ = nullptr;  ///< between BEGIN_REQ and END_REQ
    Packet packet_;              ///< being sent
    bool sending_ = false;
};

/// A core with packets by TLM-2.0.
class TlmCore : public CoreModule, public TlmFace {
  public:
    explicit TlmCore(sc_core::sc_module_name name) : CoreModule(name) {}
    Face& face() override { return *this; }
};

}  // namespace loom::foreign
