// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <algorithm>
#include <map>
#include <memory>
#include <vector>

#include "sim/chip/systemc_chip.hpp"
#include "sim/foreign/boundary.hpp"
#include "tests/support/core_kinds.hpp"

/// Chains of layers of integrate-and-fire neurons, a core each, and a user's view of such a core.
namespace loom::test {

inline constexpr std::uint32_t kWidth = 8;  ///< neurons of a layer, and input elements

/// The input's element i is present in step s when (s * 5 + i * 3) % 4 < 2.
class Stripes final : public chip::SampleInput {
  public:
    void values(Step step, SparseVector& out) const override {
        out.clear();
        for (std::uint32_t i = 0; i < kWidth; ++i) {
            if ((step * 5 + i * 3) % 4 < 2) out.emplace_back(i, 1.0);
        }
    }
    bool constant() const override { return false; }
};

inline arch::CoreImage image_of(LayerId layer, std::uint32_t endpoint, std::uint32_t kind) {
    arch::CoreImage image;
    image.endpoint = EndpointId{endpoint};
    image.kind = kind;
    image.n_neurons = image.n_axons = kWidth;
    arch::NeuronGroup g;
    g.layer = layer;
    g.count = kWidth;
    g.start_step = index(layer);
    for (const char* name : {"bias", "v_reset", "v_min"}) g.parameters[name].i = {0};
    g.parameters["decay_v"].i = {4096};
    g.parameters["threshold"].i = {40};
    for (std::uint32_t n = 0; n < kWidth; ++n) g.layer_index.push_back(n);
    image.neurons = {g};
    arch::AxonGroup a;
    a.source = LayerId{static_cast<std::uint16_t>(index(layer) - 1)};
    a.target = layer;
    a.count = kWidth;
    a.rows = arch::DenseRows{kWidth};
    std::vector<std::int8_t> weights;
    for (std::uint32_t i = 0; i < kWidth * kWidth; ++i)
        weights.push_back(static_cast<std::int8_t>((i * 37 + index(layer) * 11) % 41) - 8);
    auto block = std::make_shared<arch::WeightBlock>();
    block->values = weights;
    a.weights = block;
    image.axons = {a};
    return image;
}

/// Layers 1..n at the endpoints given; kinds: of their cores. The last layer has no fan-out.
inline arch::Program chain(const std::vector<std::uint32_t>& endpoints,
                           const std::vector<std::uint32_t>& kinds) {
    arch::Program p;
    p.layers.resize(endpoints.size() + 1);
    p.layers[0].is_input = true;
    p.layers[0].count = kWidth;
    for (std::uint16_t l = 1; l <= endpoints.size(); ++l) {
        p.layers[l].count = kWidth;
        p.layers[l].skew = l;
        arch::CoreImage image = image_of(LayerId{l}, endpoints[l - 1u], kinds[l - 1u]);
        image.fanout.row = {0};
        for (std::uint32_t n = 0; n < kWidth; ++n) {
            if (l < endpoints.size()) image.fanout.entries.push_back({EndpointId{endpoints[l]}, n});
            image.fanout.row.push_back(static_cast<std::uint32_t>(image.fanout.entries.size()));
        }
        p.cores.push_back(image);
    }
    p.max_skew = static_cast<std::uint32_t>(endpoints.size());
    p.output = LayerId{static_cast<std::uint16_t>(endpoints.size())};
    for (std::uint32_t i = 0; i < kWidth; ++i) {
        p.input_fanout.entries.push_back({EndpointId{endpoints[0]}, i});
        p.input_fanout.row.push_back(i + 1);
    }
    return p;
}

/// Kind 0: the built-in core; kind 1: another, which the tests place a module in.
inline arch::ChipSpec two_kinds() {
    arch::ChipSpec spec{support::core_kinds()};
    spec.noc.size = {3, 3};
    spec.core.soma.max_neurons = kWidth;
    spec.cores.resize(2);
    for (auto& k : spec.cores) static_cast<arch::CoreSpec&>(k) = spec.core;
    return spec;
}
/// A module in the cores of kind 1.
inline foreign::Placement placed(const std::string& module) {
    return {{std::nullopt, module}, std::nullopt};
}

/// Spikes of a sample: [timestep] -> (layer, neuron), and its timing.
struct Outcome {
    std::vector<std::vector<std::pair<std::uint32_t, std::uint32_t>>> spikes;
    chip::SampleTiming timing;
};
inline Outcome run(chip::ChipModel& model, TimeLoop& loop) {
    Outcome o;
    const Stripes input;
    o.timing = model.run_sample(loop, input, [&](Step) {
        auto& step = o.spikes.emplace_back();
        model.for_each_spike(
            [&](LayerId l, std::uint32_t n, std::int64_t) { step.emplace_back(index(l), n); });
        std::sort(step.begin(), step.end());
    });
    return o;
}
/// With the built-in cores and without SystemC.
inline Outcome built_in(const arch::ChipSpec& spec, const arch::Program& program, Step steps) {
    chip::ChipModel model(spec, program, {}, steps);
    PlainLoop loop(model.scheduler());
    return run(model, loop);
}

/// A chip with modules, put together.
struct Chip {
    Chip(const arch::ChipSpec& spec, const arch::Program& program, const foreign::Modules& modules,
         foreign::Placement placement, Step steps)
        : boundary(modules, std::move(placement)),
          model(spec, program, {}, steps, boundary.makers()),
          clock("clock", model.scheduler(), spec.clock.period) {
        boundary.bind(clock, model);
    }
    foreign::Boundary boundary;
    chip::ChipModel model;
    kernel::ClockDomain clock;
};

/// What an integrate-and-fire core computes; the faces around it are what is tested.
class Neurons {
  public:
    void load(const foreign::CoreSite& site) {
        site_ = &site;
        clear();
    }
    void clear() { sums_ = next_ = v_ = std::vector<std::int64_t>(site_->image.n_neurons, 0); }
    void add(const Packet& p) {
        const arch::AxonGroup& a = site_->image.axons[0];
        const auto& w = std::get<std::vector<std::int8_t>>(a.weights->values);
        for (std::uint32_t n = 0; n < v_.size(); ++n) next_[n] += w[p.axon * v_.size() + n];
    }
    /// Returns the neurons that fire.
    std::vector<std::uint32_t> step(Step step) {
        sums_.swap(next_);
        std::fill(next_.begin(), next_.end(), 0);
        const arch::NeuronGroup& g = site_->image.neurons[0];
        std::vector<std::uint32_t> fired;
        if (!site_->active(g, step)) return fired;
        for (std::uint32_t n = 0; n < v_.size(); ++n) {
            v_[n] += sums_[n];
            if (v_[n] <= g.parameters.at("threshold").i[0]) continue;
            v_[n] = 0;
            fired.push_back(n);
        }
        return fired;
    }
    bool has_fanout(std::uint32_t n) const {
        return site_->image.fanout.row[n] != site_->image.fanout.row[n + 1];
    }
    /// The packets of a spike.
    template <class F>
    void packets(std::uint32_t n, F f) const {
        const auto& t = site_->image.fanout;
        for (std::uint32_t i = t.row[n]; i < t.row[n + 1]; ++i) {
            Packet p;
            p.destination = Destination::endpoint(t.entries[i].core);
            p.axon = t.entries[i].axon;
            f(p);
        }
    }
    double membrane(std::uint32_t n) const { return static_cast<double>(v_[n]); }

  private:
    const foreign::CoreSite* site_ = nullptr;
    std::vector<std::int64_t> sums_, next_, v_;
};

}  // namespace loom::test
