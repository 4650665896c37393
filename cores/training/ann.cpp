// SPDX-License-Identifier: Apache-2.0
#include "cores/training/ann.hpp"

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

}  // namespace

arch::TrainingWork ann_of(const arch::TrainingWork& snn) {
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
        w.input = w.wanted = all_set(ann.batch, l.shape.inputs());
        w.error = all_set(ann.batch, l.shape.outputs());
        ann.linear.push_back(std::move(w));
    }
    for (arch::ElementWork& e : ann.elements)
        for (std::uint64_t* n : {&e.forward_add, &e.forward_multiply, &e.forward_divide, &e.forward_sqrt,
                                 &e.backward_add, &e.backward_multiply, &e.backward_divide})
            *n /= std::max<std::size_t>(1, snn.steps);
    for (arch::WorkItem& item : ann.items) {
        if (item.kind != arch::WorkKind::Neuron) continue;
        const arch::NeuronWork& n = snn.neurons[item.index];
        arch::ElementWork e;
        e.name = n.name;
        e.outputs = n.count;
        e.forward_add = e.backward_add = n.count * ann.batch;
        item = {arch::WorkKind::Element, static_cast<std::uint32_t>(ann.elements.size()), item.sources};
        ann.elements.push_back(std::move(e));
    }
    return ann;
}

}  // namespace loom::training
