// SPDX-License-Identifier: Apache-2.0
#include "compiler/passes/estimate_energy.hpp"

#include <algorithm>
#include <cmath>
#include <string>

#include "arch/cim_layout.hpp"
#include "arch/core_kinds.hpp"
#include "arch/psum_packets.hpp"
#include "base/config/duration.hpp"

namespace loom::compiler {
namespace {

/// Sums expected events times the prices of a kind.
class Bill {
  public:
    Bill(const arch::ChipSpec& chip, std::size_t kind) : chip_(chip), kind_(kind) {}
    void add(const std::string& event, double count) {
        const arch::EventPrice p = arch::price_of(chip_, kind_, event);
        if (p.price == nullptr) return;
        // prices per bit: of the memory's word, or of a packet
        const arch::CoreSpec& core = chip_.kind(kind_);
        const std::uint64_t bits =
            event == "synapse.word_reads" ? core.synapse.word : core.axon_out.packet_bits;
        const bool per_bit = p.price->value.per != EnergyPrice::Per::Event;
        pj_ += p.price->value.pj * count * (per_bit ? static_cast<double>(bits) : 1.0);
    }
    double pj() const { return pj_; }
    /// Packets for so many partial sums.
    double packets(double sums) const {
        return sums / static_cast<double>(arch::PsumPackets(chip_, kind_).per_packet());
    }

  private:
    const arch::ChipSpec& chip_;
    std::size_t kind_;
    double pj_ = 0;
};

double ceil_div(double a, double b) {
    return std::ceil(a / b);
}

void add_rows(Bill& bill, const LayerLoad::In& in, const arch::CoreSpec& core) {
    const auto lanes = static_cast<double>(core.dendrite.lanes),
               word = static_cast<double>(core.synapse.word);
    const bool sparse = in.form == LoweredProjection::Form::Sparse;
    const auto bits = static_cast<double>(core.synapse.weight_bits + (sparse ? core.synapse.index_bits : 0));
    const double runs = in.synops / in.run;
    bill.add("axon_in.packets", in.events);
    bill.add("axon_in.lookups", in.events);
    bill.add("synapse.word_reads", runs * ceil_div(in.run * bits, word));
    bill.add("dendrite.accesses", runs * ceil_div(in.run, lanes));
    bill.add(in.graded ? "dendrite.mac" : "dendrite.ac", in.synops);
}

/// What driven cells draw: weights are taken as evenly distributed, so a cell is at half of its range (with
/// pairs, one of two cells is). driven: rows of cells.
void add_conduction(Bill& bill, const arch::CimCoreSpec& cim, const arch::CimLayout& l, double driven,
                    double period_ps) {
    const double cells = driven * static_cast<double>(l.columns());
    const bool pairs = cim.weights.encoding == arch::CimEncoding::Differential || l.rows_per_weight == 2;
    const double share = pairs ? 0.25 : 0.5;
    if (cim.array.readout == arch::CimReadout::Voltage) {
        bill.add("cim.cell_charges", cells);
        return;
    }
    if (cim.array.type == arch::CimType::Dram || cim.array.readout == arch::CimReadout::Charge) {
        bill.add("cim.cell_charges", cells * share);
        if (cim.array.type == arch::CimType::Dram) bill.add("cim.restores", cells);
        return;
    }
    const auto cycles = [&](const std::string& text) {
        return static_cast<double>(config::parse_duration(text, period_ps));
    };
    const double nS = cells * 1e3 * (cim.device.Gmin + share * (cim.device.Gmax - cim.device.Gmin));
    const std::uint64_t used = std::min(l.columns(), cim.array.cols),
                        adcs = cim.array.cols / cim.adc.adc_share;
    const bool analog = cim.weights.sub_position == arch::CimSubtraction::Analog;
    const double steps = ceil_div(static_cast<double>(used) / (analog ? 2 : 1), static_cast<double>(adcs));
    const double on = cycles(cim.timing.t_rd) +
                      (cim.timing.sample_hold ? cycles(cim.timing.t_sh) : steps * cycles(cim.timing.t_adc));
    bill.add("cim.cell_conductance", nS * on);
    bill.add("cim.column_current", nS);
}

/// Row sets, conversions and conduction of a layer in arrays.
void add_arrays(Bill& bill, const LayerLoad::In& in, const arch::CoreSpec& core, double steps,
                double period_ps) {
    const arch::CimCoreSpec& cim = *core.cim;
    const bool conv = in.form == LoweredProjection::Form::Conv;
    const double outputs = static_cast<double>(conv ? in.conv.out_c : in.targets);
    const double positions = conv ? static_cast<double>(in.conv.out_h * in.conv.out_w) : 1;
    const auto rows = static_cast<std::uint64_t>(conv ? in.conv.window.taps() * in.conv.in_c : in.axons);
    const arch::CimLayout l = arch::cim_layout(cim, rows, static_cast<std::uint64_t>(outputs));
    const auto columns = static_cast<double>(l.columns()),
               parallel = static_cast<double>(cim.rows.rows_parallel);
    const auto rows_per_weight = static_cast<double>(l.rows_per_weight);
    const double driven = in.synops / outputs * rows_per_weight;  // rows of cells, over all vectors
    const double slots = positions * steps,
                 vectors = slots * (1 - std::exp(-driven / rows_per_weight / slots));
    const auto cell_rows = static_cast<double>(l.cell_rows());
    const double groups = std::ceil(cell_rows / parallel), share = driven / (slots * cell_rows);
    double sets = std::max(vectors, driven / parallel);
    if (cim.rows.row_select == arch::CimRowSelect::All) sets = vectors * groups;
    if (cim.rows.row_select == arch::CimRowSelect::GroupsSkip)
        sets = slots * groups * (1 - std::pow(1 - std::min(share, 1.0), parallel / rows_per_weight));
    bill.add("axon_in.packets", in.events);
    if (l.row_blocks > cim.arrays && arch::sends_psums(core)) {  // parts of the rows on other cores
        const double parts = ceil_div(static_cast<double>(l.row_blocks), static_cast<double>(cim.arrays));
        const double packets = bill.packets((parts - 1) * outputs * slots);
        for (const char* event : {"axon_out.fanout_reads", "axon_out.packets", "axon_in.packets"})
            bill.add(event, packets);
    }
    if (cim.array.event_row()) {
        bill.add("cim.row_adds", driven * columns);
        bill.add("cim.sweeps", outputs * slots);
        return;
    }
    const double beats = cim.rows.bus_bits == 0
                             ? 0
                             : ceil_div(static_cast<double>(rows), static_cast<double>(cim.rows.bus_bits));
    bill.add("cim.fetch_beats", vectors * beats);
    bill.add("cim.rows_driven", driven * static_cast<double>(l.column_blocks));
    if (cim.rows.row_select != arch::CimRowSelect::All) bill.add("cim.select_cycles", sets);
    bill.add("cim.tree_adds", vectors * outputs * static_cast<double>(l.row_blocks - 1));
    bill.add("cim.shift_adds", sets * columns);
    if (cim.array.type == arch::CimType::SramDigital) {
        const double clocked =
            cim.array.clock_unused ? static_cast<double>(l.column_blocks * cim.array.cols) : columns;
        bill.add("cim.digital_active", driven * clocked);
        bill.add("cim.digital_rows", sets * std::min(parallel, static_cast<double>(rows)) * clocked);
        return;
    }
    const double converted = columns / (cim.weights.sub_position == arch::CimSubtraction::Analog ? 2 : 1);
    bill.add("cim.columns_charged", sets * columns);
    bill.add("cim.samples", sets * converted);
    bill.add("cim.mux_switches", sets * converted);
    bill.add("cim.conversions", sets * converted);
    add_conduction(bill, cim, l, driven, period_ps);
}

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
        LayerLoad::In in;
        in.form = l.form;
        in.events = slots * r * ways;
        in.axons = l.n_axons;
        in.targets = self.count;
        in.graded = source.is_input && input.analogue;
        in.conv = l.conv;
        in.synops = l.form == LoweredProjection::Form::Sparse
                        ? in.events * static_cast<double>(l.targets.items.size()) / l.n_axons
                        : l.ann_macs * in.events / l.n_axons;
        in.run = l.form == LoweredProjection::Form::Conv ? static_cast<double>(l.conv.group_outputs())
                 : l.form == LoweredProjection::Form::Dense
                     ? load.neurons
                     : std::max(1.0, in.synops / std::max(in.events, 1e-9));
        quiet *= std::exp(-in.synops / (load.neurons * load.steps));
        load.in.push_back(in);
    }
    load.active = 1 - quiet;
    return load;
}

double estimate_energy(const LayerLoad& load, const arch::ChipSpec& chip, std::size_t kind) {
    const arch::CoreSpec& core = chip.kind(kind);
    Bill bill(chip, kind);
    for (const LayerLoad::In& in : load.in) {
        if (in.graded && core.axon_in.payload_bits == 0) continue;  // the host's work
        if (core.in_memory()) {
            add_arrays(bill, in, core, load.steps, chip.clock.period);
        } else {
            add_rows(bill, in, core);
        }
    }
    add_neurons(bill, load);
    return bill.pj();
}

}  // namespace loom::compiler
