// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>

#include "arch/cim_spec.hpp"
#include "arch/cim_training_spec.hpp"
#include "base/fields.hpp"

namespace loom::arch {

/// Compute-in-memory arrays of a core: how many, and their description (the same sections as in a file of an
/// array alone).
struct CimCoreSpec : CimSpec {
    CimCoreSpec() = default;  // no aggregate: g++ 12 would warn of its base's texts
    std::uint64_t arrays = 16;
    std::uint64_t input_bits = 4;
    bool reload = false;
    CimTrainingSpec training;
};
template <class V>
void fields(V& v, CimCoreSpec& s) {
    v("arrays", s.arrays, {.doc = "arrays of a core", .min = 1});
    v("input_bits", s.input_bits,
      {.doc = "bits of an input of a row: several spikes of a timestep on one row, or a graded value, are "
              "read bit by "
              "bit",
       .min = 1,
       .max = 31});
    v("reload", s.reload,
      {.doc = "the arrays are erased and programmed at the start of every sample; reads and spikes wait"});
    v("training", s.training, {.doc = "training in place"});
    fields(v, static_cast<CimSpec&>(s));
}

}  // namespace loom::arch
