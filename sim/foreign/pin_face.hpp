// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <string>
#include <systemc>

#include "sim/foreign/control_pins.hpp"
#include "sim/foreign/core_module.hpp"
#include "sim/foreign/network_module.hpp"
#include "sim/foreign/port.hpp"

namespace loom::foreign {

/// How a packet stands on data pins, unless a face says otherwise: the axon in the lower half, the
/// destination's endpoint in the upper half. Plain spikes only.
template <class Data>
struct PlainPackets {
    static constexpr unsigned kHalf = sizeof(Data) * 4;
    static Data encode(const Packet& p) {
        return static_cast<Data>(Data{p.axon} | static_cast<Data>(Data{p.destination.value} << kHalf));
    }
    static Packet decode(Data bits) {
        Packet p;
        p.axon = static_cast<std::uint32_t>(bits & ((Data{1} << kHalf) - 1));
        p.destination = Destination::endpoint(EndpointId{static_cast<std::uint32_t>(bits >> kHalf)});
        return p;
    }
};

/// Packets by pins: valid and ready handshakes in both directions, as Verilator (`--sc`) makes the ports
/// of a module. Bind its ports to these signals. Data: the type of a data port, std::uint32_t for up to 32
/// bits, std::uint64_t for up to 64.
template <class Data>
class PinFace : public Face {
  public:
    sc_core::sc_signal<bool> in_valid, in_ready, out_valid, out_ready;
    sc_core::sc_signal<Data> in_data, out_data;

    explicit PinFace(ControlPins& control, const std::string& suffix = "")
        : in_valid(("in_valid" + suffix).c_str()),
          in_ready(("in_ready" + suffix).c_str()),
          out_valid(("out_valid" + suffix).c_str()),
          out_ready(("out_ready" + suffix).c_str()),
          in_data(("in_data" + suffix).c_str()),
          out_data(("out_data" + suffix).c_str()),
          control_(control) {}
    std::unique_ptr<Port> connect(ChipEnd& end) override {
        return std::make_unique<PinPort>(end, *this, control_);
    }
    virtual Data encode(const Packet& packet) const { return PlainPackets<Data>::encode(packet); }
    virtual Packet decode(Data bits) const { return PlainPackets<Data>::decode(bits); }

  private:
    class PinPort final : public Port, private PinLine {
      public:
        PinPort(ChipEnd& end, PinFace& face, ControlPins& control)
            : end_(end), face_(face), control_(control) {
            control.add(*this);
        }
        Exchange exchange(Cycle now) override {
            const Packet* front = end_.front(now);
            valid_ = front != nullptr;
            if (valid_) data_ = face_.encode(*front);
            ready_ = end_.can_send(now);
            const bool open = valid_ || face_.out_valid.read() || control_.needed();
            if (!open) return {};
            control_.run(end_.domain(), now);
            return {.open = true, .next = now + 1};
        }

      private:
        void drive() override {
            face_.in_valid.write(valid_);
            face_.in_data.write(data_);
            face_.out_ready.write(ready_);
        }
        void edge(Cycle now) override {
            if (valid_ && face_.in_ready.read()) end_.take(now);
            if (ready_ && face_.out_valid.read()) end_.send(now, face_.decode(face_.out_data.read()));
            valid_ = ready_ = false;
        }
        ChipEnd& end_;
        PinFace& face_;
        ControlPins& control_;
        bool valid_ = false, ready_ = false;
        Data data_{};
    };
    ControlPins& control_;
};

/// A core with pins: those of `control` and, by name, in_valid, in_ready, in_data, out_valid, out_ready and
/// out_data.
template <class Data>
class PinCore : public CoreModule, public PinFace<Data> {
  public:
    explicit PinCore(sc_core::sc_module_name name) : CoreModule(name), PinFace<Data>(control) {}
    ControlPins control{"control"};

    Face& face() override { return *this; }
    bool busy() const override { return control.busy.read(); }
    void begin_step(Step) override { control.begin_step(); }
    /// Pulls rst in the next cycle: at least one cycle is needed for it.
    Cycles reset() override {
        control.reset();
        stir();
        return 1;
    }
};

/// A network with pins: in_valid_<endpoint> and so on, or face_of(endpoint).in_valid.
template <class Data>
class PinNetwork : public NetworkModule {
  public:
    PinNetwork(sc_core::sc_module_name name, const NetworkSite& site) : NetworkModule(name) {
        for (std::uint32_t e = 0; e < site.topology.n_endpoints(); ++e)
            faces_.push_back(std::make_unique<PinFace<Data>>(control, "_" + std::to_string(e)));
    }
    ControlPins control{"control"};
    PinFace<Data>& face_of(std::uint32_t endpoint) { return *faces_[endpoint]; }

    Face& face(std::uint32_t endpoint) override { return *faces_[endpoint]; }
    bool busy() const override { return control.busy.read(); }
    void reset() override { control.reset(); }

  private:
    std::vector<std::unique_ptr<PinFace<Data>>> faces_;
};

}  // namespace loom::foreign
