// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>

namespace loom::cores {

/// Events of a compute-in-memory array. Exact integers; the field list is the only list.
struct CimCounters {
    std::uint64_t vectors = 0;
    std::uint64_t fetch_beats = 0;
    std::uint64_t select_cycles = 0;
    std::uint64_t sets = 0;
    std::uint64_t rows_driven = 0;
    std::uint64_t cell_conductance = 0;
    std::uint64_t column_current = 0;
    std::uint64_t cell_charges = 0;
    std::uint64_t columns_charged = 0;
    std::uint64_t samples = 0;
    std::uint64_t mux_switches = 0;
    std::uint64_t conversions = 0;
    std::uint64_t shift_adds = 0;
    std::uint64_t tree_adds = 0;
    std::uint64_t psum_packets = 0;
    std::uint64_t psum_flits = 0;
    std::uint64_t psum_adds = 0;
    std::uint64_t restores = 0;
    std::uint64_t digital_rows = 0;
    std::uint64_t digital_active = 0;
    std::uint64_t row_adds = 0;
    std::uint64_t sweeps = 0;
    std::uint64_t set_energy = 0;
    std::uint64_t reset_energy = 0;
    std::uint64_t half_select = 0;
    std::uint64_t write_lines = 0;
    std::uint64_t write_pulses = 0;
    std::uint64_t cells_written = 0;
    std::uint64_t verify_reads = 0;
    std::uint64_t clips = 0;
    std::uint64_t psum_overflows = 0;
    std::uint64_t worn_cells = 0;
    std::uint64_t unverified = 0;
    std::uint64_t refused_reads = 0;
    std::uint64_t cell_operations = 0;
    std::uint64_t fetch_busy = 0;
    std::uint64_t array_busy = 0;
    std::uint64_t adc_busy = 0;
    std::uint64_t shift_busy = 0;
    std::uint64_t tree_busy = 0;
    std::uint64_t write_busy = 0;
    std::uint64_t stalls = 0;
};

/// v(name, member, priced, doc): `priced` events need a price or an explicit `unpriced` entry.
template <class V>
void fields(V&& v, CimCounters& c) {
    v("cim.fetch_beats", c.fetch_beats, true, "bus words of input vectors fetched");
    v("cim.select_cycles", c.select_cycles, true, "cycles of the priority encoder (one row set each)");
    v("cim.rows_driven", c.rows_driven, true, "wordline pulses: active rows, once per column block");
    v("cim.cell_conductance", c.cell_conductance, true, "nS of driven cells times cycles they conduct");
    v("cim.column_current", c.column_current, true,
      "nS of driven cells in converted columns, per conversion");
    v("cim.cell_charges", c.cell_charges, true,
      "cell capacitors charged or shared (charge readout, dram); cells driven while columns settle "
      "(voltage)");
    v("cim.columns_charged", c.columns_charged, true, "columns charged, once per row set");
    v("cim.samples", c.samples, true, "columns sampled and held");
    v("cim.mux_switches", c.mux_switches, true, "columns switched to a shared converter");
    v("cim.conversions", c.conversions, true, "conversions");
    v("cim.shift_adds", c.shift_adds, true, "codes shifted and added to a partial sum");
    v("cim.tree_adds", c.tree_adds, true, "additions that join row blocks, also those of other cores");
    v("cim.restores", c.restores, true, "cells written back after a destructive read");
    v("cim.digital_rows", c.digital_rows, true, "adder tree: cells clocked, active or not (1 bit each)");
    v("cim.digital_active", c.digital_active, true, "adder tree: cells with an active input");
    v("cim.row_adds", c.row_adds, true, "event row: cells (1 bit each) added into membranes");
    v("cim.sweeps", c.sweeps, true, "event row: neurons swept at the end of a timestep");
    v("cim.set_energy", c.set_energy, true, "conductance under SET pulses, nS times pulses");
    v("cim.reset_energy", c.reset_energy, true, "conductance under RESET pulses, nS times pulses");
    v("cim.half_select", c.half_select, true, "conductance of half-selected cells, nS times pulses");
    v("cim.write_lines", c.write_lines, true, "wordlines and bitlines charged by write pulses");
    v("cim.cells_written", c.cells_written, true, "SRAM and DRAM cells written");
    v("cim.verify_reads", c.verify_reads, true, "cells read to verify a write");
    v("cim.vectors", c.vectors, false, "input vectors");
    v("cim.sets", c.sets, false, "row sets driven");
    v("cim.psum_packets", c.psum_packets, false, "packets of partial sums sent to other cores");
    v("cim.psum_flits", c.psum_flits, false, "their flits");
    v("cim.psum_adds", c.psum_adds, false, "partial sums of other cores added (part of cim.tree_adds)");
    v("cim.write_pulses", c.write_pulses, false, "SET and RESET pulses");
    v("cim.clips", c.clips, false, "codes beyond the range of a converter");
    v("cim.psum_overflows", c.psum_overflows, false, "partial sums beyond their width");
    v("cim.worn_cells", c.worn_cells, false, "cells stuck by wear");
    v("cim.unverified", c.unverified, false, "cells still beyond tolerance after n_max pulses");
    v("cim.refused_reads", c.refused_reads, false, "reads refused during a write");
    v("cim.cell_operations", c.cell_operations, false, "active rows times used columns");
    v("cim.fetch_busy", c.fetch_busy, false, "cycles of the fetch");
    v("cim.array_busy", c.array_busy, false, "cycles the array was driven");
    v("cim.adc_busy", c.adc_busy, false, "cycles the converters worked");
    v("cim.shift_busy", c.shift_busy, false, "cycles of shift and add");
    v("cim.tree_busy", c.tree_busy, false, "cycles of the adder tree between row blocks");
    v("cim.write_busy", c.write_busy, false, "cycles of programming");
    v("cim.stall_cycles", c.stalls, false, "cycles a row set waited for a stage that was busy");
}

/// Events of the arrays of a core.
struct CimCoreCounters {
    std::uint64_t ac = 0;
    std::uint64_t mac = 0;
    CimCounters arrays;
};
template <class V>
void fields(V&& v, CimCoreCounters& c) {
    v("cim.ac", c.ac, false, "synaptic operations on plain spikes in arrays");
    v("cim.mac", c.mac, false, "synaptic operations on graded input in arrays");
    fields(v, c.arrays);
}

}  // namespace loom::cores
