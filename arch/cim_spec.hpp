// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/fields.hpp"

/// A compute-in-memory array as data: sections of YAML with the defaults of the preset rram_1t1r_32.
namespace loom::arch {

enum class CimType { Rram1t1r, RramXbar, Pcm, Flash, SramAnalog, Dram, SramDigital };
inline std::span<const std::string_view> enum_names(CimType*) {
    static constexpr std::array<std::string_view, 7> names{"rram_1t1r",   "rram_xbar", "pcm",         "flash",
                                                           "sram_analog", "dram",      "sram_digital"};
    return names;
}

enum class CimReadout { Current, Charge, Voltage };
inline std::span<const std::string_view> enum_names(CimReadout*) {
    static constexpr std::array<std::string_view, 3> names{"current", "charge", "voltage"};
    return names;
}

enum class CimDigital { AdderTree, EventRow };
inline std::span<const std::string_view> enum_names(CimDigital*) {
    static constexpr std::array<std::string_view, 2> names{"adder_tree", "event_row"};
    return names;
}

enum class CimEncoding { Differential, Offset, TwosComplement, DifferentialRows };
inline std::span<const std::string_view> enum_names(CimEncoding*) {
    static constexpr std::array<std::string_view, 4> names{"differential", "offset", "twos_complement",
                                                           "differential_rows"};
    return names;
}

enum class CimSubtraction { Analog, Digital };
inline std::span<const std::string_view> enum_names(CimSubtraction*) {
    static constexpr std::array<std::string_view, 2> names{"analog", "digital"};
    return names;
}

enum class CimRowSelect { All, GroupsSkip, Packed };
inline std::span<const std::string_view> enum_names(CimRowSelect*) {
    static constexpr std::array<std::string_view, 3> names{"all", "groups_skip", "packed"};
    return names;
}

enum class CimFullScale { Lossless, Fixed, Calibrated };
inline std::span<const std::string_view> enum_names(CimFullScale*) {
    static constexpr std::array<std::string_view, 3> names{"lossless", "fixed", "calibrated"};
    return names;
}

enum class CimOverflow { Saturate, Wrap };
inline std::span<const std::string_view> enum_names(CimOverflow*) {
    static constexpr std::array<std::string_view, 2> names{"saturate", "wrap"};
    return names;
}

enum class CimSigmaLaw { Lognormal, Polynomial };
inline std::span<const std::string_view> enum_names(CimSigmaLaw*) {
    static constexpr std::array<std::string_view, 2> names{"lognormal", "polynomial"};
    return names;
}

/// The physical array.
struct CimArraySpec {
    std::uint64_t rows = 128;
    std::uint64_t cols = 128;
    std::uint64_t cell_bits = 1;
    CimType type = CimType::Rram1t1r;
    CimReadout readout = CimReadout::Current;
    CimDigital digital = CimDigital::AdderTree;
    bool clock_unused = false;
    std::uint64_t membrane_rows = 0;

    bool event_row() const { return type == CimType::SramDigital && digital == CimDigital::EventRow; }
};
template <class V>
void fields(V& v, CimArraySpec& s) {
    v("rows", s.rows, {.doc = "wordlines of an array", .min = 1, .max = 65536});
    v("cols", s.cols, {.doc = "columns of an array", .min = 1, .max = 65536});
    v("cell_bits", s.cell_bits, {.doc = "bits of a cell", .min = 1, .max = 8});
    v("type", s.type,
      {.doc = "rram_1t1r, pcm, flash: gate-driven cells; rram_xbar: passive, row-driven; sram_analog, dram; "
              "sram_digital: no converters"});
    v("readout", s.readout,
      {.doc = "current: of cells that conduct from wordline to sample; charge (sram_analog): shared by "
              "capacitors; "
              "voltage: columns settle to a weighted mean of the rows' voltages, and their cells are cut off "
              "then (energy by device.c_row, device.c_col)"});
    v("digital", s.digital,
      {.doc = "sram_digital: adder_tree, or event_row (each spike adds its weight row to membrane rows)"});
    v("clock_unused", s.clock_unused,
      {.doc = "adder_tree: columns of an array that hold no weight are clocked as well"});
    v("membrane_rows", s.membrane_rows,
      {.doc = "event_row: rows of an array that the membranes of one output position take from its weights",
       .max = 65535});
}

struct CimWeightsSpec {
    std::uint64_t weight_bits = 4;
    CimEncoding encoding = CimEncoding::Differential;
    CimSubtraction sub_position = CimSubtraction::Digital;
};
template <class V>
void fields(V& v, CimWeightsSpec& s) {
    v("weight_bits", s.weight_bits, {.doc = "bits of a signed weight", .min = 2, .max = 16});
    v("encoding", s.encoding,
      {.doc =
           "differential: columns in pairs, magnitudes below 2^(bits-1); differential_rows: rows in pairs, "
           "read with opposite voltages into one signed code; offset: w + 2^(bits-1); "
           "twos_complement: the top slice counts negative"});
    v("sub_position", s.sub_position,
      {.doc = "differential pairs are subtracted before (analog) or after (digital) conversion"});
}

/// Which rows fire together.
struct CimRowsSpec {
    std::uint64_t rows_parallel = 31;
    CimRowSelect row_select = CimRowSelect::Packed;
    std::uint64_t bus_bits = 0;
    bool double_buffer = true;
};
template <class V>
void fields(V& v, CimRowsSpec& s) {
    v("rows_parallel", s.rows_parallel, {.doc = "rows driven together, at most", .min = 1});
    v("row_select", s.row_select,
      {.doc = "all: every group of rows_parallel neighbours; groups_skip: those with a spike; packed: sets "
              "of active rows"});
    v("bus_bits", s.bus_bits,
      {.doc = "bits per cycle that fetch an input vector into the spike register; 0: it is there already"});
    v("double_buffer", s.double_buffer,
      {.doc = "two spike registers: a vector is fetched during the one before"});
}

struct CimAdcSpec {
    std::uint64_t adc_bits = 5;
    std::uint64_t adc_share = 8;
    CimFullScale fs = CimFullScale::Lossless;
    double fs_value = 0;
    double fs_sigmas = 3;
    double gain_sigma = 0;
    double offset_sigma = 0;
    std::vector<double> inl;
    std::string price_table = "survey";
};
template <class V>
void fields(V& v, CimAdcSpec& s) {
    v("adc_bits", s.adc_bits, {.doc = "bits of a code", .min = 1, .max = 16});
    v("adc_share", s.adc_share, {.doc = "columns that share a converter", .min = 1});
    v("fs", s.fs,
      {.doc = "range: lossless (the largest sum, at least one level per code), fixed, or calibrated (mean + "
              "fs_sigmas of observed sums)"});
    v("fs_value", s.fs_value, {.doc = "largest sum of fs fixed, in cell levels", .min = 0});
    v("fs_sigmas", s.fs_sigmas, {.doc = "of fs calibrated", .min = 0});
    v("gain_sigma", s.gain_sigma, {.doc = "standard deviation of a converter's gain error", .min = 0});
    v("offset_sigma", s.offset_sigma, {.doc = "of its offset, in cell levels", .min = 0});
    v("inl", s.inl, {.doc = "non-linearity in codes, evenly spaced over the range; empty: none"});
    v("price_table", s.price_table,
      {.doc = "energy of a conversion: survey, compact (rises with the column's current) or spikesim"});
}

/// Durations: cycles ("3") or times ("10 ns"), which are rounded up to whole cycles.
struct CimTimingSpec {
    double f_clk = 0;
    std::string t_wl = "1";
    std::string t_rd = "10 ns";
    std::string t_sh = "1";
    std::string t_adc = "1";
    std::string t_sa = "1";
    std::string t_restore = "0";
    bool sample_hold = true;
    std::uint64_t serial = 1;
    std::uint64_t registers = 0;
    double t_add = 0;
    double t_register = 0;
    std::uint64_t c_spk = 2;
    std::uint64_t c_step = 0;
    std::uint64_t lanes = 16;
};
template <class V>
void fields(V& v, CimTimingSpec& s) {
    v("f_clk", s.f_clk,
      {.doc = "clock; 0: the chip's; for an array alone what t_add allows, or 1 GHz",
       .unit = Unit::Frequency,
       .min = 0});
    v("t_wl", s.t_wl, {.doc = "wordlines rise"});
    v("t_rd", s.t_rd, {.doc = "columns settle"});
    v("t_sh", s.t_sh, {.doc = "sampling"});
    v("t_adc", s.t_adc, {.doc = "one conversion"});
    v("t_sa", s.t_sa, {.doc = "shift and add of one conversion step"});
    v("t_restore", s.t_restore, {.doc = "write-back after a read that destroys (dram)"});
    v("sample_hold", s.sample_hold, {.doc = "the array may settle the next set while one is converted"});
    v("serial", s.serial,
      {.doc = "adder_tree: cycles per row set (weight bits one after the other)", .min = 1});
    v("registers", s.registers,
      {.doc =
           "adder_tree: pipeline registers along a column of ripple-carry adders, a cycle each; 0: a tree, "
           "ceil(log2 rows_parallel) + 1 cycles"});
    v("t_add", s.t_add,
      {.doc = "a carry or sum through one full adder; with `registers` a clock period has to hold "
              "rows_parallel / registers + columns of a weight of them",
       .unit = Unit::Time,
       .min = 0});
    v("t_register", s.t_register,
      {.doc = "what a register takes of a clock period, with t_add", .unit = Unit::Time, .min = 0});
    v("c_spk", s.c_spk, {.doc = "event_row: cycles per spike", .unit = Unit::CycleCount, .min = 1});
    v("c_step", s.c_step,
      {.doc = "event_row: cycles of the sweep of a timestep (leak, compare, reset)",
       .unit = Unit::CycleCount});
    v("lanes", s.lanes, {.doc = "neurons updated side by side", .min = 1});
}

struct CimPsumSpec {
    std::uint64_t psum_bits = 24;
    CimOverflow overflow = CimOverflow::Saturate;
};
template <class V>
void fields(V& v, CimPsumSpec& s) {
    v("psum_bits", s.psum_bits, {.doc = "signed width of a partial sum, in codes", .min = 2, .max = 48});
    v("overflow", s.overflow, {.doc = "saturate or wrap; counted either way"});
}

/// Cells and wires. The defaults are ideal: all deviations are zero.
struct CimDeviceSpec {
    double Gmin = 0.588235;
    double Gmax = 10;
    double Vr = 0.2;
    CimSigmaLaw sigma_law = CimSigmaLaw::Lognormal;
    double sigma = 0;
    std::vector<double> sigma_poly;
    std::vector<double> relax_poly;
    double relax_mean = 0;
    double drift = 0;
    double drift_sigma = 0;
    double drift_t0 = 20e12;
    double age = 0;
    double p_sa0 = 0;
    double p_sa1 = 0;
    double read_noise = 0;
    double rtn_amplitude = 0;
    double rtn_dwell_high = 100;
    double rtn_dwell_low = 100;
    double column_sigma = 0;
    double compression = 0;
    double bitline_cap = 0;
    double c_row = 0;
    double c_col = 0;
    double r_col = 0;
    double r_row = 0;
    std::uint64_t ir_passes = 2;
    std::uint64_t ir_sweeps = 4;
};
template <class V>
void fields(V& v, CimDeviceSpec& s) {
    v("Gmin", s.Gmin, {.doc = "conductance of level 0", .unit = Unit::Conductance, .min = 0});
    v("Gmax", s.Gmax, {.doc = "of the highest level", .unit = Unit::Conductance, .min = 0});
    v("Vr", s.Vr, {.doc = "read voltage", .unit = Unit::Voltage, .min = 0});
    v("sigma_law", s.sigma_law, {.doc = "programming noise: lognormal (sigma) or polynomial (sigma_poly)"});
    v("sigma", s.sigma,
      {.doc = "lognormal: s of G = Gt exp(s N - s^2/2); charge: capacitor mismatch", .min = 0});
    v("sigma_poly", s.sigma_poly,
      {.doc = "polynomial: c0, c1, ... in uS over x = g/Gmax, 1 s after programming"});
    v("relax_poly", s.relax_poly, {.doc = "added to sigma_poly times ln(age / 1 s), in uS"});
    v("relax_mean", s.relax_mean, {.doc = "shift of the mean times ln(age / 1 s), in uS"});
    v("drift", s.drift, {.doc = "nu of G ((age + t0) / t0)^-nu, mean over cells"});
    v("drift_sigma", s.drift_sigma, {.doc = "standard deviation of nu", .min = 0});
    v("drift_t0", s.drift_t0, {.doc = "t0 of the drift", .unit = Unit::Time, .min = 1});
    v("age", s.age, {.doc = "time between programming and use", .unit = Unit::Time, .min = 0});
    v("p_sa0", s.p_sa0, {.doc = "probability of a cell stuck at Gmin", .min = 0, .max = 1});
    v("p_sa1", s.p_sa1, {.doc = "probability of a cell stuck at Gmax", .min = 0, .max = 1});
    v("read_noise", s.read_noise,
      {.doc = "relative deviation of a cell's current, drawn per read", .min = 0});
    v("rtn_amplitude", s.rtn_amplitude,
      {.doc = "two-level noise: relative difference of the levels", .min = 0, .max = 1});
    v("rtn_dwell_high", s.rtn_dwell_high, {.doc = "mean stay in the upper level, in steps", .min = 1});
    v("rtn_dwell_low", s.rtn_dwell_low, {.doc = "mean stay in the lower level, in steps", .min = 1});
    v("column_sigma", s.column_sigma, {.doc = "gain deviation of a column (sram_analog, dram)", .min = 0});
    v("compression", s.compression, {.doc = "limited swing: y / (1 + n |y|), n per level", .min = 0});
    v("bitline_cap", s.bitline_cap,
      {.doc = "dram: bitline capacitance in cell capacitors; k cells share charge as 1/(this + k)",
       .min = 0});
    v("c_row", s.c_row, {.doc = "readout voltage: capacitance of a driven row per cell, in fF", .min = 0});
    v("c_col", s.c_col, {.doc = "readout voltage: of a column per cell, in fF", .min = 0});
    v("r_col", s.r_col, {.doc = "wire along the column, per cell", .unit = Unit::Resistance, .min = 0});
    v("r_row", s.r_row,
      {.doc = "wire along the row, per cell (row-driven)", .unit = Unit::Resistance, .min = 0});
    v("ir_passes", s.ir_passes,
      {.doc = "gate-driven: fixed-point passes over a column", .min = 1, .max = 100});
    v("ir_sweeps", s.ir_sweeps, {.doc = "row-driven: alternating tridiagonal solves", .min = 1, .max = 1000});
}

struct CimWriteSpec {
    double Vset = 1.75;
    double Vreset = 1.75;
    std::string t_pulse = "1 us";
    std::string t_verify = "100 ns";
    double NL_plus = 1;
    double NL_minus = -1;
    std::uint64_t Pmax = 32;
    double sigma_c2c = 0;
    double endurance = 0;
    double endurance_sigma = 0.5;
    bool verify = true;
    double tolerance = 0.01;
    std::uint64_t n_max = 64;
    std::uint64_t page_rows = 1;
};
template <class V>
void fields(V& v, CimWriteSpec& s) {
    v("Vset", s.Vset, {.doc = "amplitude of a SET pulse", .unit = Unit::Voltage, .min = 0});
    v("Vreset", s.Vreset, {.doc = "amplitude of a RESET pulse", .unit = Unit::Voltage, .min = 0});
    v("t_pulse", s.t_pulse, {.doc = "one pulse, in cycles or time"});
    v("t_verify", s.t_verify, {.doc = "a verify read of a row, in cycles or time"});
    v("NL_plus", s.NL_plus, {.doc = "non-linearity label of potentiation, 0 (linear) to 9"});
    v("NL_minus", s.NL_minus, {.doc = "of depression, 0 to -9"});
    v("Pmax", s.Pmax, {.doc = "pulses from Gmin to Gmax", .min = 1, .max = 1000000});
    v("sigma_c2c", s.sigma_c2c, {.doc = "deviation per pulse, of Gmax - Gmin", .min = 0});
    v("endurance", s.endurance, {.doc = "median pulses of a cell's life; 0: no limit", .min = 0});
    v("endurance_sigma", s.endurance_sigma, {.doc = "of its logarithm", .min = 0});
    v("verify", s.verify, {.doc = "repeat pulse and read until within tolerance"});
    v("tolerance", s.tolerance, {.doc = "of the target, in Gmax - Gmin", .min = 0});
    v("n_max", s.n_max, {.doc = "pulses per cell and write, at most", .min = 1});
    v("page_rows", s.page_rows, {.doc = "rows written together (flash pages)", .min = 1});
}

struct CimSpec {
    CimArraySpec array;
    CimWeightsSpec weights;
    CimRowsSpec rows;
    CimAdcSpec adc;
    CimTimingSpec timing;
    CimPsumSpec psum;
    CimDeviceSpec device;
    CimWriteSpec write;
};
template <class V>
void fields(V& v, CimSpec& s) {
    v("array", s.array, {.doc = "the physical array"});
    v("weights", s.weights, {.doc = "how weights lie in cells"});
    v("rows", s.rows, {.doc = "which rows fire together"});
    v("adc", s.adc, {.doc = "conversion"});
    v("timing", s.timing, {.doc = "stages, in cycles or times"});
    v("psum", s.psum, {.doc = "digital accumulation"});
    v("device", s.device, {.doc = "cells and wires"});
    v("write", s.write, {.doc = "programming"});
}

}  // namespace loom::arch
