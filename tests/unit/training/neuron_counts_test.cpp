// SPDX-License-Identifier: Apache-2.0
// Arithmetic of neurons: the equations of training/learn/neurons spelt out with counted operations.
#include "training/accelerator/neuron_counts.hpp"

#include <gmock/gmock.h>

#include "tests/unit/training/chips.hpp"
#include "tests/unit/training/random_work.hpp"
#include "training/accelerator/make_engine.hpp"
#include "training/learn/neurons/make_neurons.hpp"
#include "training/learn/work_recorder.hpp"

namespace loom::training {
namespace {

struct Tally {
    std::uint64_t add = 0, multiply = 0, mac = 0, mux = 0, compare = 0;
    bool operator==(const Tally&) const = default;
    friend void PrintTo(const Tally& t, std::ostream* out) {
        *out << "add " << t.add << ", multiply " << t.multiply << ", mac " << t.mac << ", mux " << t.mux
             << ", compare " << t.compare;
    }
};
Tally tally;

/// A number that counts what is done to it.
struct Counted {
    friend Counted operator+(Counted, Counted) { return ++tally.add, Counted{}; }
    friend Counted operator*(Counted, Counted) { return ++tally.multiply, Counted{}; }
};
/// s ? a : b
Counted select(Counted, Counted) {
    return ++tally.mux, Counted{};
}
void accumulate(Counted, Counted) {
    ++tally.mac;
}

struct Parts {
    bool adaptive = false, filter = false, learns_leak = false, scales = false, hard = true;
};

/// One timestep of a population that fires, + standing for - too; the threshold is compared.
Tally forward_of(const Parts& p, std::uint64_t n) {
    tally = {};
    Counted i, x, u, leak, gain, decay, r, q, a, beta, threshold, reset;
    for (std::uint64_t k = 0; k < n; ++k) {
        if (p.filter) i = decay * i + x;
        if (p.adaptive) {
            a = r * a + q;  // q where it spiked
            threshold = threshold + beta * a;
        }
        if (p.scales) i = gain * i;
        const Counted v = p.hard ? select(reset, u) : u + threshold;
        u = leak * v + i;
        ++tally.compare;
    }
    return tally;
}
/// Errors of a timestep with one after it, reset detached, surrogate without cost.
Tally backward_of(const Parts& p, std::uint64_t n) {
    tally = {};
    Counted z, h, g, later, leak, u, i, q, r, beta, decay, gain, error_a, error_x;
    for (std::uint64_t k = 0; k < n; ++k) {
        if (p.adaptive) z = z + q * error_a;
        const Counted hz = z * h;
        const Counted kept = leak * later;
        g = hz + (p.hard ? select(kept, kept) : kept);
        if (p.learns_leak) {
            const Counted v = p.hard ? select(u, u) : u + u;
            accumulate(g, p.scales ? v + i : v);
        }
        if (p.scales) g = gain * g;
        if (p.adaptive) error_a = r * error_a + beta * hz;
        if (p.filter) error_x = g + decay * error_x;
    }
    return tally;
}

Tally tally_of(const TrainingCounters& c) {
    const auto n = [&](TrainingEvent e) { return c[e]; };
    return {n(&TrainingCounters::add), n(&TrainingCounters::multiply), n(&TrainingCounters::mac),
            n(&TrainingCounters::mux), n(&TrainingCounters::compare)};
}

arch::NeuronWork described(const Parts& p, learn::Shape shape = {1, 1, 3}) {
    learn::NeuronSpec spec;
    spec.lif.reset = p.hard ? learn::Reset::Value : learn::Reset::Subtract;
    if (p.adaptive) spec.adaptation.emplace();
    if (p.filter) spec.current_decay = 0.5F;
    spec.learns_leak = p.learns_leak, spec.scales_input = p.scales;
    arch::NeuronWork w;
    learn::make_neurons(shape, spec, {})->describe_neurons(w);
    w.lut = w.compare = w.multiply = w.add = w.shift = w.divide = 0;
    return w;
}

const Parts kKinds[] = {{},
                        {.hard = false},
                        {.adaptive = true},
                        {.filter = true},
                        {.learns_leak = true},
                        {.learns_leak = true, .hard = false},
                        {.learns_leak = true, .scales = true},
                        {.adaptive = true, .filter = true, .learns_leak = true, .scales = true}};

TEST(NeuronCounts, AreThoseOfTheEquations) {
    for (const Parts& p : kKinds) {
        TrainingCounters forward{}, backward{};
        add_forward(described(p), 7, &TrainingCounters::multiply, forward);
        EXPECT_EQ(tally_of(forward), forward_of(p, 7));
        NeuronErrors e{.all = 7, .open = 7, .later = 7, .now = 7, .carried = 7, .joined = true};
        add_backward(described(p), e, &TrainingCounters::multiply, backward);
        EXPECT_EQ(tally_of(backward), backward_of(p, 7));
    }
}

TEST(NeuronCounts, EnginesWithArraysCountThem) {
    for (const Parts& p : kKinds) {
        arch::TrainingWork work = random_network({20, 12}, {});
        arch::NeuronWork n = described(p, {1, 1, 12});
        n.name = "lif", n.count = 12;
        n.spikes = work.neurons[0].spikes, n.error = work.neurons[0].error;
        n.derivative = work.neurons[0].derivative;
        work.neurons[0] = n;
        arch::TrainingChip chip = test_chip("mac_array");  // no zero is exploited
        chip.schedule.leak_shift = false;
        const auto engine = make_engine(chip);
        engine->execute(work);
        const auto& phases = engine->record().layers[1].phases;
        const std::uint64_t updates = work.steps * work.batch * n.count;
        EXPECT_EQ(tally_of(phases[0].counts), forward_of(p, updates));
        Tally want = backward_of(p, updates);
        EXPECT_EQ(tally_of(phases[1].counts), want);
        const auto count = [&](std::size_t phase, TrainingEvent e) { return phases[phase].counts[e]; };
        EXPECT_EQ(count(0, &TrainingCounters::membrane_write), updates * (n.states() + 1))
            << "and what backward needs";
        EXPECT_EQ(count(1, &TrainingCounters::error_write), updates * (1 + n.carried_errors()));
        EXPECT_EQ(count(3, &TrainingCounters::multiply), n.parameters() * work.update_multiply);
    }
}

}  // namespace
}  // namespace loom::training
