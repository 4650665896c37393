// SPDX-License-Identifier: Apache-2.0
#include "compiler/passes/emit_neurons.hpp"

#include <cmath>

namespace loom::compiler {
namespace {

/// f of the values of a group's neurons: one if all are the same.
template <class F>
auto gathered(const std::vector<std::uint32_t>& elements, const Values& values, F f) {
    std::vector<decltype(f(0.0))> out;
    if (values.size() <= 1) {
        out.push_back(f(values.empty() ? 0.0 : values[0]));
    } else {
        for (const std::uint32_t e : elements) out.push_back(f(values[e]));
    }
    return out;
}

}  // namespace

arch::NeuronGroup emit_neurons(const Slice& slice, const LoweredNeurons& neurons,
                               const PopulationFormat& format, const arch::SomaSpec& soma,
                               std::uint32_t start_step) {
    arch::NeuronGroup g;
    g.layer = LayerId{static_cast<std::uint16_t>(slice.population)};
    g.first = slice.neuron_first;
    g.count = slice.count();
    g.start_step = start_step;
    slice.for_each([&](std::uint32_t element, std::uint32_t) { g.layer_index.push_back(element); });
    g.model = neurons.model;
    g.rule = neurons.rule;
    g.integration = neurons.integration;
    g.synapse = neurons.synapse;
    if (soma.arithmetic == arch::Arithmetic::Float64) {
        for (const RealParameter& p : neurons.real)
            g.parameters[p.name].d = gathered(g.layer_index, p.values, [](double d) { return d; });
        return g;
    }
    g.in_shift = format.in_shift();
    for (const FixedParameter& p : neurons.fixed)
        g.parameters[p.name].i = gathered(g.layer_index, p.values, [&](double x) {
            return to_integer(x, p.form, format.membrane, neurons.rule, soma);
        });
    return g;
}

}  // namespace loom::compiler
