// SPDX-License-Identifier: Apache-2.0
#include "sim/foreign/fifo_face.hpp"

namespace loom::foreign {
namespace {

class FifoPort final : public sc_core::sc_module, public Port {
  public:
    FifoPort(sc_core::sc_module_name name, ChipEnd& end, FifoFace& face) : sc_module(name), end_(end) {
        face.in(to_);
        face.out(from_);
        SC_HAS_PROCESS(FifoPort);
        SC_METHOD(stirred);
        dont_initialize();
        sensitive << to_.data_read_event() << from_.data_written_event();
    }

    Exchange exchange(Cycle now) override {
        Exchange e;
        if (offered_ && to_.num_available() == 0) {
            end_.take(now);
            offered_ = false;
        }
        if (const Packet* p = end_.front(now); !offered_ && p != nullptr) offered_ = to_.nb_write(*p);
        if (from_.num_available() > 0 && end_.can_send(now)) {
            Packet p;
            from_.nb_read(p);
            end_.send(now, p);
        }
        e.open = offered_ || from_.num_available() > 0;
        return e;
    }

  private:
    void stirred() { end_.wake(); }

    ChipEnd& end_;
    sc_core::sc_fifo<Packet> to_{"to_module", 1}, from_{"from_module", 1};
    bool offered_ = false;
};

}  // namespace

std::unique_ptr<Port> FifoFace::connect(ChipEnd& end) {
    return std::make_unique<FifoPort>(sc_core::sc_gen_unique_name("fifo_port"), end, *this);
}

}  // namespace loom::foreign
