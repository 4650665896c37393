// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <map>
#include <string>

#include "base/energy_price.hpp"
#include "base/fields.hpp"

namespace loom::arch {

/// What a counted event costs. Prices per bit and per bit and mm are multiplied by the event's bits (a flit:
/// noc.flit_bits) and the link's length (noc.link_length) once, for the report.
struct PriceSpec {
    EnergyPrice value;
    std::string category = "compute";
    std::string scope = "marginal";
    std::string grade = "assumed";
    std::string source;
    std::string note;
};
template <class V>
void fields(V& v, PriceSpec& s) {
    v("value", s.value,
      {.doc = "energy per event (3 pJ), per bit (25 pJ/bit) or per bit and mm (0.3 pJ/bit/mm)",
       .required = true});
    v("category", s.category, {.doc = "compute, memory, noc or control"});
    v("scope", s.scope, {.doc = "marginal or all_in"});
    v("grade", s.grade, {.doc = "measured, simulated, derived or assumed"});
    v("source", s.source, {.doc = "paper and table, or `assumed`", .required = true});
    v("note", s.note, {.doc = "condition or remark"});
}

/// Of a conversion.
struct AdcPriceSpec : PriceSpec {
    double per_uA = 0;
};
template <class V>
void fields(V& v, AdcPriceSpec& s) {
    fields(v, static_cast<PriceSpec&>(s));
    v("per_uA", s.per_uA,
      {.doc = "added per uA of the column's current (driven conductance times device.Vr)",
       .unit = Unit::Energy,
       .min = 0});
}

struct LeakageSpec {
    double value = 0.0;
    double per_cycle = 0.0;
    std::string grade = "assumed";
    std::string source;
    std::string note;
    /// Static energy of one instance in a clock cycle of `period` ps, in pJ: 1 mW for 1 ps is 1e-3 pJ.
    double pj_per_cycle(double period) const { return per_cycle + value * period * 1e-3; }
};
template <class V>
void fields(V& v, LeakageSpec& s) {
    v("value", s.value, {.doc = "static power of one instance", .unit = Unit::Power, .min = 0});
    v("per_cycle", s.per_cycle,
      {.doc = "instead: static energy of one instance per cycle of the clock",
       .unit = Unit::Energy,
       .min = 0});
    v("grade", s.grade, {.doc = "measured, simulated, derived or assumed"});
    v("source", s.source, {.doc = "paper and table, or `assumed`", .required = true});
    v("note", s.note, {.doc = "condition or remark"});
}

/// Silicon area of one instance.
struct AreaSpec {
    double value = 0.0;
    std::string grade = "assumed";
    std::string source;
    std::string note;
};
template <class V>
void fields(V& v, AreaSpec& s) {
    v("value", s.value, {.doc = "area of one instance", .unit = Unit::Area, .min = 0, .required = true});
    v("grade", s.grade, {.doc = "measured, simulated, derived or assumed"});
    v("source", s.source, {.doc = "paper and table, or `assumed`", .required = true});
    v("note", s.note, {.doc = "condition or remark"});
}

struct PaperEstimateSpec {
    double ac = 0.9;
    double mac = 4.6;
    std::string source = "Horowitz ISSCC 2014, 45 nm, float32";
};
template <class V>
void fields(V& v, PaperEstimateSpec& s) {
    v("ac", s.ac, {.doc = "energy per accumulate", .unit = Unit::Energy});
    v("mac", s.mac, {.doc = "energy per multiply-accumulate", .unit = Unit::Energy});
    v("source", s.source, {.doc = "where the two figures come from"});
}

/// Prices by event ("synapse.word_reads"; "noc.link_x" stands for both directions, "noc.link_x+" and
/// "noc.link_x-" for one each); `unpriced` names counted events that are deliberately free and why.
/// Leakage by component: core, router, link, bridge, chip. `ert` and `map` are resolved when the file is
/// read (stats::expand_ert).
struct EnergySpec {
    std::string name;
    std::string ert;
    std::map<std::string, std::string> map;
    std::map<std::string, PriceSpec> actions;
    std::map<std::string, std::string> unpriced;
    std::map<std::string, LeakageSpec> leakage;
    std::map<std::string, std::map<std::string, AdcPriceSpec>> adc;
    std::map<std::string, PriceSpec> digital_mac;
    std::map<std::string, AreaSpec> area;
    double technology = 0.0;  ///< mm; 0: not stated
    PaperEstimateSpec paper;
};
template <class V>
void fields(V& v, EnergySpec& s) {
    v("name", s.name, {.doc = "name of the price list"});
    v("ert", s.ert, {.doc = "energy reference table of Accelergy to take prices from"});
    v("map", s.map, {.doc = "ert: component.action -> event, or none"});
    v("actions", s.actions, {.doc = "price per counted event"});
    v("unpriced", s.unpriced, {.doc = "events without a price, with the reason"});
    v("leakage", s.leakage, {.doc = "static power per core, router, link (both ways), bridge and chip"});
    v("adc", s.adc, {.doc = "energy of a conversion: table, bits, price (compute-in-memory arrays)"});
    v("digital_mac", s.digital_mac,
      {.doc =
           "adder trees: energy of a MAC of an active input bit with a weight of so many bits; a tenth of it "
           "without activity (assumed)"});
    v("area", s.area,
      {.doc =
           "area of a cell, sram_cell (bit of a memory), digital_cell (with its share of adders), "
           "row_driver, sample_hold (of a column), mux, shift_add (of a converter), adc.<bits> or "
           "adc.<table>.<bits>, core (logic of one), router; of training engines register, adder, "
           "multiplier, comparator, and, mux, shifter (.<bits>), sram_port (of a port's bit over a bank of "
           "one bit, times the square root of its bits), control, dram_interface"});
    v("technology", s.technology,
      {.doc = "feature size that the figures are for, e.g. 32 nm", .unit = Unit::Length, .min = 0});
    v("paper", s.paper, {.doc = "constants of the paper-style estimate"});
}

}  // namespace loom::arch

namespace loom {
extern template const ValueType& type_of<arch::EnergySpec>();  // compiled once
}
