// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <optional>

#include "training/learn/neurons/adaptation.hpp"
#include "training/learn/neurons/lif.hpp"

namespace loom::learn {

/// A population as plain data. The parts may be combined freely: an LSNN is recurrent and adaptive.
struct NeuronSpec {
    LifSpec lif = {};                                         ///< leak 1: IF
    bool learns_leak = false;                                 ///< PLIF
    bool scales_input = false;                                ///< PLIF: the gain is 1 - leak
    std::optional<AdaptationSpec> adaptation = std::nullopt;  ///< ALIF
    std::optional<float> current_decay = std::nullopt;        ///< CUBA
    bool recurrent = false;  ///< dense weights from its own spikes of the timestep before
};

/// Throws ConfigError for surrogates and parts that do not go together.
std::unique_ptr<Lif> make_neurons(const Shape& shape, const NeuronSpec& spec, const SurrogateSpec& surrogate);

}  // namespace loom::learn
