// SPDX-License-Identifier: Apache-2.0
#include "app/run/decoder.hpp"

#include <algorithm>

#include "base/key_error.hpp"

namespace loom::app {

Decoder::Decoder(DecodeRule rule, const chip::ChipModel& model)
    : rule_(rule),
      model_(model),
      output_(model.program().output),
      fires_(model.program().layers[index(output_)].fires),
      score_(model.program().layers[index(output_)].count) {
    if (rule == DecodeRule::SpikeCount && !fires_) {
        throw KeyError("decode.rule", "spike_count needs a spiking output, but layer '" +
                                          model.program().layers[index(output_)].name +
                                          "' does not fire; use membrane or sum");
    }
}

void Decoder::after_step(Step chip_step) {
    const std::int64_t t = model_.algorithmic_step(output_, chip_step);
    if (t < 0 || t >= static_cast<std::int64_t>(model_.steps())) return;
    const bool last = t + 1 == static_cast<std::int64_t>(model_.steps());
    if (rule_ != DecodeRule::Membrane && fires_) {
        model_.for_each_spike([&](LayerId layer, std::uint32_t element, std::int64_t count) {
            if (layer != output_) return;
            score_[element] += static_cast<double>(count);
            fired_ = true;
        });
        return;
    }
    if (rule_ == DecodeRule::Membrane && !last) return;
    model_.read_layer(output_, chip::ChipModel::Quantity::Membrane, values_);
    const auto& info = model_.program().layers[index(output_)];
    for (std::size_t i = 0; i < values_.size(); ++i) {
        const double unit = info.gain[info.gain.size() == 1 ? 0 : i] * info.lsb;
        if (rule_ == DecodeRule::Membrane) score_[i] = 0;
        score_[i] += values_[i] * unit;
    }
}

std::int64_t Decoder::prediction() const {
    if (rule_ != DecodeRule::Membrane && fires_ && !fired_) return stats::kUndecided;
    return std::max_element(score_.begin(), score_.end()) - score_.begin();
}

}  // namespace loom::app
