// SPDX-License-Identifier: Apache-2.0
// Networks of the user between built-in cores. Every test is a process of its own.
#define SC_INCLUDE_DYNAMIC_PROCESSES  // sc_spawn
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>

#include "tests/support/thread_faults.hpp"
#include "base/error.hpp"
#include "sim/foreign/tlm_face.hpp"
#include "tests/unit/sim/foreign/rtl_core.hpp"

namespace loom {
namespace {
using foreign::NetworkSite;
using test::Chip;
using test::Outcome;
using ::testing::HasSubstr;

/// A thread per endpoint that carries its packets, 3.5 ns each.
class FifoNet final : public foreign::FacesNetwork<foreign::FifoFace> {
  public:
    FifoNet(sc_core::sc_module_name name, const NetworkSite& site) : FacesNetwork(name, site) {
        for (std::uint32_t e = 0; e < faces.size(); ++e) sc_core::sc_spawn([this, e] { carry(e); });
    }

  private:
    void carry(std::uint32_t from) {
        while (true) {
            const Packet p = faces[from]->in.read();
            wait(3.5, sc_core::SC_NS);
            faces[p.destination.value]->out.write(p);
        }
    }
};

/// A queue per destination; requests end when the packet has been handed on.
class TlmNet final : public foreign::NetworkModule {
  public:
    TlmNet(sc_core::sc_module_name name, const NetworkSite& site) : NetworkModule(name) {
        for (std::uint32_t e = 0; e < site.topology.n_endpoints(); ++e) gates_.emplace_back(*this, e);
    }
    foreign::Face& face(std::uint32_t endpoint) override { return gates_[endpoint]; }

  private:
    struct Gate final : foreign::TlmFace {
        Gate(TlmNet& n, std::uint32_t e) : TlmFace(e), net(n) {}
        bool receive(const Packet& p, sc_core::sc_time& delay) override {
            delay = sc_core::sc_time(1, sc_core::SC_NS);
            net.gates_[p.destination.value].queue.push_back(p);
            net.gates_[p.destination.value].next();
            return true;
        }
        void sent() override { next(); }
        void next() {
            if (queue.empty() || !can_send()) return;
            const Packet p = queue.front();
            queue.pop_front();
            send(p, sc_core::sc_time(2500, sc_core::SC_PS));
        }
        TlmNet& net;
        std::deque<Packet> queue;
    };
    std::deque<Gate> gates_;
};

/// A crossbar with one register per output: the lowest input that wants it wins.
class PinNet final : public foreign::PinNetwork<std::uint64_t> {
  public:
    PinNet(sc_core::sc_module_name name, const NetworkSite& site)
        : PinNetwork(name, site), n_(site.topology.n_endpoints()) {
        SC_HAS_PROCESS(PinNet);
        SC_METHOD(edge);
        sensitive << control.clk.posedge_event();
        dont_initialize();
        SC_METHOD(grant);
        for (std::uint32_t e = 0; e < n_; ++e) {
            auto& f = face_of(e);
            sensitive << f.in_valid << f.in_data << f.out_valid << f.out_ready;
        }
    }

  private:
    static std::uint32_t destination(std::uint64_t bits) { return static_cast<std::uint32_t>(bits >> 32); }
    bool free(std::uint32_t e) { return !face_of(e).out_valid.read() || face_of(e).out_ready.read(); }
    /// ready by logic alone: the output is free and no lower input wants it.
    void grant() {
        std::vector<bool> wanted(n_);
        for (std::uint32_t e = 0; e < n_; ++e) {
            auto& f = face_of(e);
            const std::uint32_t to = destination(f.in_data.read());
            const bool asks = f.in_valid.read();
            f.in_ready.write(asks && !wanted[to] && free(to));
            if (asks) wanted[to] = true;
        }
    }
    void edge() {
        std::vector<bool> filled(n_);
        for (std::uint32_t e = 0; e < n_; ++e) {
            auto& f = face_of(e);
            if (!f.in_valid.read() || !f.in_ready.read()) continue;
            const std::uint32_t to = destination(f.in_data.read());
            face_of(to).out_valid.write(true);
            face_of(to).out_data.write(f.in_data.read());
            filled[to] = true;
        }
        for (std::uint32_t e = 0; e < n_; ++e) {
            if (!filled[e] && face_of(e).out_ready.read()) face_of(e).out_valid.write(false);
        }
    }
    std::uint32_t n_;
};

template <class Net>
void expect_spikes_of_the_mesh(const std::vector<std::uint32_t>& kinds) {
    const arch::ChipSpec spec = test::two_kinds();
    foreign::Placement place = test::placed("my_core");
    place.network = "my_net";
    const arch::Program program = test::chain({0, 4, 8}, kinds);
    foreign::Modules modules;
    modules.core<test::PinIf>("my_core").network<Net>("my_net");
    Chip chip(spec, program, modules, place, 12);
    const Outcome expected = test::built_in(spec, program, 12);
    for (int sample = 0; sample < 2; ++sample) {
        const Outcome got = test::run(chip.model, chip.clock);
        EXPECT_EQ(got.spikes, expected.spikes);
        EXPECT_EQ(chip.model.activity().outstanding(), 0);
        EXPECT_EQ(chip.model.network().flits_in_flight(), 0u);
    }
    const noc::NocCounters c = chip.model.totals().noc;
    EXPECT_GT(c.packets, 100u);
    EXPECT_EQ(c.packets_expected, c.packets_delivered);
}

TEST(ForeignNetwork, OfFifosBetweenBuiltInCores) {
    expect_spikes_of_the_mesh<FifoNet>({0, 0, 0});
}
TEST(ForeignNetwork, OfSocketsBetweenBuiltInCores) {
    expect_spikes_of_the_mesh<TlmNet>({0, 0, 0});
}
TEST(ForeignNetwork, OfPinsBetweenBuiltInCores) {
    expect_spikes_of_the_mesh<PinNet>({0, 0, 0});
}
TEST(ForeignNetwork, OfFifosWithAForeignCoreInTheMiddle) {
    expect_spikes_of_the_mesh<FifoNet>({0, 1, 0});
}

/// Delivers everything at endpoint 1.
class Lost final : public foreign::FacesNetwork<foreign::FifoFace> {
  public:
    Lost(sc_core::sc_module_name name, const NetworkSite& site) : FacesNetwork(name, site) {
        sc_core::sc_spawn([this] { faces[1]->out.write(faces.back()->in.read()); });
    }
};

TEST(ForeignNetwork, APacketAtTheWrongEndpointIsAFault) {
    LOOM_FAULT_IN_A_THREAD();
    const arch::ChipSpec spec = test::two_kinds();
    const arch::Program program = test::chain({0, 1}, {0, 0});
    foreign::Modules modules;
    modules.network<Lost>("lost");
    Chip chip(spec, program, modules, {{}, "lost"}, 4);
    try {
        test::run(chip.model, chip.clock);
        FAIL() << "nothing thrown";
    } catch (const ModelError& e) {
        EXPECT_THAT(e.what(), HasSubstr("a packet for endpoint 0 comes out at endpoint 1"));
    }
}

}  // namespace
}  // namespace loom
