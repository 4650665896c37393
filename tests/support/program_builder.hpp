// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "arch/chip_spec.hpp"
#include "arch/program.hpp"

namespace loom::support {

/// Builds a fixed-point program with one layer of integrators on one core, fully connected to an input layer.
/// Everything has a default; a test names what it is about:
///
///     const arch::Program p = ProgramBuilder(chip).inputs(8).neurons(4).threshold(3).fanout(2).build();
///
/// Layer 0 is the input, layer 1 the neurons on endpoint 0; spikes go to endpoint 7, axons 100, 101, ...
class ProgramBuilder {
  public:
    /// chip: for the width of its cores' decay factors.
    explicit ProgramBuilder(const arch::ChipSpec& chip)
        : no_decay_(std::int64_t{1} << chip.core.soma.decay_bits) {}

    ProgramBuilder& inputs(std::uint32_t n) { return inputs_ = n, *this; }
    ProgramBuilder& neurons(std::uint32_t n) { return neurons_ = n, *this; }
    /// Membrane LSB that a neuron must exceed to fire; it starts from 0 again.
    ProgramBuilder& threshold(std::int64_t v) { return threshold_ = v, *this; }
    /// Weight of input i on neuron n; 1 unless told.
    ProgramBuilder& weight(std::function<int(std::uint32_t i, std::uint32_t n)> f) {
        return weight_ = std::move(f), *this;
    }
    /// Packets of a spike.
    ProgramBuilder& fanout(std::uint32_t entries) { return fanout_ = entries, *this; }
    /// Timesteps until an input counts.
    ProgramBuilder& delay(std::uint8_t steps) { return delay_ = steps, *this; }
    /// First timestep of the neurons.
    ProgramBuilder& start(std::uint32_t step) { return start_ = step, *this; }

    arch::Program build() const {
        arch::Program p;
        p.layers.resize(2);
        p.layers[0].is_input = true;
        p.layers[0].count = inputs_;
        p.layers[1].count = neurons_;
        p.layers[1].skew = start_;
        p.output = LayerId{1};
        p.cores = {image()};
        p.input_fanout.row = {0};
        for (std::uint32_t i = 0; i < inputs_; ++i) {
            p.input_fanout.entries.push_back({EndpointId{0}, i});
            p.input_fanout.row.push_back(i + 1);
        }
        return p;
    }

  private:
    arch::NeuronGroup integrators() const {
        arch::NeuronGroup g;
        g.layer = LayerId{1};
        g.count = neurons_;
        g.start_step = start_;
        for (const char* name : {"bias", "v_reset", "v_min"}) g.parameters[name].i = {0};
        g.parameters["decay_v"].i = {no_decay_};
        g.parameters["threshold"].i = {threshold_};
        for (std::uint32_t n = 0; n < neurons_; ++n) g.layer_index.push_back(n);
        return g;
    }

    arch::AxonGroup axons() const {
        arch::AxonGroup a;
        a.target = LayerId{1};
        a.count = inputs_;
        a.delay = delay_;
        a.rows = arch::DenseRows{neurons_};
        std::vector<std::int8_t> weights;
        for (std::uint32_t i = 0; i < inputs_; ++i) {
            for (std::uint32_t n = 0; n < neurons_; ++n)
                weights.push_back(static_cast<std::int8_t>(weight_(i, n)));
        }
        auto block = std::make_shared<arch::WeightBlock>();
        block->values = std::move(weights);
        a.weights = block;
        return a;
    }

    arch::CoreImage image() const {
        arch::CoreImage image;
        image.n_neurons = neurons_;
        image.n_axons = inputs_;
        image.neurons = {integrators()};
        image.axons = {axons()};
        for (std::uint32_t n = 0; n < neurons_; ++n) {
            for (std::uint32_t e = 0; e < fanout_; ++e)
                image.fanout.entries.push_back({EndpointId{7}, 100 + e});
            image.fanout.row.push_back(static_cast<std::uint32_t>(image.fanout.entries.size()));
        }
        return image;
    }

    std::int64_t no_decay_;
    std::uint32_t inputs_ = 4, neurons_ = 8, fanout_ = 1, start_ = 0;
    std::uint8_t delay_ = 1;
    std::int64_t threshold_ = 1 << 20;
    std::function<int(std::uint32_t, std::uint32_t)> weight_ = [](std::uint32_t, std::uint32_t) { return 1; };
};

}  // namespace loom::support
