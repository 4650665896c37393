// SPDX-License-Identifier: Apache-2.0
#include "compiler/passes/estimate_energy.hpp"

#include <algorithm>
#include <cmath>
#include <string>

#include "arch/core_kind.hpp"
#include "arch/core_kinds.hpp"

namespace loom::compiler {
namespace {

/// Sums expected events times the prices of a kind.
class Bill {
  public:
    Bill(const arch::ChipSpec& chip, std::size_t kind) : chip_(chip), kind_(kind) {}
    void add(const std::string& event, double count) {
        const arch::EventPrice p = arch::price_of(chip_, kind_, event);
        if (p.price == nullptr) return;
        const bool per_bit = p.price->value.per != EnergyPrice::Per::Event;
        const std::uint64_t bits = per_bit ? arch::event_bits(chip_.kind(kind_), event) : 1;
        pj_ += p.price->value.pj * count * static_cast<double>(bits);
    }
    double pj() const { return pj_; }

  private:
    const arch::ChipSpec& chip_;
    std::size_t kind_;
    double pj_ = 0;
};

void add_neurons(Bill& bill, const LayerLoad& load) {
    const double updates = load.neurons * load.steps;
    bill.add("soma.updates_active", updates * load.active);
    bill.add("soma.updates_inactive", updates * (1 - load.active));
    bill.add("soma.spikes", load.spikes);
    bill.add("soma.state_resets", load.neurons);
    bill.add("axon_out.fanout_reads", load.spikes * load.fanout);
    bill.add("axon_out.packets", load.spikes * load.fanout);
}

}  // namespace

LayerLoad load_of(const Graph& graph, std::uint32_t population, const InputFormat& input, double rate,
                  double dt) {
    LayerLoad load;
    const Population& self = graph.populations[population];
    load.neurons = self.count;
    load.steps = static_cast<double>(input.steps);
    load.spikes = load.neurons * load.steps * rate;
    double quiet = self.bias.empty() ? 1 : 0;  // probability that a neuron has no input in a timestep
    for (const Projection& p : graph.projections) {
        if (p.source == population) load.fanout += 1;
        if (p.target != population) continue;
        const LoweredProjection l = lower_projection(graph, p, dt, true);
        const Population& source = graph.populations[p.source];
        const double slots = static_cast<double>(source.count) * load.steps;
        const double r = source.is_input ? input.events / slots : rate;
        const double ways = l.identity ? 1.0 : static_cast<double>(l.axons_of.items.size()) / source.count;
        const bool conv = l.form == LoweredProjection::Form::Conv;
        arch::ExpectedInput in;
        in.events = slots * r * ways;
        in.graded = source.is_input && input.analogue;
        in.sparse = l.form == LoweredProjection::Form::Sparse;
        in.matrix = {l.n_axons, self.count, 1};
        if (conv) in.matrix = {l.conv.window.taps() * l.conv.in_c, l.conv.out_c, l.conv.out_h * l.conv.out_w};
        in.synops = in.sparse ? in.events * static_cast<double>(l.targets.items.size()) / l.n_axons
                              : l.ann_macs * in.events / l.n_axons;
        in.run = conv        ? static_cast<double>(l.conv.group_outputs())
                 : in.sparse ? std::max(1.0, in.synops / std::max(in.events, 1e-9))
                             : load.neurons;
        quiet *= std::exp(-in.synops / (load.neurons * load.steps));
        load.in.push_back(in);
    }
    load.active = 1 - quiet;
    return load;
}

double estimate_energy(const LayerLoad& load, const arch::ChipSpec& chip, std::size_t kind) {
    const arch::CoreSpec& core = chip.kind(kind);
    Bill bill(chip, kind);
    for (const arch::ExpectedInput& in : load.in) {
        if (in.graded && core.axon_in.payload_bits == 0) continue;  // the host's work
        core.type().expect(chip, kind, in, load.steps, [&](std::string_view event, double count) {
            bill.add(std::string(event), count);
        });
    }
    add_neurons(bill, load);
    return bill.pj();
}

}  // namespace loom::compiler
