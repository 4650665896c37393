// SPDX-License-Identifier: Apache-2.0
#include "app/train/train_estimate_work.hpp"

namespace loom::app {
namespace {

namespace te = train_estimate;

/// Share of set bits; 1 for a signal that was not recorded.
double density(const arch::BitSignal& s) {
    if (s.empty()) return 1;
    return static_cast<double>(s.ones()) /
           (static_cast<double>(s.steps()) * static_cast<double>(s.batch()) * static_cast<double>(s.count()));
}

te::LayerShape shape_of(const arch::LinearWork& work, bool last) {
    const arch::LinearShape& s = work.shape;
    if (s.dense())
        return te::LayerShape::linear(s.in_c, s.out_c,
                                      last ? te::LayerKind::OutLinear : te::LayerKind::Linear);
    te::LayerShape l;
    l.in_channels = s.in_c;
    l.out_channels = s.out_c;
    l.kernel = s.window.rows.kernel;
    l.stride = s.window.rows.stride;
    l.padding = s.window.rows.before;
    l.window = s.window;
    l.groups = s.groups;
    l.in_height = s.in_h;
    l.in_width = s.in_w;
    l.out_height = s.out_h;
    l.out_width = s.out_w;
    return l;
}

}  // namespace

MeasuredLayers measured_layers(const arch::TrainingWork& work) {
    MeasuredLayers m;
    for (std::size_t i = 0; i < work.linear.size(); ++i) {
        const arch::LinearWork& w = work.linear[i];
        m.layers.push_back(shape_of(w, i + 1 == work.linear.size()));
        m.activity.push_back({density(w.input), density(w.error), 1});
        if (i > 0) m.activity[i - 1].derivative = density(w.wanted);
    }
    m.layers = te::completed(std::move(m.layers));
    return m;
}

}  // namespace loom::app
