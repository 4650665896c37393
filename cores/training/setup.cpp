// SPDX-License-Identifier: Apache-2.0
#include "cores/training/setup.hpp"

namespace loom::training {

using arch::WorkKind;

Setup::Setup(const arch::TrainingChip& c, const BufferMap& b, const arch::TrainingWork& w)
    : chip(c), buffers(b), work(w), links(w.items.size()) {
    for (const arch::LinearWork& l : work.linear) {
        forward.push_back(Neighbours::forward(l.shape));
        backward.push_back(Neighbours::backward(l.shape));
    }
    for (std::uint32_t i = 0; i < work.items.size(); ++i)
        for (const std::uint32_t s : work.items[i].sources)
            if (s != UINT32_MAX) links[s].users.push_back(i);
    for (std::uint32_t i = 0; i < work.items.size(); ++i) {
        const auto& users = links[i].users;
        if (users.size() != 1) continue;
        const arch::WorkItem& next = work.items[users[0]];
        if (work.items[i].kind == WorkKind::Linear)
            links[i].sums_stay = next.kind == WorkKind::Neuron && next.sources.size() == 1;
        if (work.items[i].kind == WorkKind::Neuron) links[i].errors_stay = next.kind == WorkKind::Linear;
    }
}

std::uint64_t Setup::parameters(std::uint32_t item) const {
    switch (work.items[item].kind) {
        case WorkKind::Linear: {
            const arch::LinearWork& w = linear(item);
            return w.shape.weights() + (w.bias ? w.shape.out_c : 0);
        }
        case WorkKind::Neuron:
            return neurons(item).learns_leak ? 1 : 0;
        default:
            return element(item).parameters;
    }
}

std::uint64_t Setup::outputs(std::uint32_t item) const {
    switch (work.items[item].kind) {
        case WorkKind::Linear:
            return linear(item).shape.outputs();
        case WorkKind::Neuron:
            return neurons(item).count;
        default:
            return element(item).outputs;
    }
}

std::uint64_t Setup::output_bits(std::uint32_t item) const {
    switch (work.items[item].kind) {
        case WorkKind::Linear:
            return chip.bits.membrane;
        case WorkKind::Neuron:
            return neurons(item).fires ? 1 : chip.bits.membrane;
        default: {
            for (const std::uint32_t u : links[item].users)
                if (work.items[u].kind == WorkKind::Linear) return input_bits(linear(u));
            return chip.bits.membrane;
        }
    }
}

bool Setup::is_wiring(std::uint32_t item) const {
    if (work.items[item].kind != WorkKind::Element || work.items[item].sources.size() != 1) return false;
    const arch::ElementWork& e = element(item);
    return e.forward_add + e.forward_multiply + e.forward_divide + e.forward_sqrt + e.backward_add +
               e.backward_multiply + e.backward_divide ==
           0;
}

std::uint32_t Setup::origin(std::uint32_t item) const {
    while (item != UINT32_MAX && is_wiring(item)) item = work.items[item].sources[0];
    return item;
}

bool Setup::keeps_mask(const arch::NeuronWork& n) const {
    const bool rectangle = n.compare != 0 && n.lut == 0 && n.multiply == 0 && n.add == 0 && n.divide == 0;
    return chip.schedule.keep == arch::KeepRule::Masks && n.fires && rectangle && !n.learns_leak &&
           (work.detach_reset || !work.temporal);
}

std::uint64_t Setup::kept_bits(const arch::NeuronWork& n) const {
    if (chip.schedule.keep == arch::KeepRule::Recompute || !n.fires) return 0;
    return keeps_mask(n) ? 1 : chip.bits.membrane;
}

}  // namespace loom::training
