// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <array>
#include <memory>
#include <string>

#include "base/fields.hpp"
#include "training/learn/number_format.hpp"

namespace loom::learn {

/// How one kind of value is stored.
struct FormatOfRole {
    std::string kind = "float32";  ///< float32, fp16, bf16, fixed
    std::uint32_t bits = 16;       ///< fixed: with sign
    std::int64_t fraction = 8;     ///< fixed: binary places
};
template <class V>
void fields(V& v, FormatOfRole& s) {
    v("kind", s.kind, {.doc = "float32, fp16, bf16 or fixed"});
    v("bits", s.bits, {.doc = "fixed: width with sign", .min = 2, .max = 32});
    v("fraction", s.fraction, {.doc = "fixed: binary places", .min = -64, .max = 64});
}

/// The `formats:` section. Sums inside a layer, statistics of norms and the optimiser are float32 throughout.
struct FormatSpec {
    FormatOfRole weight = {}, current = {}, membrane = {}, error = {}, weight_gradient = {}, input = {};
    std::string rounding = "nearest";
    bool master_weights = true;
    std::uint64_t seed = 1;
};
template <class V>
void fields(V& v, FormatSpec& s) {
    v("weight", s.weight, {.doc = "trained values as layers use them"});
    v("current", s.current, {.doc = "outputs of matrices and norms"});
    v("membrane", s.membrane, {.doc = "membranes before the threshold comparison"});
    v("error", s.error, {.doc = "dL/ds and dL/du"});
    v("weight_gradient", s.weight_gradient, {.doc = "summed gradients as the optimiser gets them"});
    v("input", s.input, {.doc = "analogue samples as the network gets them; samples of zeros and ones stay"});
    v("rounding", s.rounding, {.doc = "nearest (ties to even) or stochastic (counter-based random numbers)"});
    v("master_weights", s.master_weights,
      {.doc = "true: the optimiser keeps float32 weights; false: every update is rounded to the format"});
    v("seed", s.seed, {.doc = "of stochastic rounding", .max = kAnyWhole});
}

/// Formats with counts of what did not fit.
class CountedFormats : public Formats {
  public:
    struct Counts {
        std::uint64_t rounded = 0, saturated = 0;
    };
    /// By role; values beyond the largest are set to it and counted.
    const Counts& counts(Role role) const { return counts_[static_cast<std::size_t>(role)]; }
    void clear_counts() { counts_ = {}; }

  protected:
    mutable std::array<Counts, kRoles> counts_{};
};

/// nullptr when everything is float32. Throws ConfigError "train.formats.<role>.kind: ...".
std::unique_ptr<CountedFormats> make_formats(const FormatSpec& spec);

}  // namespace loom::learn
