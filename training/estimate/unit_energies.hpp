// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "base/fields.hpp"

namespace loom::train_estimate {

/// Energies of SATA_Sim's training model (energy_configs.py, mem_configs.py), 16-bit operations and words.
/// Their unit is not stated, so only ratios mean something; reports are in 16-bit MACs.
struct UnitEnergies {
    double mul = 0.239, acc = 0.0389, add = 0.00967, comp = 0.00309;
    double mux = 0.00172, reg = 0.0301, sft = 0.00605, bit_and = 0.000794;
    double dram = 55.58, sram = 1.95, spad = 0.2779;

    double ac() const { return acc + bit_and; }  ///< spike-gated accumulate
    double mac() const { return mul + acc; }     ///< multiply-accumulate: the unit of reports
    double lif() const { return add + comp + 2 * mux + 3 * reg + sft; }  ///< forward update of a neuron
    double pgu() const { return mul + 2 * add + mux + 2 * sft; }         ///< its backward step
};
template <class V>
void fields(V& v, UnitEnergies& s) {
    v("mul", s.mul, {.doc = "multiplier", .min = 1e-9});
    v("acc", s.acc, {.doc = "accumulator", .min = 0});
    v("add", s.add, {.doc = "adder", .min = 0});
    v("comp", s.comp, {.doc = "comparator", .min = 0});
    v("mux", s.mux, {.doc = "multiplexer of 2 inputs", .min = 0});
    v("reg", s.reg, {.doc = "register", .min = 0});
    v("sft", s.sft, {.doc = "shifter of 3 stages", .min = 0});
    v("and", s.bit_and, {.doc = "bitwise AND", .min = 0});
    v("dram", s.dram, {.doc = "word of DRAM", .min = 0});
    v("sram", s.sram, {.doc = "word of the global buffer", .min = 0});
    v("spad", s.spad, {.doc = "word of a scratch-pad", .min = 0});
}

}  // namespace loom::train_estimate
