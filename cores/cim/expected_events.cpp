// SPDX-License-Identifier: Apache-2.0
#include "cores/cim/expected_events.hpp"

#include <algorithm>
#include <cmath>
#include <string>

#include "arch/cim_core_spec.hpp"
#include "arch/cim_layout.hpp"
#include "arch/psum_packets.hpp"
#include "base/config/duration.hpp"

namespace loom::cores {
namespace {

using AddEvent = arch::CoreKind::AddEvent;

double parts_of(double a, double b) {
    return std::ceil(a / b);
}

/// What driven cells draw: weights are taken as evenly distributed, so a cell is at half of its range (with
/// pairs, one of two cells is). driven: rows of cells.
void add_conduction(const AddEvent& add, const arch::CimCoreSpec& cim, const arch::CimLayout& l,
                    double driven, double period_ps) {
    const double cells = driven * static_cast<double>(l.columns());
    const bool pairs = cim.weights.encoding == arch::CimEncoding::Differential || l.rows_per_weight == 2;
    const double share = pairs ? 0.25 : 0.5;
    if (cim.array.readout == arch::CimReadout::Voltage) {
        add("cim.cell_charges", cells);
        return;
    }
    if (cim.array.type == arch::CimType::Dram || cim.array.readout == arch::CimReadout::Charge) {
        add("cim.cell_charges", cells * share);
        if (cim.array.type == arch::CimType::Dram) add("cim.restores", cells);
        return;
    }
    const auto cycles = [&](const std::string& text) {
        return static_cast<double>(config::parse_duration(text, period_ps));
    };
    const double nS = cells * 1e3 * (cim.device.Gmin + share * (cim.device.Gmax - cim.device.Gmin));
    const std::uint64_t used = std::min(l.columns(), cim.array.cols),
                        adcs = cim.array.cols / cim.adc.adc_share;
    const bool analog = cim.weights.sub_position == arch::CimSubtraction::Analog;
    const double steps = parts_of(static_cast<double>(used) / (analog ? 2 : 1), static_cast<double>(adcs));
    const double on = cycles(cim.timing.t_rd) +
                      (cim.timing.sample_hold ? cycles(cim.timing.t_sh) : steps * cycles(cim.timing.t_adc));
    add("cim.cell_conductance", nS * on);
    add("cim.column_current", nS);
}

}  // namespace

void expect_array_events(const arch::ChipSpec& chip, std::size_t kind, const arch::ExpectedInput& in,
                         double steps, const AddEvent& add) {
    const arch::CoreSpec& core = chip.kind(kind);
    const auto& cim = core.section<arch::CimCoreSpec>();
    const auto outputs = static_cast<double>(in.matrix.outputs);
    const auto positions = static_cast<double>(in.matrix.positions);
    const std::uint64_t rows = in.matrix.rows;
    const arch::CimLayout l = arch::cim_layout(cim, rows, in.matrix.outputs);
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
    add("axon_in.packets", in.events);
    if (l.row_blocks > cim.arrays && core.type().partial_sums(core)) {  // parts of the rows on other cores
        const double parts = parts_of(static_cast<double>(l.row_blocks), static_cast<double>(cim.arrays));
        const double packets =
            (parts - 1) * outputs * slots / static_cast<double>(arch::PsumPackets(chip, kind).per_packet());
        for (const char* event : {"axon_out.fanout_reads", "axon_out.packets", "axon_in.packets"})
            add(event, packets);
    }
    if (cim.array.event_row()) {
        add("cim.row_adds", driven * columns);
        add("cim.sweeps", outputs * slots);
        return;
    }
    const double beats = cim.rows.bus_bits == 0
                             ? 0
                             : parts_of(static_cast<double>(rows), static_cast<double>(cim.rows.bus_bits));
    add("cim.fetch_beats", vectors * beats);
    add("cim.rows_driven", driven * static_cast<double>(l.column_blocks));
    if (cim.rows.row_select != arch::CimRowSelect::All) add("cim.select_cycles", sets);
    add("cim.tree_adds", vectors * outputs * static_cast<double>(l.row_blocks - 1));
    add("cim.shift_adds", sets * columns);
    if (cim.array.type == arch::CimType::SramDigital) {
        const double clocked =
            cim.array.clock_unused ? static_cast<double>(l.column_blocks * cim.array.cols) : columns;
        add("cim.digital_active", driven * clocked);
        add("cim.digital_rows", sets * std::min(parallel, static_cast<double>(rows)) * clocked);
        return;
    }
    const double converted = columns / (cim.weights.sub_position == arch::CimSubtraction::Analog ? 2 : 1);
    add("cim.columns_charged", sets * columns);
    add("cim.samples", sets * converted);
    add("cim.mux_switches", sets * converted);
    add("cim.conversions", sets * converted);
    add_conduction(add, cim, l, driven, chip.clock.period);
}

}  // namespace loom::cores
