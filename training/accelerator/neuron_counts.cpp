// SPDX-License-Identifier: Apache-2.0
#include "training/accelerator/neuron_counts.hpp"

namespace loom::training {
namespace {

struct Adder {
    Counts& to;
    void operator()(Event e, std::uint64_t n) const { to[static_cast<std::size_t>(e)] += n; }
};

}  // namespace

void add_forward(const arch::NeuronWork& neurons, std::uint64_t n, Event leak, Counts& to) {
    const Adder add{to};
    if (neurons.filters_current) {  // i = d i + x
        add(leak, n);
        add(Event::Add, n);
    }
    if (neurons.scales_input) add(Event::Multiply, n);
    if (neurons.leaks) add(leak, n);
    add(Event::Add, n);
    if (neurons.adaptive) {  // A = r A + q s, threshold + beta A
        add(leak, n);
        add(Event::Multiply, n);
        add(Event::Add, 2 * n);
    }
    if (!neurons.fires) return;
    add(Event::Compare, n);
    add(neurons.hard_reset ? Event::Mux : Event::Add, n);
}

void add_backward(const arch::NeuronWork& neurons, const NeuronErrors& n, Event leak, Counts& to) {
    const Adder add{to};
    if (neurons.fires) {
        if (!n.mask) {
            add(Event::LutRead, n.all * neurons.lut);
            add(Event::Compare, n.all * neurons.compare);
            add(Event::Multiply, n.all * neurons.multiply);
            add(Event::Add, n.all * neurons.add);
            add(Event::Shift, n.all * neurons.shift);
            add(Event::Divide, n.all * neurons.divide);
        }
        add(Event::Multiply, n.open);
    }
    if (n.joined) {
        if (neurons.leaks) add(leak, n.later);
        add(Event::Add, n.later);
        if (neurons.fires && neurons.hard_reset) add(Event::Mux, n.later);
        if (neurons.fires && n.through_reset) {
            if (neurons.hard_reset) add(Event::Multiply, n.later);
            add(Event::Shift, n.later);
            add(Event::Add, n.later);
        }
    }
    if (neurons.adaptive) {  // z += q dA[t + 1], dA = r dA[t + 1] - beta h z
        add(Event::Multiply, n.open);
        if (n.joined) {
            add(leak, n.carried);
            add(Event::Multiply, n.carried);
            add(Event::Add, 2 * n.carried);
        }
    }
    if (neurons.filters_current && n.joined) {  // dx = di + d dx[t + 1]
        add(leak, n.carried);
        add(Event::Add, n.carried);
    }
    if (neurons.learns_leak) {  // sum of g v, v: the membrane after its reset (minus the current)
        add(Event::Mac, n.now);
        if (neurons.fires) add(neurons.hard_reset ? Event::Mux : Event::Add, n.now);
        if (neurons.scales_input) {
            add(Event::Add, n.now);
            add(Event::Multiply, n.now);
        }
    }
    if (neurons.learns_window) add(Event::Mac, n.open);  // sum of z x
}

}  // namespace loom::training
