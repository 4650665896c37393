// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <array>
#include <deque>

#include "sim/foreign/pin_face.hpp"
#include "tests/unit/sim/foreign/chains.hpp"

namespace loom::test {

/// Integrate-and-fire as a register-transfer model: eight neurons, a row of weights per axon, one fetch in
/// flight while another row accumulates, one neuron updated per cycle. Its timing is that of the built-in
/// core with the default parameters.
class RtlIf : public sc_core::sc_module {
  public:
    sc_core::sc_in<bool> clk{"clk"}, rst{"rst"}, tick{"tick"}, in_valid{"in_valid"}, out_ready{"out_ready"};
    sc_core::sc_in<std::uint32_t> in_data{"in_data"};
    sc_core::sc_out<bool> busy{"busy"}, in_ready{"in_ready"}, out_valid{"out_valid"};
    sc_core::sc_out<std::uint32_t> out_data{"out_data"};

    explicit RtlIf(sc_core::sc_module_name name) : sc_module(name) {
        SC_HAS_PROCESS(RtlIf);
        SC_METHOD(edge);
        sensitive << clk.pos();
    }

    std::array<std::array<int, kWidth>, kWidth> weights{};  ///< [axon][neuron]
    std::array<int, kWidth> v{};
    int threshold = 0;
    std::array<std::uint32_t, kWidth + 1> row{};
    std::vector<std::uint32_t> fanout;
    unsigned fired = 0;

  private:
    void edge() {
        if (rst.read()) {
            fired = 0;
            v = {};
            sums_ = {};
            fetch_ = row_ = -1;
            sweep_ = 0;
            queue_.clear();
            valid_ = false;
            walk_ = walk_end_ = 0;
        } else {
            send();
            sweep();
            accumulate();
        }
        in_ready.write(fetch_ < 0);
        out_valid.write(valid_);
        busy.write(fetch_ >= 0 || row_ >= 0 || sweep_ != 0 || !queue_.empty() || valid_ ||
                   walk_ != walk_end_);
    }
    void send() {
        if (valid_ && !out_ready.read()) return;
        valid_ = false;
        if (walk_ == walk_end_ && !queue_.empty()) {
            walk_ = row[queue_.front()];
            walk_end_ = row[queue_.front() + 1];
            queue_.pop_front();
        }
        if (walk_ == walk_end_) return;
        out_data.write(fanout[walk_++]);
        valid_ = true;
    }
    void sweep() {
        if (tick.read()) {
            sweep_ = 1;
            bank_ = 1 - bank_;
            fired = 0;
            return;
        }
        if (sweep_ == 0) return;
        const unsigned n = sweep_ - 4;  // three cycles until the first neuron
        if (sweep_ >= 4) {
            v[n] += sums_[bank_][n];
            sums_[bank_][n] = 0;
            if (v[n] > threshold) {
                v[n] = 0;
                fired |= 1u << n;
                if (row[n] != row[n + 1]) queue_.push_back(n);
            }
        }
        sweep_ = sweep_ == 4 + kWidth - 1 ? 0 : sweep_ + 1;
    }
    void accumulate() {
        if (row_ >= 0) {
            for (std::uint32_t n = 0; n < kWidth; ++n)
                sums_[1 - bank_][n] += weights[static_cast<std::size_t>(row_)][n];
        }
        row_ = fetch_;
        const bool taken = in_valid.read() && in_ready.read();
        fetch_ = taken ? static_cast<int>(in_data.read() & 0xffff) : -1;
    }
    std::array<std::array<int, kWidth>, 2> sums_{};
    unsigned bank_ = 0, sweep_ = 0;
    int fetch_ = -1, row_ = -1;
    std::deque<std::uint32_t> queue_;
    std::uint32_t walk_ = 0, walk_end_ = 0;
    bool valid_ = false;
};

/// The register-transfer model on the chip's mesh.
class PinIf final : public foreign::PinCore<std::uint32_t> {
  public:
    explicit PinIf(sc_core::sc_module_name name) : PinCore(name) {
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
    }
    void load(const foreign::CoreSite& site) override {
        site_ = &site;
        const auto& w = std::get<std::vector<std::int8_t>>(site.image.axons[0].weights->values);
        for (std::size_t i = 0; i < w.size(); ++i) rtl_.weights[i / kWidth][i % kWidth] = w[i];
        rtl_.threshold = static_cast<int>(site.image.neurons[0].parameters.at("threshold").i[0]);
        for (std::size_t n = 0; n <= kWidth; ++n) rtl_.row[n] = site.image.fanout.row[n];
        for (const auto& e : site.image.fanout.entries) rtl_.fanout.push_back(index(e.core) << 16 | e.axon);
    }
    void begin_step(Step step) override {
        if (!site_->active(site_->image.neurons[0], step)) return;
        reported_ = 0;
        PinCore::begin_step(step);
    }
    void collect_spikes() override {
        const unsigned fresh = rtl_.fired & ~reported_;
        reported_ = rtl_.fired;
        for (std::uint32_t n = 0; n < kWidth; ++n) {
            if ((fresh >> n & 1) != 0 && rtl_.row[n] == rtl_.row[n + 1]) fire(n);
        }
    }
    Cycles reset() override {
        PinCore::reset();
        return kWidth;  // as the built-in core, a cycle per neuron
    }
    double membrane(std::uint32_t n) const override { return rtl_.v[n]; }

  private:
    RtlIf rtl_{"rtl"};
    const foreign::CoreSite* site_ = nullptr;
    unsigned reported_ = 0;
};

}  // namespace loom::test
