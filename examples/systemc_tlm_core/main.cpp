// SPDX-License-Identifier: Apache-2.0
// A core with sockets of TLM-2.0, approximately timed: BEGIN_REQ sends a packet, END_REQ is its credit.
#include <deque>

#include "app/program.hpp"
#include "sim/foreign/core_function.hpp"
#include "sim/foreign/tlm_face.hpp"

using namespace loom;

/// Accepts a packet every 4 ns and sends one 6 ns after the credit of the one before.
class TlmLif final : public foreign::TlmCore {
  public:
    TlmLif(sc_core::sc_module_name name, const foreign::CoreSite& site) : TlmCore(name), function_(site) {}

    void begin_step(Step step) override {
        for (const Fired& spike : function_.begin_step(step)) {
            if (!function_.has_fanout(spike.neuron)) fire(spike.neuron, spike.spikes);
            for (const Packet& packet : function_.packets(spike)) waiting_.push_back(packet);
        }
        send_next();
    }
    /// BEGIN_REQ of the chip: the request ends 4 ns later.
    bool receive(const Packet& packet, sc_core::sc_time& delay) override {
        function_.deliver(packet);
        delay = sc_core::sc_time(4, sc_core::SC_NS);
        return true;
    }
    /// END_REQ of the chip.
    void sent() override { send_next(); }

    bool busy() const override { return !waiting_.empty(); }
    Cycles reset() override {
        function_.reset();
        return 1;
    }
    double membrane(std::uint32_t neuron) const override { return function_.membrane(neuron); }

  private:
    void send_next() {
        if (waiting_.empty() || !can_send()) return;
        send(waiting_.front(), sc_core::sc_time(6, sc_core::SC_NS));
        waiting_.pop_front();
    }
    foreign::CoreFunction function_;
    std::deque<Packet> waiting_;
};

int main(int argc, char** argv) {
    app::Extensions extensions;
    extensions.modules.core<TlmLif>("tlm_lif", {.samples_in_processes = true});
    return app::run_program(argc, argv, extensions);
}
