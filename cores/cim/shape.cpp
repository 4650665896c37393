// SPDX-License-Identifier: Apache-2.0
#include "cores/cim/shape.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>

#include "sim/arch/cim_layout.hpp"
#include "sim/base/error.hpp"
#include "sim/config/quantity.hpp"

namespace loom::cores {
namespace {

using arch::CimDigital;
using arch::CimEncoding;
using arch::CimType;

std::uint64_t ceil_div(std::uint64_t a, std::uint64_t b) {
    return (a + b - 1) / b;
}

[[noreturn]] void refuse(const std::string& key, const std::string& problem) {
    throw ConfigError(key + ": " + problem);
}

std::uint64_t cycles(const std::string& text, double period_ps, const std::string& key, std::uint64_t least) {
    std::uint64_t n = 0;
    try {
        n = config::parse_whole_quantity(text, Unit::CycleCount);
    } catch (const ConfigError&) {
        try {
            // a hair below a whole number of periods is that number
            n = static_cast<std::uint64_t>(
                std::ceil(config::parse_quantity(text, Unit::Time) / period_ps - 1e-9));
        } catch (const ConfigError&) {
            refuse(key, fmt::format("expected cycles or a time such as '3' or '10 ns', got '{}'", text));
        }
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
    if (s.array.readout == arch::CimReadout::Charge && type != CimType::SramAnalog) {
        refuse(path + "array.readout", "charge is a kind of sram_analog");
    }
    if (s.array.digital == CimDigital::EventRow && !digital) {
        refuse(path + "array.digital", "event_row is a kind of sram_digital");
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
    if (s.adc.price_table != "survey" && s.adc.price_table != "compact") {
        refuse(path + "adc.price_table",
               fmt::format("expected survey or compact, got '{}'", s.adc.price_table));
    }
    check_devices(s, path);
}

double CimShape::utilisation(const arch::CimSpec& spec) const {
    return static_cast<double>(rows * columns) /
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
    c.period_ps = s.timing.f_clk > 0 ? 1e6 / s.timing.f_clk : period_ps;
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
    c.fetch = s.rows.bus_bits == 0 ? 0 : ceil_div(std::min(rows, s.array.rows), s.rows.bus_bits);
    return c;
}

}  // namespace loom::cores
