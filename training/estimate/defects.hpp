// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <array>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace loom::train_estimate {

/// What SATA_Sim's training model gets wrong; the effect of each and what the repaired formula says are in
/// docs/reference/validation-training.md. Numbers 1, 4 and 7 of that list have two parts.
enum class Defect {
    AssignedForward,     ///< 1a: a linear layer's forward count replaces that of the layers before it
    DenseLinear,         ///< 1b: sparsity is not applied to operations of linear layers
    OutLinearIgnored,    ///< 2: the readout layer counts nothing
    DerivativeUnused,    ///< 3: errors are computed also where the derivative of the neuron below is zero
    DenseMemory,         ///< 4a: words are moved whether or not anything needs them
    NoBatchReuse,        ///< 4b: weights are fetched and updated once per sample
    NoTime,              ///< 5: no cycles, hence no leakage
    ForwardSpikeWords,   ///< 6: a spike is 1/b of a word, b forward bits, also where words have 16 bits
    FirstInputGradient,  ///< 7a: the gradient of the network's input is computed
    PaddingTaps,         ///< 7b: taps on padding count as operations
};
inline constexpr std::array<Defect, 10> kDefects{
    Defect::AssignedForward,    Defect::DenseLinear,  Defect::OutLinearIgnored, Defect::DerivativeUnused,
    Defect::DenseMemory,        Defect::NoBatchReuse, Defect::NoTime,           Defect::ForwardSpikeWords,
    Defect::FirstInputGradient, Defect::PaddingTaps};
inline std::span<const std::string_view> enum_names(Defect*) {
    static constexpr std::array<std::string_view, kDefects.size()> names{
        "assigned_forward", "dense_linear", "out_linear_ignored",  "derivative_unused",    "dense_memory",
        "no_batch_reuse",   "no_time",      "forward_spike_words", "first_input_gradient", "padding_taps"};
    return names;
}

/// Shipped: all defects. Corrected: without 1 and 2, as the reference's corrected table. Repaired: none.
enum class Variant { Shipped, Corrected, Repaired };
inline std::span<const std::string_view> enum_names(Variant*) {
    static constexpr std::array<std::string_view, 3> names{"shipped", "corrected", "repaired"};
    return names;
}

/// The defects that are present.
class DefectSet {
  public:
    DefectSet(Variant variant, const std::vector<Defect>& repaired);
    bool has(Defect d) const { return present_[static_cast<std::size_t>(d)]; }

  private:
    std::array<bool, kDefects.size()> present_{};
};

/// A number of the list with the defects that make it up: "1" is "1a" and "1b".
struct NumberedDefects {
    std::string_view number;
    std::string_view what;
    std::vector<Defect> defects;
};
const std::vector<NumberedDefects>& numbered_defects();

}  // namespace loom::train_estimate
