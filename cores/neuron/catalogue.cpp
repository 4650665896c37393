// SPDX-License-Identifier: Apache-2.0
#include "cores/neuron/catalogue.hpp"

#include <algorithm>

#include "base/nearest.hpp"
#include "cores/neuron/alif.hpp"
#include "cores/neuron/cuba_lif.hpp"
#include "cores/neuron/lif.hpp"
#include "cores/neuron/model_array.hpp"

namespace loom::cores {
namespace {

/// A line per model.
constexpr NeuronModel kBuiltin[] = {
    neuron_model<Lif>("lif"),
    neuron_model<CubaLif>("cuba_lif"),
    neuron_model<Alif>("alif"),
};

}  // namespace

void NeuronModels::add(const NeuronModel& model) {
    if (std::ranges::find(all_, model.name, &NeuronModel::name) != all_.end())
        throw InternalError("two neuron models '" + std::string(model.name) + "'");
    all_.push_back(model);
}

const NeuronModel& NeuronModels::find(std::string_view name) const {
    const auto it = std::ranges::find(all_, name, &NeuronModel::name);
    if (it != all_.end()) return *it;
    std::vector<std::string> known;
    for (const NeuronModel& m : all_) known.emplace_back(m.name);
    throw ModelError("no neuron model '" + std::string(name) + "'" + suggestion(std::string(name), known));
}

void add_builtin(NeuronModels& models) {
    for (const NeuronModel& m : kBuiltin) models.add(m);
}

const NeuronModels& builtin_neuron_models() {
    static const NeuronModels models = [] {
        NeuronModels all;
        add_builtin(all);
        return all;
    }();
    return models;
}

}  // namespace loom::cores
