// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <memory>

#include "sim/chip/chip_model.hpp"
#include "tests/support/core_kinds.hpp"

/// The smallest program: input elements that feed one integrator.
namespace loom {

/// `per_step` input elements are 1 in every timestep.
class Input final : public chip::SampleInput {
  public:
    explicit Input(std::uint32_t per_step) : n_(per_step) {}
    void values(Step, SparseVector& out) const override {
        out.clear();
        for (std::uint32_t i = 0; i < n_; ++i) out.emplace_back(i, 1.0);
    }
    bool constant() const override { return true; }

  private:
    std::uint32_t n_;
};

/// `inputs` elements feed one integrator at `endpoint` with weight 1.
inline arch::Program one_neuron(std::uint32_t inputs, std::uint32_t endpoint) {
    arch::Program p;
    p.max_skew = 1;
    p.layers.resize(2);
    p.layers[0].is_input = true;
    p.layers[0].count = inputs;
    p.layers[1].count = 1;
    p.layers[1].skew = 1;
    p.output = LayerId{1};
    arch::CoreImage image;
    image.endpoint = EndpointId{endpoint};
    image.n_neurons = 1;
    image.n_axons = inputs;
    image.fanout.row = {0, 0};
    arch::NeuronGroup g;
    g.layer = LayerId{1};
    g.count = 1;
    g.start_step = 1;
    g.layer_index = {0};
    for (const char* name : {"bias", "v_reset", "v_min"}) g.parameters[name].i = {0};
    g.parameters["decay_v"].i = {4096};
    g.parameters["threshold"].i = {1 << 30};
    image.neurons = {g};
    arch::AxonGroup a;
    a.target = LayerId{1};
    a.count = inputs;
    a.rows = arch::DenseRows{1};
    auto block = std::make_shared<arch::WeightBlock>();
    block->values = std::vector<std::int8_t>(inputs, 1);
    a.weights = block;
    image.axons = {a};
    p.cores = {image};
    p.input_fanout.row = {0};
    for (std::uint32_t i = 0; i < inputs; ++i) {
        p.input_fanout.entries.push_back({EndpointId{endpoint}, i});
        p.input_fanout.row.push_back(i + 1);
    }
    return p;
}

inline arch::ChipSpec spec_of(Cycles barrier, Cycles per_tile) {
    arch::ChipSpec spec{support::core_kinds()};
    spec.timestep.latency = barrier;
    spec.timestep.latency_per_tile = per_tile;
    spec.core.soma.latency = 4;
    spec.core.soma.cycles_inactive = 3;
    spec.core.soma.cycles_active = 5;
    spec.core.soma.reset_interval = 9;
    return spec;
}

}  // namespace loom
