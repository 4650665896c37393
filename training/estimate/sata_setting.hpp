// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <vector>

#include "base/fields.hpp"
#include "training/estimate/defects.hpp"
#include "training/estimate/unit_energies.hpp"

namespace loom::train_estimate {

/// Share of zeros, the same in all layers.
struct Sparsity {
    double spikes = 0.9;      ///< sp_s
    double error = 0.7;       ///< sp_du: gradient of the membrane
    double derivative = 0.6;  ///< sp_df: derivative of the firing function
};
template <class V>
void fields(V& v, Sparsity& s) {
    v("spikes", s.spikes, {.doc = "share of silent inputs", .min = 0, .max = 1});
    v("error", s.error, {.doc = "share of zeros in the gradient of the membranes", .min = 0, .max = 1});
    v("derivative", s.derivative,
      {.doc = "share of zeros in the derivative of the firing function", .min = 0, .max = 1});
}

/// Densities met in one layer: 1 - sparsity.
struct Densities {
    double spikes = 1;      ///< of its input
    double error = 1;       ///< nonzero gradients of its own membranes
    double derivative = 1;  ///< nonzero derivatives of its own neurons
};
template <class V>
void fields(V& v, Densities& s) {
    v("spikes", s.spikes, {.doc = "density of spikes in the layer's input", .min = 0, .max = 1});
    v("error", s.error, {.doc = "density of nonzero gradients of its membranes", .min = 0, .max = 1});
    v("derivative", s.derivative,
      {.doc = "density of nonzero derivatives of its neurons", .min = 0, .max = 1});
}

/// What repaired defect 5 adds: the operations of 128 elements, one each per cycle, none idle (a lower
/// bound), and the leakage of the buffers and elements meanwhile.
struct TimeModel {
    std::uint64_t elements = 128;
    double clock = 400;       ///< MHz
    double leakage = 105.01;  ///< mW: CACTI buffers m, s, z, w, u of 16 banks 104.95, 128 elements 0.059
    double mac =
        1.43202;  ///< pJ: multiplier 1.2775, adder 0.09175, register 0.06277; 16 bits, kernel library
};
template <class V>
void fields(V& v, TimeModel& s) {
    v("elements", s.elements, {.doc = "processing elements", .min = 1, .max = 1 << 24});
    v("clock", s.clock, {.doc = "their clock", .unit = Unit::Frequency, .min = 1e-3});
    v("leakage", s.leakage, {.doc = "static power of buffers and elements", .unit = Unit::Power, .min = 0});
    v("mac", s.mac, {.doc = "16-bit MAC, to express leakage in MACs", .unit = Unit::Energy, .min = 1e-6});
}

/// The shipped setting by default.
struct SataSetting {
    Variant variant = Variant::Shipped;
    std::vector<Defect> repair;  ///< beyond those of the variant
    std::uint64_t timesteps = 4;
    std::uint64_t bits = 2;   ///< of weights, membranes and sums in the forward phase; 16 in the others
    std::uint64_t batch = 1;  ///< of use without defect 4b only
    Sparsity sparsity;
    TimeModel time;
    UnitEnergies energies;
};
template <class V>
void fields(V& v, SataSetting& s) {
    v("variant", s.variant,
      {.doc = "shipped: with all defects; corrected: without those of linear layers; repaired: without any"});
    v("repair", s.repair, {.doc = "defects to be repaired besides (docs/reference/validation-training.md)"});
    v("timesteps", s.timesteps, {.doc = "timesteps T of a sample", .min = 1, .max = 1e6});
    v("bits", s.bits, {.doc = "width of words in the forward phase", .min = 1, .max = 16});
    v("batch", s.batch,
      {.doc = "samples per update; matters when no_batch_reuse is repaired", .min = 1, .max = 1e9});
    v("sparsity", s.sparsity, {.doc = "share of zeros in all layers; `activity` gives them by layer"});
    v("time", s.time, {.doc = "for leakage, when no_time is repaired"});
    v("energies", s.energies, {.doc = "energy per operation and word; only ratios matter"});
}

}  // namespace loom::train_estimate
