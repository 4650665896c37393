// SPDX-License-Identifier: Apache-2.0
#include "training/learn/neurons/make_neurons.hpp"

#include "base/error.hpp"
#include "training/learn/neurons/learned_leak.hpp"
#include "training/learn/neurons/learned_window.hpp"
#include "training/learn/neurons/rate_lif.hpp"
#include "training/learn/neurons/recurrent_weights.hpp"
#include "training/learn/neurons/synaptic_filter.hpp"

namespace loom::learn {

std::unique_ptr<Lif> make_neurons(const Shape& shape, const NeuronSpec& spec,
                                  const SurrogateSpec& surrogate) {
    if (surrogate.kind == "dsr") {
        if (spec.learns_leak || spec.adaptation || spec.current_decay || spec.recurrent)
            throw ConfigError("train.surrogate.kind: dsr works with plain integrate-and-fire neurons only");
        return std::make_unique<RateLif>(shape, spec.lif);
    }
    if (!spec.lif.fires && (spec.adaptation || spec.recurrent))
        throw ConfigError("train: neurons that never fire have no adaptation and no recurrent weights");
    const std::shared_ptr<const Surrogate> h = make_surrogate(surrogate);
    auto neurons = std::make_unique<Lif>(shape, spec.lif, h);
    if (spec.recurrent) neurons->add(std::make_unique<RecurrentWeights>());
    if (spec.current_decay) neurons->add(std::make_unique<SynapticFilter>(*spec.current_decay));
    if (spec.adaptation) neurons->add(std::make_unique<Adaptation>(*spec.adaptation));
    if (spec.learns_leak) neurons->add(std::make_unique<LearnedLeak>(spec.scales_input));
    if (surrogate.kind == "lsg" && spec.lif.fires)
        neurons->add(std::make_unique<LearnedWindow>(
            static_cast<float>(surrogate.width.value_or(0.5)),
            spec.learns_leak ? WindowRule::FollowsLeak : WindowRule::Trained));
    return neurons;
}

}  // namespace loom::learn
