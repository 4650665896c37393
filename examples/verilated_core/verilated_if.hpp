// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <Vif_core.h>
#include <Vif_core___024root.h>

#include <algorithm>

#include "base/error.hpp"
#include "sim/foreign/pin_face.hpp"

/// if_core.v, as Verilator translates it (--sc), in the place of a core.
class VerilatedIf final : public loom::foreign::PinCore<std::uint32_t> {
  public:
    static constexpr std::uint32_t kNeurons = 8, kAxons = 64, kFanout = 512;

    explicit VerilatedIf(sc_core::sc_module_name name) : PinCore(name) {
        rtl_.clk(control.clk);
        rtl_.rst(control.rst);
        rtl_.tick(control.tick);
        rtl_.busy(control.busy);
        rtl_.in_valid(in_valid);
        rtl_.in_ready(in_ready);
        rtl_.in_data(in_data);
        rtl_.out_valid(out_valid);
        rtl_.out_ready(out_ready);
        rtl_.out_data(out_data);
        rtl_.fired(fired_);
    }

    /// The program's weights, threshold and fan-out into the memories of the Verilog. Throws UnsupportedError for what it cannot hold.
    void load(const loom::foreign::CoreSite& site) override {
        const loom::arch::CoreImage& image = site.image;
        const auto fits = [](bool good, const char* what) {
            if (!good) throw loom::UnsupportedError(std::string("if_core.v: ") + what);
        };
        fits(image.neurons.size() == 1 && image.n_neurons <= kNeurons, "one layer of at most 8 neurons");
        fits(image.n_axons <= kAxons && image.fanout.entries.size() <= kFanout, "64 axons, 512 packets");
        const loom::arch::NeuronGroup& g = image.neurons[0];
        const auto is = [&](const char* parameter, std::int64_t value) {
            const auto& i = g.parameters.at(parameter).i;
            return std::all_of(i.begin(), i.end(), [&](std::int64_t x) { return x == value; });
        };
        const std::int64_t threshold = g.parameters.at("threshold").i[0];
        fits(g.model == "lif" && g.rule == loom::arch::NeuronRule{} && is("threshold", threshold) &&
                 is("bias", 0) && is("v_reset", 0) &&
                 is("decay_v", std::int64_t{1} << site.core().soma.decay_bits),
             "integrate-and-fire with one threshold and a reset to zero");
        group_ = &g;
        site_ = &site;
        auto& r = *rtl_.rootp;
        // membranes count in weights here, in finer steps in the program
        r.if_core__DOT__threshold = static_cast<std::uint32_t>(threshold >> g.in_shift);
        for (const loom::arch::AxonGroup& a : image.axons) {
            const auto* dense = std::get_if<loom::arch::DenseRows>(&a.rows);
            const auto* w = std::get_if<std::vector<std::int8_t>>(&a.weights->values);
            fits(dense != nullptr && w != nullptr && a.delay == 1 && !a.analogue,
                 "dense rows of 8-bit weights");
            for (std::uint32_t i = 0; i < a.count; ++i) {
                for (std::uint32_t n = 0; n < dense->columns; ++n) {
                    r.if_core__DOT__weight[(a.first + i) * kNeurons + a.neuron_first + n] =
                        static_cast<std::uint8_t>((*w)[i * dense->columns + n]);
                }
            }
        }
        for (std::uint32_t n = 0; n <= kNeurons; ++n)
            r.if_core__DOT__row[n] =
                static_cast<std::uint16_t>(image.fanout.row[std::min(n, image.n_neurons)]);
        for (std::size_t i = 0; i < image.fanout.entries.size(); ++i) {
            const auto& e = image.fanout.entries[i];
            r.if_core__DOT__fanout[i] = loom::index(e.core) << 16 | e.axon;
        }
    }
    void begin_step(loom::Step step) override {
        if (!site_->active(*group_, step)) return;
        reported_ = 0;
        PinCore::begin_step(step);
    }
    /// Neurons without fan-out send no packets: their spikes are on the pins.
    void collect_spikes() override {
        const std::uint32_t fresh = fired_.read() & ~reported_;
        reported_ = fired_.read();
        for (std::uint32_t n = 0; n < site_->image.n_neurons; ++n) {
            if ((fresh >> n & 1) != 0 && site_->image.fanout.row[n] == site_->image.fanout.row[n + 1])
                fire(n);
        }
    }
    loom::Cycles reset() override {
        PinCore::reset();
        return site_->image.n_neurons * site_->core().soma.reset_interval;
    }
    double membrane(std::uint32_t n) const override {
        const auto v = static_cast<std::int32_t>(rtl_.rootp->if_core__DOT__v[n]);
        return static_cast<double>(std::int64_t{v} << group_->in_shift);
    }

  private:
    Vif_core rtl_{"rtl"};
    sc_core::sc_signal<std::uint32_t> fired_{"fired"};
    const loom::foreign::CoreSite* site_ = nullptr;
    const loom::arch::NeuronGroup* group_ = nullptr;
    std::uint32_t reported_ = 0;
};
