// SPDX-License-Identifier: Apache-2.0
// A core as a SystemC module with threads of its own, in a chip whose other cores are Spikeloom's.
#include "app/program.hpp"
#include "sim/foreign/core_function.hpp"
#include "sim/foreign/fifo_face.hpp"

using namespace loom;

/// Takes a packet in 3 ns and updates a neuron that fires in 5 ns, whatever the chip's clock is.
class ThreadCore final : public foreign::FifoCore {
  public:
    ThreadCore(sc_core::sc_module_name name, const foreign::CoreSite& site)
        : FifoCore(name), function_(site) {
        SC_HAS_PROCESS(ThreadCore);
        SC_THREAD(take_packets);
        SC_THREAD(send_spikes);
    }
    void begin_step(Step step) override {
        fired_ = function_.begin_step(step);
        if (fired_.empty()) return;
        work(+1);
        begins_.notify(sc_core::SC_ZERO_TIME);
    }
    Cycles reset() override {
        function_.reset();
        return 1;
    }
    double membrane(std::uint32_t neuron) const override { return function_.membrane(neuron); }

  private:
    void take_packets() {
        while (true) {
            const Packet packet = in.read();
            work(+1);
            function_.deliver(packet);
            wait(3, sc_core::SC_NS);
            work(-1);
        }
    }
    void send_spikes() {
        while (true) {
            wait(begins_);
            for (const Fired& spike : fired_) {
                wait(5, sc_core::SC_NS);
                if (!function_.has_fanout(spike.neuron)) fire(spike.neuron, spike.spikes);
                for (const Packet& packet : function_.packets(spike)) out.write(packet);
            }
            work(-1);
        }
    }
    /// The timestep stays open while either thread has work.
    void work(int more) { set_busy((jobs_ += more) != 0); }

    foreign::CoreFunction function_;
    std::span<const Fired> fired_;
    sc_core::sc_event begins_;
    int jobs_ = 0;
};

int main(int argc, char** argv) {
    app::Extensions extensions;
    extensions.modules.core<ThreadCore>("thread_core", {.samples_in_processes = true});
    return app::run_program(argc, argv, extensions);
}
