// SPDX-License-Identifier: Apache-2.0
#include "training/accelerator/ann.hpp"

#include <algorithm>

namespace loom::training {
namespace {

arch::BitSignal all_set(std::size_t batch, std::size_t count) {
    arch::BitSignal s(1, batch, count);
    for (std::size_t b = 0; b < batch; ++b) {
        const auto row = s.row(0, b);
        std::ranges::fill(row, ~std::uint64_t{0});
        if (count % 64 != 0) row.back() = (std::uint64_t{1} << count % 64) - 1;
    }
    return s;
}

/// Operations of one timestep in place of `steps`; statistics once.
void one_pass(arch::ElementWork& e, std::size_t steps) {
    steps = std::max<std::size_t>(1, steps);
    const std::size_t windows =
        e.statistics_steps == 0 ? 1 : std::max<std::size_t>(1, steps / e.statistics_steps);
    const auto shrink = [&](const arch::ElementOperations& all, const arch::ElementOperations& sums,
                            const arch::ElementOperations& once) {
        return (all - sums - once) / steps + sums / steps + once / windows;
    };
    e.forward = shrink(e.forward, e.forward_sums, e.forward_statistics);
    e.backward = shrink(e.backward, e.backward_sums, e.backward_statistics);
    e.forward_sums = e.forward_sums / steps, e.forward_statistics = e.forward_statistics / windows;
    e.backward_sums = e.backward_sums / steps, e.backward_statistics = e.backward_statistics / windows;
    e.statistics_steps = std::min<std::size_t>(1, e.statistics_steps);
}

void add_populations(const arch::TrainingWork& snn, arch::TrainingWork& ann) {
    for (const arch::NeuronWork& n : snn.neurons) {
        arch::NeuronWork r;
        r.name = n.name, r.count = n.count;
        r.rectifier = true, r.fires = r.hard_reset = r.leaks = false;
        r.spikes = r.error = r.derivative = all_set(ann.batch, n.count);
        ann.neurons.push_back(std::move(r));
    }
}

void add_elements(const arch::TrainingWork& snn, arch::TrainingWork& ann) {
    for (arch::WorkItem& item : ann.items) {
        if (item.kind != arch::WorkKind::Neuron) continue;
        const arch::NeuronWork& n = snn.neurons[item.index];
        arch::ElementWork e;
        e.name = n.name;
        e.outputs = n.count;
        e.forward.add = e.backward.add = n.count * ann.batch;
        item = {arch::WorkKind::Element, static_cast<std::uint32_t>(ann.elements.size()), item.sources};
        ann.elements.push_back(std::move(e));
    }
}

}  // namespace

arch::TrainingWork ann_of(const arch::TrainingWork& snn, Rectifiers rectifiers) {
    arch::TrainingWork ann;
    ann.steps = 1;
    ann.batch = snn.batch;
    ann.items = snn.items;
    ann.elements = snn.elements;
    ann.update_multiply = snn.update_multiply, ann.update_add = snn.update_add;
    ann.update_sqrt = snn.update_sqrt, ann.update_divide = snn.update_divide,
    ann.state_words = snn.state_words;
    ann.parameters = snn.parameters;
    for (const arch::LinearWork& l : snn.linear) {
        arch::LinearWork w;
        w.name = l.name;
        w.shape = l.shape;
        w.bias = l.bias;
        w.binary_input = false;
        w.sends_error = l.sends_error;
        w.cells = l.cells;
        w.input = w.wanted = all_set(ann.batch, l.shape.inputs());
        w.error = all_set(ann.batch, l.shape.outputs());
        ann.linear.push_back(std::move(w));
    }
    for (arch::ElementWork& e : ann.elements) one_pass(e, snn.steps);
    if (rectifiers == Rectifiers::Populations)
        add_populations(snn, ann);
    else
        add_elements(snn, ann);
    return ann;
}

}  // namespace loom::training
