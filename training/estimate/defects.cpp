// SPDX-License-Identifier: Apache-2.0
#include "training/estimate/defects.hpp"

namespace loom::train_estimate {

DefectSet::DefectSet(Variant variant, const std::vector<Defect>& repaired) {
    present_.fill(variant != Variant::Repaired);
    const auto repair = [&](Defect d) { present_[static_cast<std::size_t>(d)] = false; };
    if (variant == Variant::Corrected) {
        for (const Defect d : {Defect::AssignedForward, Defect::DenseLinear, Defect::OutLinearIgnored})
            repair(d);
    }
    for (const Defect d : repaired) repair(d);
}

const std::vector<NumberedDefects>& numbered_defects() {
    static const std::vector<NumberedDefects> list{
        {"1", "linear layers", {Defect::AssignedForward, Defect::DenseLinear}},
        {"1a", "forward count assigned, not added", {Defect::AssignedForward}},
        {"1b", "sparsity not applied to linear layers", {Defect::DenseLinear}},
        {"2", "out_linear ignored", {Defect::OutLinearIgnored}},
        {"3", "sparsity of the derivative unused", {Defect::DerivativeUnused}},
        {"4", "memory", {Defect::DenseMemory, Defect::NoBatchReuse}},
        {"4a", "sparsity never changes a memory count", {Defect::DenseMemory}},
        {"4b", "weights once per sample, no batch reuse", {Defect::NoBatchReuse}},
        {"5", "no cycles, no leakage", {Defect::NoTime}},
        {"6", "spike words of the forward width everywhere", {Defect::ForwardSpikeWords}},
        {"7", "backward operations nothing needs", {Defect::FirstInputGradient, Defect::PaddingTaps}},
        {"7a", "input gradient of the first layer", {Defect::FirstInputGradient}},
        {"7b", "taps on padding", {Defect::PaddingTaps}},
    };
    return list;
}

}  // namespace loom::train_estimate
