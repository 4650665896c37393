// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <memory>
#include <string_view>
#include <tuple>
#include <vector>

#include "arch/chip_spec.hpp"
#include "arch/neuron_group.hpp"
#include "cores/neuron/neuron_array.hpp"

namespace loom::cores {

/// A neuron model: its name, and how neurons of a group are made for each type of accumulators.
struct NeuronModel {
    template <class Acc>
    using Make = std::unique_ptr<NeuronArray<Acc>> (*)(const arch::NeuronGroup&, const arch::CoreSpec&,
                                                       Membranes<Acc>&);
    std::string_view name;
    std::tuple<Make<std::int32_t>, Make<std::int64_t>, Make<double>> make;
};

/// The neuron models that somas know.
class NeuronModels {
  public:
    /// Throws InternalError for a name that is taken.
    void add(const NeuronModel& model);
    const std::vector<NeuronModel>& all() const { return all_; }
    /// Throws ModelError for a model that there is not.
    const NeuronModel& find(std::string_view name) const;

  private:
    std::vector<NeuronModel> all_;
};

/// Adds the models that come with the library. Throws InternalError when one of the names is taken.
void add_builtin(NeuronModels& models);
/// Those models alone.
const NeuronModels& builtin_neuron_models();

}  // namespace loom::cores
