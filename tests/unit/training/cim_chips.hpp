// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "arch/chip_spec.hpp"
#include "tests/support/core_kinds.hpp"
#include "tests/support/golden_network.hpp"
#include "training/learn/work_recorder.hpp"

namespace loom::training {

/// side x side cores of 16 arrays of 64 x 64 cells, 6 bits a cell, 4 rows in parallel, a converter per 8
/// columns.
inline arch::ChipSpec cim_mesh(std::uint64_t side) {
    arch::ChipSpec chip{support::core_kinds()};
    chip.name = "test";
    chip.noc.size = {side, side};
    chip.core.kind = "cim";
    chip.core.synapse.memory = 8 * 1024 * 1024;
    chip.core.soma.lanes = 8;
    support::cim_of(chip.core);
    arch::CimCoreSpec& s = support::cim_of(chip.core);
    s.input_bits = 8;
    s.array.rows = s.array.cols = 64;
    s.array.cell_bits = 6;
    s.weights.weight_bits = 7;
    s.rows.rows_parallel = 4;
    s.adc.adc_bits = 8;
    s.timing.t_rd = "2";
    s.write.t_pulse = "5";
    s.write.verify = false;
    return chip;
}

inline std::unique_ptr<learn::Trainer> cells_trainer(bool conv, const learn::SurrogateSpec& surrogate,
                                                     bool detach) {
    learn::GoldenNetwork golden;
    golden.conv = conv;
    golden.surrogate = surrogate;
    golden.detach = detach;
    golden.pulses = learn::PulseSpec{.p_max = 4096, .w_range = 8};  // the spikes of the golden weights
    return golden.make();
}
inline arch::TrainingWork cells_work(bool conv, const learn::SurrogateSpec& surrogate, bool detach) {
    const auto trainer = cells_trainer(conv, surrogate, detach);
    const auto [x, y] = learn::GoldenNetwork::minibatch(0);
    trainer->step(x, y);
    return learn::collect_work(*trainer);
}

/// A dense layer of spiking neurons for one sample: no spikes, no errors, cells at half conductance, no
/// pulses.
inline arch::TrainingWork one_layer(std::size_t inputs, std::size_t outputs, std::size_t steps) {
    arch::TrainingWork work;
    work.steps = steps, work.batch = 1;
    arch::LinearWork l;
    l.name = "w";
    l.shape.in_c = inputs, l.shape.out_c = outputs;
    l.sends_error = false;
    l.input = arch::BitSignal(steps, 1, inputs);
    l.error = arch::BitSignal(steps, 1, outputs);
    l.cells.conductance.assign(2 * inputs * outputs, 0.5F);
    l.cells.pulses.assign(2 * inputs * outputs, 0);
    work.linear.push_back(l);
    arch::NeuronWork n;
    n.name = "lif";
    n.count = outputs;
    n.spikes = n.error = n.derivative = arch::BitSignal(steps, 1, outputs);
    work.neurons.push_back(n);
    work.items.push_back({arch::WorkKind::Linear, 0, {UINT32_MAX}});
    work.items.push_back({arch::WorkKind::Neuron, 0, {0}});
    return work;
}

}  // namespace loom::training
