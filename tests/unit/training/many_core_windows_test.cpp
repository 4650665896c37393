// SPDX-License-Identifier: Apache-2.0
// Convolutions of any kind on a near-memory many-core chip: windows, strides, dilation, groups.
#include <gmock/gmock.h>

#include "tests/unit/training/many_core_networks.hpp"
#include "tests/unit/training/random_work.hpp"

namespace loom::training {
namespace {

using arch::ZeroRule;

/// Grouped and depthwise convolutions with windows of any kind; sum pooling whose windows overlap; neurons
/// with a decaying current.
arch::TrainingWork windows_work() {
    using namespace learn;
    const std::shared_ptr<const Surrogate> h = make_surrogate({"triangle", {}, 2});
    auto network = std::make_unique<Network>(Shape{7, 6, 4});
    std::uint32_t at = Network::kInput;
    Shape now{7, 6, 4};
    std::uint32_t seed = 1;
    const auto add = [&](std::unique_ptr<Layer> layer, const char* name) {
        layer->name = name;
        for (Parameter& p : layer->parameters())
            for (float& v : p.value) {
                seed = seed * 1664525U + 1013904223U;
                v = static_cast<float>(seed >> 8) * 0x1p-24F - 0.3F;
            }
        now = layer->out;
        at = network->add(std::move(layer), {at});
    };
    add(std::make_unique<Conv>(learn::conv_shape(now, 6, {{3, 2, 1, 1, 1}, {2, 1, 2, 0, 1}}, 2), true), "w1");
    add(make_neurons(now, {.current_decay = 0.5F}, {"triangle", {}, 2}), "lif1");
    add(std::make_unique<AveragePool>(now, arch::Window{{2, 1, 1, 1, 1}, {3, 2, 1, 1, 1}}, false), "pool");
    add(std::make_unique<Conv>(learn::conv_shape(now, 12, arch::square_window(2), 6), false), "w2");
    add(std::make_unique<Lif>(now, LifSpec{}, h), "lif2");
    const Shape maps = now;
    add(std::make_unique<Flatten>(maps), "flatten");
    add(std::make_unique<Dense>(maps.count(), 4, false), "w3");
    add(std::make_unique<Lif>(now, LifSpec{}, make_surrogate({"atan", 4, {}})), "lif3");
    Trainer trainer(std::move(network), make_loss("mse_rate"), make_optimiser({}), Schedule{});
    Signal x(3, 2, 7 * 6 * 4);
    for (std::size_t i = 0; i < x.all().size(); ++i) x.all()[i] = i * 7 % 5 < 2 ? 1.0F : 0.0F;
    const std::vector<std::int64_t> labels{1, 3};
    trainer.gradients(x, labels);
    return collect_work(trainer);
}

/// Pairs one by one. Spikes before pooling travel: `before` calls f(input element) for every packet.
struct Pairs {
    std::uint64_t forward = 0, backward = 0, gradient = 0;
};
template <class F>
Pairs brute_force(const arch::TrainingWork& work, const arch::LinearWork& l, F packets) {
    Pairs n;
    const arch::LinearShape& s = l.shape;
    const std::size_t g_in = s.in_c / s.groups, g_out = s.out_c / s.groups;
    for (std::size_t t = 0; t < work.steps; ++t)
        for (std::size_t b = 0; b < work.batch; ++b) {
            std::vector<std::uint64_t> arrived(s.inputs());
            packets(t, b, [&](std::size_t e) { ++arrived[e]; });
            each_pair(s, [&](std::size_t q, std::size_t p, std::size_t) {
                for (std::size_t c = 0; c < s.in_c; ++c)
                    for (std::size_t k = c / g_in * g_out; k < (c / g_in + 1) * g_out; ++k) {
                        const std::size_t e = p * s.in_c + c;
                        const bool g = l.error.test(t, b, q * s.out_c + k);
                        n.forward += arrived[e];
                        n.backward += l.sends_error && g && l.wanted.test(t, b, e);
                        n.gradient += g && l.input.test(t, b, e);
                    }
            });
        }
    return n;
}

TEST(ManyCoreTraining, WindowsOfAnyKindAndGroups) {
    const arch::TrainingWork work = windows_work();
    EXPECT_GT(work.neurons[0].spikes.ones(), 50U);
    EXPECT_GT(work.linear[1].error.ones(), 50U);
    const auto of_input = [&](const arch::LinearWork& l) {
        return brute_force(work, l, [&](std::size_t t, std::size_t b, auto f) {
            for (std::size_t e = 0; e < l.shape.inputs(); ++e)
                if (l.input.test(t, b, e)) f(e);
        });
    };
    // Behind the pool a spike is as many packets as windows have it.
    const arch::LinearWork& second = work.linear[1];
    const arch::ElementWork& pool = work.elements[0];
    const Pairs pooled = brute_force(work, second, [&](std::size_t t, std::size_t b, auto f) {
        for (std::size_t oy = 0; oy < pool.out_h; ++oy)
            for (std::size_t ox = 0; ox < pool.out_w; ++ox)
                for (std::size_t k = 0; k < 6; ++k) {
                    const std::size_t y = oy + k / 3, x = 2 * ox + k % 3;  // + 1: padding
                    if (y < 1 || x < 1 || y > pool.in_h || x > pool.in_w) continue;
                    for (std::size_t c = 0; c < 6; ++c)
                        if (work.neurons[0].spikes.test(t, b, ((y - 1) * pool.in_w + x - 1) * 6 + c))
                            f((oy * pool.out_w + ox) * 6 + c);
                }
    });
    const Pairs first = of_input(work.linear[0]), last = of_input(work.linear[2]);
    for (const std::uint64_t side : {1U, 2U, 4U}) {
        ManyCoreEngine engine(mesh(side, side == 4 ? 4U : 64U), {S, S, S});
        engine.execute(work);
        const EngineRecord& r = engine.record();
        EXPECT_EQ(events(r, "w1", Phase::Forward, &TrainingCounters::ac), first.forward) << side;
        EXPECT_EQ(events(r, "w2", Phase::Forward, &TrainingCounters::ac), pooled.forward) << side;
        EXPECT_EQ(events(r, "w3", Phase::Forward, &TrainingCounters::ac), last.forward) << side;
        EXPECT_EQ(events(r, "w2", Phase::Backward, &TrainingCounters::mac), pooled.backward) << side;
        EXPECT_EQ(events(r, "w3", Phase::Backward, &TrainingCounters::mac), last.backward) << side;
        EXPECT_EQ(events(r, "w1", Phase::WeightGradient, &TrainingCounters::ac), first.gradient) << side;
        EXPECT_EQ(events(r, "w2", Phase::WeightGradient, &TrainingCounters::mac), pooled.gradient) << side;
        EXPECT_EQ(events(r, "w2", Phase::WeightUpdate, &TrainingCounters::multiply), 12U * 4);
        const std::uint64_t n = work.neurons[0].count * work.steps * work.batch;
        EXPECT_EQ(events(r, "lif1", Phase::Forward, &TrainingCounters::multiply), 2 * n)
            << "membrane and current leak";
        EXPECT_EQ(events(r, "lif1", Phase::Forward, &TrainingCounters::membrane_write), 3 * n);
        EXPECT_EQ(engine.network_counters().flit_hops() > 0, side > 1);
    }
}

TEST(ManyCoreTraining, ArraysTakeNoGroups) {
    const arch::TrainingWork work = windows_work();
    const arch::CimCoreSpec arrays;
    CoreRoom room;
    room.memory_bits = 1U << 24, room.max_neurons = 4096;
    EXPECT_NO_THROW(place_training(work, room));
    room.cim = &arrays;
    try {
        place_training(work, room);
        ADD_FAILURE();
    } catch (const UnsupportedError& e) {
        EXPECT_THAT(e.what(), ::testing::HasSubstr("layer 'w1' has 2 groups"));
    }
}

}  // namespace
}  // namespace loom::training
