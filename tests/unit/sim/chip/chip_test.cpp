// SPDX-License-Identifier: Apache-2.0
// The chip as a whole on tiny programs built by hand: barrier cost, host injection, drain, watchdog.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.hpp"
#include "sim/chip/chip_model.hpp"
#include "tests/support/core_kinds.hpp"

namespace loom {
namespace {

/// `per_step` input elements are 1 in every timestep.
class Input final : public chip::SampleInput {
  public:
    explicit Input(std::uint32_t per_step) : n_(per_step) {}
    void values(Step, chip::InputValues& out) const override {
        out.clear();
        for (std::uint32_t i = 0; i < n_; ++i) out.emplace_back(i, 1.0);
    }
    bool constant() const override { return true; }

  private:
    std::uint32_t n_;
};

/// `inputs` elements feed one integrator at `endpoint` with weight 1.
arch::Program one_neuron(std::uint32_t inputs, std::uint32_t endpoint) {
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

arch::ChipSpec spec_of(Cycles barrier, Cycles per_tile) {
    arch::ChipSpec spec{support::core_kinds()};
    spec.timestep.latency = barrier;
    spec.timestep.latency_per_tile = per_tile;
    spec.core.soma.latency = 4;
    spec.core.soma.cycles_inactive = 3;
    spec.core.soma.cycles_active = 5;
    spec.core.soma.reset_interval = 9;
    return spec;
}

TEST(Barrier, CostsItsLatencyPerTimestepAndTile) {
    for (const Cycles barrier : {1u, 8u, 1000u}) {
        const arch::ChipSpec spec = spec_of(barrier, 11);
        const arch::Program program = one_neuron(1, 5);
        chip::ChipModel model(spec, program, {}, 6);
        PlainLoop loop(model.scheduler());
        const auto t = model.run_sample(loop, Input(0), {});
        // 7 chip timesteps; the neuron is idle in the first, then sweeps in latency + cycles_inactive
        EXPECT_EQ(model.barrier(), barrier + 11);
        EXPECT_EQ(t.barrier_cycles, 7 * (barrier + 11));
        EXPECT_EQ(t.cycles, 9 + 7 * (barrier + 11) + 6 * (4 + 3));
        ASSERT_EQ(t.steps.size(), 7u);
        EXPECT_EQ(t.steps[0].cycles, barrier + 11);
        EXPECT_EQ(t.steps[1].cycles, barrier + 11 + 7);
    }
}

TEST(Host, InjectsOnePacketPerInterval) {
    arch::ChipSpec spec = spec_of(1, 0);
    spec.io.interval = 50;
    const arch::Program program = one_neuron(4, 0);
    chip::ChipModel model(spec, program, {}, 1);
    PlainLoop loop(model.scheduler());
    const auto t = model.run_sample(loop, Input(4), {});
    // first packet leaves 1 after the start, the last 150 later; then way, look-up, read latency, one group
    const Cycles way = model.network().zero_load_latency(EndpointId{16}, EndpointId{0}, 1);
    EXPECT_EQ(t.steps[0].cycles, 1 + 150 + way + 1 + 1 + 1 + model.barrier());
    EXPECT_EQ(model.host_packets(), 4u);
    EXPECT_EQ(model.input_events(), 4u);
}

TEST(Chip, InputCountsInTheNextTimestepAndStateIsClearedBetweenSamples) {
    const arch::ChipSpec spec = spec_of(3, 0);
    const arch::Program program = one_neuron(4, 15);
    chip::ChipModel model(spec, program, {}, 3);
    PlainLoop loop(model.scheduler());
    std::vector<chip::SampleTiming> runs;
    for (int i = 0; i < 2; ++i) {
        std::vector<double> v, layer;
        runs.push_back(model.run_sample(loop, Input(3), [&](Step step) {
            model.read_layer(LayerId{1}, chip::ChipModel::Quantity::Membrane, layer);
            if (model.algorithmic_step(LayerId{1}, step) >= 0) v.push_back(layer[0]);
        }));
        EXPECT_THAT(v, ::testing::ElementsAre(3, 6, 9));
    }
    EXPECT_EQ(runs[0].cycles, runs[1].cycles);
    EXPECT_EQ(model.scheduler().next(), kNever);
}

TEST(Chip, APacketForNobodyIsAFault) {
    const arch::ChipSpec spec = spec_of(3, 0);
    arch::Program program = one_neuron(1, 0);
    program.input_fanout.entries[0].core = EndpointId{3};
    chip::ChipModel model(spec, program, {}, 2);
    PlainLoop loop(model.scheduler());
    EXPECT_THROW(model.run_sample(loop, Input(1), {}), ModelError);
}

TEST(Chip, WatchdogNamesWhatIsStuck) {
    const arch::ChipSpec spec = spec_of(3, 0);
    const arch::Program program = one_neuron(1, 0);
    chip::ChipModel model(spec, program, {}, 2);
    model.watch(1'000'000, 10);  // nothing outstanding: no complaint
    EXPECT_EQ(model.routers_in_use(), 1u);
}

}  // namespace
}  // namespace loom
