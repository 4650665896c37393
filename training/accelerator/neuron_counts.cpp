// SPDX-License-Identifier: Apache-2.0
#include "training/accelerator/neuron_counts.hpp"

namespace loom::training {
namespace {

struct Adder {
    TrainingCounters& to;
    void operator()(TrainingEvent e, std::uint64_t n) const { to[e] += n; }
};

}  // namespace

void add_forward(const arch::NeuronWork& neurons, std::uint64_t n, TrainingEvent leak, TrainingCounters& to) {
    const Adder add{to};
    if (neurons.filters_current) {  // i = d i + x
        add(leak, n);
        add(&TrainingCounters::add, n);
    }
    if (neurons.scales_input) add(&TrainingCounters::multiply, n);
    if (neurons.leaks) add(leak, n);
    add(&TrainingCounters::add, n);
    if (neurons.adaptive) {  // A = r A + q s, threshold + beta A
        add(leak, n);
        add(&TrainingCounters::multiply, n);
        add(&TrainingCounters::add, 2 * n);
    }
    if (!neurons.fires) return;
    add(&TrainingCounters::compare, n);
    add(neurons.hard_reset ? &TrainingCounters::mux : &TrainingCounters::add, n);
}

void add_backward(const arch::NeuronWork& neurons, const NeuronErrors& n, TrainingEvent leak,
                  TrainingCounters& to) {
    const Adder add{to};
    if (neurons.fires) {
        if (!n.mask) {
            add(&TrainingCounters::lut_read, n.all * neurons.lut);
            add(&TrainingCounters::compare, n.all * neurons.compare);
            add(&TrainingCounters::multiply, n.all * neurons.multiply);
            add(&TrainingCounters::add, n.all * neurons.add);
            add(&TrainingCounters::shift, n.all * neurons.shift);
            add(&TrainingCounters::divide, n.all * neurons.divide);
        }
        add(&TrainingCounters::multiply, n.open);
    }
    if (n.joined) {
        if (neurons.leaks) add(leak, n.later);
        add(&TrainingCounters::add, n.later);
        if (neurons.fires && neurons.hard_reset) add(&TrainingCounters::mux, n.later);
        if (neurons.fires && n.through_reset) {
            if (neurons.hard_reset) add(&TrainingCounters::multiply, n.later);
            add(&TrainingCounters::shift, n.later);
            add(&TrainingCounters::add, n.later);
        }
    }
    if (neurons.adaptive) {  // z += q dA[t + 1], dA = r dA[t + 1] - beta h z
        add(&TrainingCounters::multiply, n.open);
        if (n.joined) {
            add(leak, n.carried);
            add(&TrainingCounters::multiply, n.carried);
            add(&TrainingCounters::add, 2 * n.carried);
        }
    }
    if (neurons.filters_current && n.joined) {  // dx = di + d dx[t + 1]
        add(leak, n.carried);
        add(&TrainingCounters::add, n.carried);
    }
    if (neurons.learns_leak) {  // sum of g v, v: the membrane after its reset (minus the current)
        add(&TrainingCounters::mac, n.now);
        if (neurons.fires) add(neurons.hard_reset ? &TrainingCounters::mux : &TrainingCounters::add, n.now);
        if (neurons.scales_input) {
            add(&TrainingCounters::add, n.now);
            add(&TrainingCounters::multiply, n.now);
        }
    }
    if (neurons.learns_window) add(&TrainingCounters::mac, n.open);  // sum of z x
}

}  // namespace loom::training
