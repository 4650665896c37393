// SPDX-License-Identifier: Apache-2.0
#include "sim/foreign/tlm_face.hpp"

#include <utility>

namespace loom::foreign {
namespace {
using sc_core::sc_time;
using tlm::tlm_phase;
using tlm::tlm_sync_enum;
constexpr const char* kPhase = "a socket of packets knows the phases BEGIN_REQ and END_REQ only";
constexpr const char* kBlocking = "sockets of packets have no blocking transport";

class TlmPort final : public sc_core::sc_module,
                      public Port,
                      private tlm::tlm_fw_transport_if<PacketProtocol>,
                      private tlm::tlm_bw_transport_if<PacketProtocol> {
  public:
    TlmPort(sc_core::sc_module_name name, ChipEnd& end, TlmFace& face) : sc_module(name), end_(end) {
        to_module_.bind(static_cast<tlm::tlm_bw_transport_if<PacketProtocol>&>(*this));
        from_module_.bind(static_cast<tlm::tlm_fw_transport_if<PacketProtocol>&>(*this));
        to_module_.bind(face.in);
        face.out.bind(from_module_);
    }

    Exchange exchange(Cycle now) override {
        take_credit(now);
        offer(now);
        accept(now);
        return {.open = offered_ || arrived_ != nullptr, .next = kNever};
    }

  private:
    /// The module has taken the packet in a cycle before.
    void take_credit(Cycle now) {
        if (!offered_ || !ended_ || end_.domain().time_of(now) < ends_at_) return;
        offered_ = false;
        end_.take(now);
    }
    void offer(Cycle now) {
        const Packet* front = end_.front(now);
        if (offered_ || front == nullptr) return;
        payload_ = *front;
        offered_ = true;
        ended_ = false;
        tlm_phase phase = tlm::BEGIN_REQ;
        sc_time delay = sc_core::SC_ZERO_TIME;
        const tlm_sync_enum status = to_module_->nb_transport_fw(payload_, phase, delay);
        if (status == tlm::TLM_ACCEPTED) return;
        if (status == tlm::TLM_UPDATED && phase != tlm::END_REQ) throw ModelError(kPhase);
        end_request(delay);
        take_credit(now);
    }
    void accept(Cycle now) {
        if (arrived_ == nullptr || end_.domain().time_of(now) < arrives_at_ || !end_.can_send(now)) return;
        Packet* const packet = std::exchange(arrived_, nullptr);
        end_.send(now, *packet);
        tlm_phase phase = tlm::END_REQ;
        sc_time delay = sc_core::SC_ZERO_TIME;
        from_module_->nb_transport_bw(*packet, phase, delay);
    }
    void end_request(const sc_time& delay) {
        ended_ = true;
        ends_at_ = sc_core::sc_time_stamp() + delay;
        end_.wake(delay);
    }

    tlm_sync_enum nb_transport_bw(Packet&, tlm_phase& phase, sc_time& delay) override {
        if (phase != tlm::END_REQ) throw ModelError(kPhase);
        if (!offered_ || ended_) throw ModelError("END_REQ for a packet that nobody has sent");
        end_request(delay);
        return tlm::TLM_ACCEPTED;
    }
    tlm_sync_enum nb_transport_fw(Packet& p, tlm_phase& phase, sc_time& delay) override {
        if (phase != tlm::BEGIN_REQ) throw ModelError(kPhase);
        if (arrived_ != nullptr) throw ModelError("BEGIN_REQ before END_REQ of the packet before");
        arrived_ = &p;
        arrives_at_ = sc_core::sc_time_stamp() + delay;
        end_.wake(delay);
        return tlm::TLM_ACCEPTED;
    }
    void b_transport(Packet&, sc_time&) override { throw ModelError(kBlocking); }
    bool get_direct_mem_ptr(Packet&, tlm::tlm_dmi&) override { return false; }
    unsigned transport_dbg(Packet&) override { return 0; }
    void invalidate_direct_mem_ptr(sc_dt::uint64, sc_dt::uint64) override {}

    ChipEnd& end_;
    tlm::tlm_initiator_socket<32, PacketProtocol> to_module_{"to_module"};
    tlm::tlm_target_socket<32, PacketProtocol> from_module_{"from_module"};
    Packet payload_;  ///< with the module, between BEGIN_REQ and END_REQ
    bool offered_ = false, ended_ = false;
    sc_time ends_at_, arrives_at_;
    Packet* arrived_ = nullptr;  ///< the module's
};

}  // namespace

TlmFace::TlmFace(const char* in_name, const char* out_name) : in(in_name), out(out_name) {
    in.bind(static_cast<tlm::tlm_fw_transport_if<PacketProtocol>&>(*this));
    out.bind(static_cast<tlm::tlm_bw_transport_if<PacketProtocol>&>(*this));
}

std::unique_ptr<Port> TlmFace::connect(ChipEnd& end) {
    return std::make_unique<TlmPort>(sc_core::sc_gen_unique_name("tlm_port"), end, *this);
}

void TlmFace::done(sc_time delay) {
    if (waiting_ == nullptr) throw ModelError("done() without a packet that waits");
    tlm_phase phase = tlm::END_REQ;
    in->nb_transport_bw(*std::exchange(waiting_, nullptr), phase, delay);
}

void TlmFace::send(const Packet& packet, sc_time delay) {
    if (sending_) throw ModelError("send() before the credit of the packet before");
    packet_ = packet;
    sending_ = true;
    tlm_phase phase = tlm::BEGIN_REQ;
    const tlm_sync_enum status = out->nb_transport_fw(packet_, phase, delay);
    if (status != tlm::TLM_ACCEPTED) sending_ = false;
}

tlm_sync_enum TlmFace::nb_transport_fw(Packet& p, tlm_phase& phase, sc_time& delay) {
    if (phase != tlm::BEGIN_REQ) throw ModelError(kPhase);
    waiting_ = &p;
    if (!receive(p, delay)) return tlm::TLM_ACCEPTED;
    waiting_ = nullptr;
    phase = tlm::END_REQ;
    return tlm::TLM_UPDATED;
}

tlm_sync_enum TlmFace::nb_transport_bw(Packet&, tlm_phase& phase, sc_time&) {
    if (phase != tlm::END_REQ) throw ModelError(kPhase);
    sending_ = false;
    sent();
    return tlm::TLM_ACCEPTED;
}

void TlmFace::b_transport(Packet&, sc_time&) {
    throw ModelError(kBlocking);
}

}  // namespace loom::foreign
