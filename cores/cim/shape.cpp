// SPDX-License-Identifier: Apache-2.0
#include "cores/cim/shape.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <string_view>

#include "arch/cim_layout.hpp"
#include "base/config/duration.hpp"
#include "base/counter_math.hpp"
#include "base/error.hpp"
#include "base/key_error.hpp"

namespace loom::cores {
namespace {

using arch::CimDigital;
using arch::CimEncoding;
using arch::CimType;

[[noreturn]] void refuse(const std::string& key, const std::string& problem) {
    throw KeyError(key, problem);
}

std::uint64_t cycles(const std::string& text, double period_ps, const std::string& key, std::uint64_t least) {
    std::uint64_t n = 0;
    try {
        n = config::parse_duration(text, period_ps);
    } catch (const ConfigError&) {
        refuse(key, fmt::format("expected cycles or a time such as '3' or '10 ns', got '{}'", text));
    }
    if (n < least || n > 1'000'000'000'000) {
        refuse(key, fmt::format("must be between {} and 1e12 cycles (got '{}')", least, text));
    }
    return n;
}

bool is_conductance(CimType t) {
    return t != CimType::SramAnalog && t != CimType::Dram && t != CimType::SramDigital;
}

void check_devices(const arch::CimSpec& s, const std::string& path) {
    const auto& d = s.device;
    const CimType type = s.array.type;
    if (!(d.Gmax > d.Gmin)) {
        refuse(path + "device.Gmax", fmt::format("must be above Gmin, {} uS (got {} uS)", d.Gmin, d.Gmax));
    }
    const auto only = [&](bool used, bool allowed, const char* key, const char* where) {
        if (used && !allowed)
            refuse(path + "device." + key, fmt::format("has no effect here: only {}", where));
    };
    const bool polynomial = d.sigma_law == arch::CimSigmaLaw::Polynomial;
    only(d.sigma > 0, !polynomial && type != CimType::SramDigital, "sigma", "analogue cells, lognormal law");
    only(!d.sigma_poly.empty() || !d.relax_poly.empty() || d.relax_mean != 0,
         polynomial && is_conductance(type), d.sigma_poly.empty() ? "relax_poly" : "sigma_poly",
         "conductances with sigma_law polynomial");
    if (polynomial && d.sigma_poly.empty()) {
        refuse(path + "device.sigma_poly", "sigma_law polynomial needs its coefficients");
    }
    only(d.drift != 0 || d.drift_sigma > 0, is_conductance(type), "drift", "conductances");
    only(d.read_noise > 0, type != CimType::SramDigital, "read_noise", "analogue arrays");
    only(d.rtn_amplitude > 0, is_conductance(type), "rtn_amplitude", "conductances");
    only(d.column_sigma > 0, type != CimType::SramDigital, "column_sigma", "analogue arrays");
    only(d.compression > 0, type == CimType::SramAnalog, "compression", "sram_analog");
    only(d.bitline_cap > 0, type == CimType::Dram, "bitline_cap", "dram");
    only(d.r_col > 0, is_conductance(type), "r_col", "conductances");
    only(d.r_row > 0, type == CimType::RramXbar, "r_row", "row-driven arrays (rram_xbar)");
}

/// The clock, and what a column of adders needs of it: the sum of a segment of rows ripples down, the carry
/// across the columns of a weight.
void set_clock(CimShape& c, const arch::CimSpec& s, double period_ps, const std::string& path) {
    const auto& t = s.timing;
    c.adder_pipe = t.registers != 0
                       ? t.registers
                       : static_cast<std::uint64_t>(std::bit_width(s.rows.rows_parallel - 1)) + 1;
    const std::uint64_t adders =
        t.registers == 0 ? 0 : ceil_div(s.rows.rows_parallel, t.registers) + c.columns_per_weight;
    const double least = t.t_register + t.t_add * static_cast<double>(adders);
    if (t.f_clk > 0) period_ps = 1e6 / t.f_clk;
    c.period_ps = period_ps > 0 ? period_ps : least > 0 ? least : 1000;
    if (c.period_ps < least * (1 - 1e-9)) {
        refuse(path + "timing.t_add",
               fmt::format("{} full adders and a register take {:.3f} ns, a clock period is {:.3f} ns",
                           adders, least * 1e-3, c.period_ps * 1e-3));
    }
}

void check_pairs_and_voltages(const arch::CimSpec& s, const std::string& path) {
    const bool voltage = s.array.readout == arch::CimReadout::Voltage;
    const auto& d = s.device;
    if (voltage && (!is_conductance(s.array.type) || s.array.type == CimType::RramXbar))
        refuse(path + "array.readout", "voltage needs cells that conduct, with a gate each");
    if (voltage && !(d.c_row > 0 && d.c_col > 0))
        refuse(path + "device.c_col", "readout voltage is priced by c_row and c_col (fF per cell)");
    if (!voltage && (d.c_row > 0 || d.c_col > 0))
        refuse(path + "device.c_col", "has no effect here: only readout voltage");
    if (s.weights.encoding != CimEncoding::DifferentialRows) return;
    if (!is_conductance(s.array.type))
        refuse(path + "weights.encoding", "differential_rows needs cells that conduct");
    if (s.array.rows % 2 != 0 || s.rows.rows_parallel % 2 != 0)
        refuse(path + "rows.rows_parallel", "array.rows and rows_parallel must be even for pairs of rows");
    if (s.adc.adc_bits < 2) refuse(path + "adc.adc_bits", "a signed code needs 2 bits or more");
    if (d.r_col > 0 || d.r_row > 0)
        refuse(path + "device.r_col", "drops along wires are not modelled for differential_rows");
}

}  // namespace

void check_cim(const arch::CimSpec& s, const std::string& path) {
    const CimType type = s.array.type;
    const bool digital = type == CimType::SramDigital;
    if (s.rows.rows_parallel > s.array.rows) {
        refuse(path + "rows.rows_parallel",
               fmt::format("{} rows in parallel, but the array has {} (array.rows)", s.rows.rows_parallel,
                           s.array.rows));
    }
    if (s.rows.row_select == arch::CimRowSelect::Packed && type == CimType::RramXbar) {
        refuse(path + "rows.row_select", "packed needs a wordline latch per row: not for rram_xbar");
    }
    if (!is_conductance(type) && s.array.cell_bits != 1) {
        refuse(path + "array.cell_bits", fmt::format("these cells hold 1 bit (got {})", s.array.cell_bits));
    }
    check_pairs_and_voltages(s, path);
    if (s.array.readout == arch::CimReadout::Charge && type != CimType::SramAnalog) {
        refuse(path + "array.readout", "charge is a kind of sram_analog");
    }
    if (s.array.digital == CimDigital::EventRow && !digital) {
        refuse(path + "array.digital", "event_row is a kind of sram_digital");
    }
    const bool tree = digital && s.array.digital == CimDigital::AdderTree;
    if (s.array.clock_unused && !tree) refuse(path + "array.clock_unused", "is for adder trees");
    if (s.timing.registers != 0 && !tree) refuse(path + "timing.registers", "is for adder trees");
    if (s.timing.registers > s.rows.rows_parallel) {
        refuse(path + "timing.registers", fmt::format("{} registers along {} rows (rows.rows_parallel)",
                                                      s.timing.registers, s.rows.rows_parallel));
    }
    if ((s.timing.t_add > 0 || s.timing.t_register > 0) && s.timing.registers == 0)
        refuse(path + "timing.registers", "t_add and t_register are of a column with registers");
    if (s.array.membrane_rows != 0 && !s.array.event_row()) {
        refuse(path + "array.membrane_rows", "membranes are in arrays of digital: event_row only");
    }
    if (s.array.membrane_rows >= s.array.rows) {
        refuse(path + "array.membrane_rows",
               fmt::format("{} rows of membranes leave none for weights (array.rows {})",
                           s.array.membrane_rows, s.array.rows));
    }
    if (s.weights.sub_position == arch::CimSubtraction::Analog) {
        if (s.weights.encoding != CimEncoding::Differential || digital) {
            refuse(path + "weights.sub_position",
                   "analog subtracts differential column pairs of analogue arrays");
        }
        if (s.array.cols % 2 != 0) refuse(path + "array.cols", "must be even for column pairs");
        if (s.adc.adc_bits < 2) refuse(path + "adc.adc_bits", "a signed code needs 2 bits or more");
    }
    if (!digital && s.adc.adc_share > s.array.cols) {
        refuse(path + "adc.adc_share",
               fmt::format("{} columns per converter, but the array has {}", s.adc.adc_share, s.array.cols));
    }
    if (s.adc.fs == arch::CimFullScale::Fixed && !(s.adc.fs_value > 0)) {
        refuse(path + "adc.fs_value", "fs fixed needs the largest sum, in cell levels");
    }
    static constexpr std::array<std::string_view, 3> tables{"survey", "compact", "spikesim"};
    if (std::find(tables.begin(), tables.end(), s.adc.price_table) == tables.end()) {
        refuse(path + "adc.price_table",
               fmt::format("expected survey, compact or spikesim, got '{}'", s.adc.price_table));
    }
    check_devices(s, path);
}

arch::CimSpec beside_membranes(arch::CimSpec s, std::uint64_t positions, const std::string& path) {
    if (s.array.membrane_rows == 0) return s;
    check_cim(s, path);
    const std::uint64_t rows = arch::weight_rows(s.array, positions);
    if (rows == 0) {
        refuse(path + "array.membrane_rows",
               fmt::format("the membranes of {} positions take {} rows each of an array of {}", positions,
                           s.array.membrane_rows, s.array.rows));
    }
    s.array.rows = rows;
    s.array.membrane_rows = 0;
    s.rows.rows_parallel = std::min(s.rows.rows_parallel, rows);
    return s;
}

double CimShape::utilisation(const arch::CimSpec& spec) const {
    return static_cast<double>(cell_rows * columns) /
           static_cast<double>(arrays() * spec.array.rows * spec.array.cols);
}

CimShape cim_shape(const arch::CimSpec& s, std::uint64_t rows, std::uint64_t outputs, double period_ps,
                   const std::string& path) {
    check_cim(s, path);
    CimShape c;
    c.rows = rows;
    c.outputs = outputs;
    const arch::CimLayout l = arch::cim_layout(s, rows, outputs);
    c.slices = l.slices;
    c.columns_per_weight = l.columns_per_weight;
    c.columns = l.columns();
    c.cell_rows = l.cell_rows();
    c.row_pairs = l.rows_per_weight == 2;
    c.row_blocks = l.row_blocks;
    c.column_blocks = l.column_blocks;
    const bool analog = s.weights.sub_position == arch::CimSubtraction::Analog;
    c.converted = analog ? c.columns / 2 : c.columns;
    if (s.array.type == CimType::SramDigital) {
        c.converted = 0;
    } else {
        c.adcs = s.array.cols / s.adc.adc_share;
        const std::uint64_t used = std::min(c.columns, s.array.cols) / (analog ? 2 : 1);
        c.mux_steps = ceil_div(used, c.adcs);
    }
    c.clocked = s.array.clock_unused ? c.column_blocks * s.array.cols : c.columns;
    set_clock(c, s, period_ps, path);
    const auto stage = [&](const std::string& text, const char* name, std::uint64_t least) {
        return cycles(text, c.period_ps, path + "timing." + name, least);
    };
    c.t_wl = stage(s.timing.t_wl, "t_wl", 0);
    c.t_rd = stage(s.timing.t_rd, "t_rd", 0);
    c.t_sh = s.timing.sample_hold ? stage(s.timing.t_sh, "t_sh", 0) : 0;
    c.t_adc = stage(s.timing.t_adc, "t_adc", 1);
    c.t_sa = stage(s.timing.t_sa, "t_sa", 0);
    c.t_restore = stage(s.timing.t_restore, "t_restore", 0);
    c.t_pulse = cycles(s.write.t_pulse, c.period_ps, path + "write.t_pulse", 1);
    c.t_verify = cycles(s.write.t_verify, c.period_ps, path + "write.t_verify", 0);
    c.tree = c.row_blocks <= 1 ? 0 : static_cast<std::uint64_t>(std::bit_width(c.row_blocks - 1));
    c.fetch = s.rows.bus_bits == 0
                  ? 0
                  : ceil_div(std::min(rows, s.array.rows / l.rows_per_weight), s.rows.bus_bits);
    return c;
}

}  // namespace loom::cores
