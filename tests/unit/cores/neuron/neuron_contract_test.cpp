// SPDX-License-Identifier: Apache-2.0
// What every neuron model of the catalogue must do, in both arithmetics: follow its equations, which are
// written here once more and in another way; saturate; and start anew after a reset.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <random>

#include "base/error.hpp"
#include "cores/neuron/catalogue.hpp"
#include "cores/neuron/lif.hpp"
#include "cores/neuron/model_array.hpp"

namespace loom::cores {
namespace {

constexpr std::uint32_t kNeurons = 3, kFirst = 2;

/// x * factor / 2^bits with divisions instead of shifts.
std::int64_t scaled(std::int64_t x, std::int64_t factor, std::uint64_t bits, bool floor) {
    const Wide p = static_cast<Wide>(x) * factor, d = static_cast<Wide>(1) << bits;
    Wide q = p / d;
    if (floor && p % d < 0) --q;
    return static_cast<std::int64_t>(q);
}

template <class Number>
struct OracleState {
    Number v = 0, u = 0, a = 0, late = 0;
};

/// The states of a group's neurons before the first timestep.
template <class Number>
std::vector<OracleState<Number>> first_states(const arch::NeuronGroup& g) {
    std::vector<OracleState<Number>> states(g.count);
    if (!g.parameters.contains("v_init")) return states;
    const arch::Parameter& start = g.parameters.at("v_init");
    for (std::size_t n = 0; n < states.size(); ++n) {
        if constexpr (std::is_same_v<Number, double>) {
            states[n].v = start.d[start.d.size() == 1 ? 0 : n];
        } else {
            states[n].v = start.i[start.i.size() == 1 ? 0 : n];
        }
    }
    return states;
}

template <class Number>
struct OracleResult {
    std::int64_t spikes = 0;
    Number used = 0;
    std::uint64_t saturations = 0;
};

/// The equations of docs/concepts/fixed-point.md: what a neuron adds to its membrane is told by `integrate`, how its
/// threshold rises by `adapt`; the rest is the same for integers and real numbers.
template <class Number>
std::int64_t fire_and_reset(const arch::NeuronRule& rule, OracleState<Number>& s, Number threshold, Number at,
                            Number v_reset, Number v_min) {
    if (rule.reset == arch::Reset::SubtractSnn) {
        s.v -= s.late * threshold;
        const bool z = s.v > at;
        s.v -= ((z ? 1 : 0) - s.late) * threshold;
        s.late = s.v > at ? 1 : 0;
        return z ? 1 : 0;
    }
    std::int64_t z = s.v > at || (rule.greater_equal && s.v == at) ? 1 : 0;
    if (rule.multispike) z = s.v > 0 && at > 0 ? static_cast<std::int64_t>(s.v / at) : 0;
    if (rule.multispike && rule.max_spikes != 0) z = std::min<std::int64_t>(z, rule.max_spikes);
    const auto count = static_cast<Number>(z);
    if (rule.reset_delay) {
        s.late = count;
    } else if (rule.reset == arch::Reset::Value) {
        s.v = z != 0 ? v_reset : s.v;
    } else if (rule.reset == arch::Reset::Subtract) {
        s.v -= count * threshold;
    }
    if (rule.clamp) s.v = std::max(s.v, v_min);
    return z;
}

/// What a reset of the timestep before takes from the membrane now.
template <class Number>
Number late_reset(const arch::NeuronRule& rule, OracleState<Number>& s, Number threshold) {
    if (!rule.reset_delay || !rule.fires) return 0;
    if (rule.reset == arch::Reset::Subtract) return s.late * threshold;
    if (rule.reset == arch::Reset::Value && !rule.late_after && s.late != 0) s.v = 0;
    return 0;
}

/// A late reset that takes what has come in since, too.
template <class Number>
void late_zero(const arch::NeuronRule& rule, OracleState<Number>& s) {
    const bool zero = rule.reset_delay && rule.fires && rule.reset == arch::Reset::Value && rule.late_after;
    if (zero && s.late != 0) s.v = 0;
}

OracleResult<std::int64_t> integer_oracle(const arch::NeuronGroup& g, const arch::SomaSpec& soma,
                                          std::size_t n, OracleState<std::int64_t>& s, std::int64_t input) {
    const auto value = [&](const char* name) {
        const auto& i = g.parameters.at(name).i;
        return i[i.size() == 1 ? 0 : n];
    };
    OracleResult<std::int64_t> r;
    const std::int64_t top = (std::int64_t{1} << (soma.state_bits - 1)) - 1;
    const auto clip = [&](std::int64_t x) {
        if (x > top || x < -top - 1) ++r.saturations;
        return std::clamp(x, -top - 1, top);
    };
    const auto kept = [&](std::int64_t x, const char* factor) {
        return scaled(x, value(factor), soma.decay_bits, soma.rounding == arch::Rounding::Floor);
    };
    const std::int64_t threshold = value("threshold");
    const std::int64_t late = late_reset(g.rule, s, threshold);
    r.used = input + value("bias");
    std::int64_t drift = 0;
    if (g.model == "cuba_lif") {
        const std::int64_t before = s.u;
        s.u = clip(kept(before, "decay_u") + r.used);
        r.used = g.rule.parallel ? before : s.u;
        drift = value("bias_v");
    }
    s.v = clip(kept(s.v, "decay_v") + r.used + drift - late);
    late_zero(g.rule, s);
    if (g.rule.fires)
        r.spikes = fire_and_reset<std::int64_t>(g.rule, s, threshold, threshold + s.a, value("v_reset"),
                                                value("v_min"));
    if (g.model == "alif") s.a = clip(kept(s.a, "adapt_decay") + r.spikes * value("adapt_jump"));
    return r;
}

OracleResult<double> real_oracle(const arch::NeuronGroup& g, std::size_t n, OracleState<double>& s,
                                 double input) {
    const auto value = [&](const char* name) {
        const auto& d = g.parameters.at(name).d;
        return d[d.size() == 1 ? 0 : n];
    };
    OracleResult<double> r;
    const double threshold = value("threshold");
    const double late = late_reset(g.rule, s, threshold);
    r.used = input + value("bias");
    if (g.model == "cuba_lif") {
        const double before = s.u;
        s.u = g.synapse == arch::Synapse::Jump ? before * (1 - value("ks")) + value("w_in") * r.used
                                               : before + value("ks") * (value("w_in") * r.used - before);
        r.used = g.rule.parallel ? before : s.u;
    }
    const double pull = value("leak") + value("r") * r.used;
    const std::map<arch::Integration, double> next{
        {arch::Integration::Euler, s.v + value("k") * ((value("leak") - s.v) + value("r") * r.used)},
        {arch::Integration::Exp, pull + (s.v - pull) * value("a")},
        {arch::Integration::Jump, s.v * value("a") + value("r") * r.used},
        {arch::Integration::Decay, s.v * value("a") + pull},
        {arch::Integration::Integrate, s.v + value("k") * r.used},
        {arch::Integration::Direct, r.used}};
    s.v = next.at(g.integration) - late;
    late_zero(g.rule, s);
    if (g.rule.fires)
        r.spikes = fire_and_reset<double>(g.rule, s, threshold, threshold + value("adapt_strength") * s.a,
                                          value("v_reset"), value("v_min"));
    if (g.model == "alif")
        s.a = value("adapt_decay") * s.a + value("adapt_jump") * static_cast<double>(r.spikes);
    return r;
}

struct Random {
    std::mt19937_64 rng;
    explicit Random(unsigned seed) : rng(seed) {}
    std::int64_t pick(std::int64_t lo, std::int64_t hi) {
        return lo + static_cast<std::int64_t>(rng() % static_cast<std::uint64_t>(hi - lo + 1));
    }
    bool chance(int one_in) { return pick(1, one_in) == 1; }
    /// One value for all neurons, or one each.
    std::vector<std::int64_t> values(std::int64_t lo, std::int64_t hi) {
        std::vector<std::int64_t> v(chance(2) ? 1 : kNeurons);
        for (auto& x : v) x = pick(lo, hi);
        return v;
    }
    /// Multiples of 1/16, so that sums are exact whatever their order.
    std::vector<double> reals(std::int64_t lo, std::int64_t hi) {
        std::vector<double> v;
        for (const std::int64_t x : values(lo, hi)) v.push_back(static_cast<double>(x) / 16);
        return v;
    }
    arch::NeuronRule rule() {
        arch::NeuronRule r;
        r.fires = !chance(5);
        r.greater_equal = chance(2);
        r.multispike = chance(4);
        r.reset_delay = !r.multispike && chance(4);
        r.clamp = chance(3);
        r.parallel = chance(2);
        r.reset = static_cast<arch::Reset>(pick(0, 3));
        r.late_after = chance(2);
        r.max_spikes = chance(2) ? static_cast<std::uint32_t>(pick(1, 3)) : 0;
        if (r.reset == arch::Reset::SubtractSnn) r.reset_delay = r.multispike = r.clamp = false;
        return r;
    }
    arch::NeuronGroup group(const std::string& model) {
        arch::NeuronGroup g;
        g.model = model;
        g.first = kFirst;
        g.count = kNeurons;
        g.rule = rule();
        g.in_shift = static_cast<std::int32_t>(pick(0, 2));
        g.integration = static_cast<arch::Integration>(pick(0, 5));
        g.synapse = static_cast<arch::Synapse>(pick(0, 1));
        auto& p = g.parameters;
        p["threshold"] = {values(1, 400), reals(1, 40)};
        p["v_reset"] = {values(-20, 20), reals(-20, 20)};
        p["v_min"] = {values(-300, 0), reals(-40, 0)};
        p["bias"] = {values(-50, 50), reals(-8, 8)};
        p["bias_v"].i = values(-50, 50);
        if (chance(2)) p["v_init"] = {values(-60, 60), reals(-20, 20)};
        p["adapt_jump"] = {values(-5, 200), reals(0, 30)};
        for (const char* name : {"decay_v", "decay_u"}) p[name].i = values(0, 4096);
        p["adapt_decay"] = {values(0, 4096), reals(0, 16)};
        for (const char* name : {"k", "a", "ks"}) p[name].d = reals(1, 15);
        for (const char* name : {"leak", "r", "w_in", "adapt_strength"}) p[name].d = reals(1, 20);
        return g;
    }
};

/// The neurons of a group on a core of their own.
template <class Acc>
struct Neurons {
    using Value = typename Membranes<Acc>::Value;
    arch::NeuronGroup g;
    arch::CoreSpec spec;
    Membranes<Acc> membranes{kFirst + kNeurons};
    std::unique_ptr<NeuronArray<Acc>> array;
    std::vector<Acc> sums = std::vector<Acc>(kFirst + kNeurons);
    std::vector<FiredNeuron> fired;

    Neurons(const arch::NeuronGroup& group, const arch::CoreSpec& core) : g(group), spec(core) {
        const NeuronModel& model = builtin_neuron_models().find(g.model);
        array = std::get<NeuronModel::Make<Acc>>(model.make)(g, spec, membranes);
    }
    SweepResult step(const Value* host = nullptr) {
        fired.clear();
        return array->sweep(0, kNeurons, sums.data(), host, fired);
    }
    std::int64_t spikes(std::uint32_t n) const {
        for (const FiredNeuron& f : fired)
            if (f.neuron == kFirst + n) return f.spikes;
        return 0;
    }
    Value v(std::uint32_t n) const { return membranes.v[kFirst + n]; }
    Value used(std::uint32_t n) const { return membranes.used[kFirst + n]; }
};

arch::CoreSpec small_core(Random& random) {
    arch::CoreSpec spec;
    spec.soma.state_bits = 12;
    spec.soma.decay_bits = 12;
    spec.soma.rounding = random.chance(2) ? arch::Rounding::Floor : arch::Rounding::TowardZero;
    spec.soma.lanes = static_cast<std::uint64_t>(random.pick(1, 4));
    spec.dendrite.accumulator_bits = 10;
    return spec;
}

class NeuronContract : public ::testing::TestWithParam<std::string> {
  protected:
    /// Integers in steps of a random group against the oracle.
    template <class Acc>
    void compare_integers(Random& random) {
        Neurons<Acc> neurons(random.group(GetParam()), small_core(random));
        std::vector<std::int64_t> host(kFirst + kNeurons);
        auto states = first_states<std::int64_t>(neurons.g);
        for (int t = 0; t < 30; ++t) {
            for (auto& sum : neurons.sums) sum = static_cast<Acc>(random.pick(-700, 800));
            for (auto& h : host) h = random.pick(-30, 30);
            const SweepResult r = neurons.step(host.data());
            std::uint64_t state_saturations = 0, sum_saturations = 0;
            for (std::uint32_t n = 0; n < kNeurons; ++n) {
                const std::int64_t sum = std::clamp<std::int64_t>(neurons.sums[kFirst + n], -512, 511);
                if (sum != neurons.sums[kFirst + n]) ++sum_saturations;
                const auto want = integer_oracle(neurons.g, neurons.spec.soma, n, states[n],
                                                 (sum << neurons.g.in_shift) + host[kFirst + n]);
                ASSERT_EQ(neurons.spikes(n), want.spikes) << "step " << t;
                ASSERT_EQ(neurons.v(n), states[n].v) << "step " << t;
                ASSERT_EQ(neurons.used(n), want.used) << "step " << t;
                state_saturations += want.saturations;
            }
            ASSERT_EQ(r.state_saturations, state_saturations);
            ASSERT_EQ(r.accumulator_saturations, sum_saturations);
        }
    }
};

TEST_P(NeuronContract, IntegersFollowTheEquations) {
    Random random(5);
    for (int round = 0; round < 1500 && !HasFatalFailure(); ++round) compare_integers<std::int32_t>(random);
    for (int round = 0; round < 300 && !HasFatalFailure(); ++round) compare_integers<std::int64_t>(random);
}

TEST_P(NeuronContract, Float64FollowsTheEquations) {
    Random random(6);
    for (int round = 0; round < 1500; ++round) {
        Neurons<double> neurons(random.group(GetParam()), small_core(random));
        std::vector<double> host(kFirst + kNeurons);
        auto states = first_states<double>(neurons.g);
        for (int t = 0; t < 12; ++t) {
            for (auto& sum : neurons.sums) sum = static_cast<double>(random.pick(-40, 60)) / 16;
            for (auto& h : host) h = static_cast<double>(random.pick(-8, 8)) / 16;
            const SweepResult r = neurons.step(host.data());
            for (std::uint32_t n = 0; n < kNeurons; ++n) {
                const double input = neurons.sums[kFirst + n] + host[kFirst + n];
                const auto want = real_oracle(neurons.g, n, states[n], input);
                ASSERT_EQ(neurons.spikes(n), want.spikes) << "step " << t;
                ASSERT_EQ(neurons.v(n), states[n].v) << "step " << t;
                ASSERT_EQ(neurons.used(n), want.used) << "step " << t;
            }
            ASSERT_EQ(r.state_saturations + r.accumulator_saturations, 0U);
        }
    }
}

/// A wide membrane takes the general form of the arithmetic, a narrow one the fast form: the same numbers.
TEST_P(NeuronContract, WidthsDoNotChangeWhatFits) {
    Random random(7);
    for (int round = 0; round < 100; ++round) {
        const arch::NeuronGroup g = random.group(GetParam());
        arch::CoreSpec narrow = small_core(random), wide = narrow;
        narrow.soma.state_bits = 40;
        wide.soma.state_bits = 62;
        Neurons<std::int32_t> a(g, narrow), b(g, wide);
        for (int t = 0; t < 30; ++t) {
            for (std::uint32_t n = 0; n < kNeurons; ++n)
                a.sums[kFirst + n] = b.sums[kFirst + n] = static_cast<std::int32_t>(random.pick(-700, 800));
            a.step();
            b.step();
            for (std::uint32_t n = 0; n < kNeurons; ++n) {
                ASSERT_EQ(a.v(n), b.v(n));
                ASSERT_EQ(a.spikes(n), b.spikes(n));
            }
        }
    }
}

TEST_P(NeuronContract, MembranesSaturateAtTheirWidth) {
    for (const std::int64_t sign : {1, -1}) {
        Random random(8);
        arch::NeuronGroup g = random.group(GetParam());
        g.rule = {.fires = false};
        g.in_shift = 0;
        for (const char* name : {"decay_v", "decay_u"}) g.parameters[name].i = {4096};
        for (const char* name : {"bias", "bias_v"}) g.parameters[name].i = {0};
        arch::CoreSpec spec = small_core(random);
        Neurons<std::int64_t> neurons(g, spec);
        for (auto& sum : neurons.sums) sum = sign * 500;
        std::uint64_t saturations = 0;
        for (int t = 0; t < 10; ++t) saturations += neurons.step().state_saturations;
        for (std::uint32_t n = 0; n < kNeurons; ++n) EXPECT_EQ(neurons.v(n), sign > 0 ? 2047 : -2048);
        EXPECT_GE(saturations, 5 * kNeurons);
    }
}

/// After a reset a group does what a new one does, and its neighbours keep their state.
TEST_P(NeuronContract, ResetIsComplete) {
    Random random(9);
    for (int round = 0; round < 200; ++round) {
        const arch::NeuronGroup g = random.group(GetParam());
        const arch::CoreSpec spec = small_core(random);
        Neurons<std::int32_t> used(g, spec), fresh(g, spec);
        used.membranes.v[0] = 77;
        const auto drive = [&](Neurons<std::int32_t>& n, unsigned seed) {
            Random inputs(seed);
            for (auto& sum : n.sums) sum = static_cast<std::int32_t>(inputs.pick(-300, 600));
            n.step();
        };
        for (unsigned t = 0; t < 10; ++t) drive(used, t);
        used.array->reset();
        for (std::uint32_t n = 0; n < kNeurons; ++n) {
            ASSERT_EQ(used.v(n), fresh.v(n));
            ASSERT_EQ(used.used(n), 0);
        }
        ASSERT_EQ(used.membranes.v[0], 77);
        for (unsigned t = 50; t < 60; ++t) {
            drive(used, t);
            drive(fresh, t);
            for (std::uint32_t n = 0; n < kNeurons; ++n) {
                ASSERT_EQ(used.v(n), fresh.v(n)) << "step " << t;
                ASSERT_EQ(used.spikes(n), fresh.spikes(n)) << "step " << t;
            }
        }
    }
}

/// Lane groups cost what their neurons do, and a spike leaves when its group is done.
TEST_P(NeuronContract, LaneGroupsTakeTheirTime) {
    Random random(10);
    arch::NeuronGroup g = random.group(GetParam());
    g.rule = {};
    g.in_shift = 0;
    g.parameters["bias"].i = g.parameters["bias_v"].i = {0};
    g.parameters["threshold"].i = {100};
    arch::CoreSpec spec = small_core(random);
    spec.soma.lanes = 2;
    spec.soma.cycles_active = 5;
    spec.soma.cycles_inactive = 3;
    Neurons<std::int32_t> neurons(g, spec);
    neurons.sums[kFirst + 2] = 200;
    const SweepResult r = neurons.step();
    EXPECT_EQ(r.cycles, 8U);
    EXPECT_EQ(r.active, 1U);
    EXPECT_EQ(r.inactive, 2U);
    ASSERT_EQ(neurons.fired.size(), 1U);
    EXPECT_EQ(neurons.fired[0].neuron, kFirst + 2);
    EXPECT_EQ(neurons.fired[0].at, 8U);
}

std::vector<std::string> model_names() {
    std::vector<std::string> names;
    for (const NeuronModel& m : builtin_neuron_models().all()) names.emplace_back(m.name);
    return names;
}

INSTANTIATE_TEST_SUITE_P(Catalogue, NeuronContract, ::testing::ValuesIn(model_names()),
                         [](const auto& p) { return p.param; });

/// The fast form is for exactly the rules that the model lists: any other member sends a group the general
/// way.
TEST(PlainRules, TheWholeRuleDecides) {
    using General = ModelArray<std::int32_t, Lif<Fixed<Wide>, AnyRule>>;
    Random random(11);
    arch::NeuronGroup g = random.group("lif");
    arch::CoreSpec spec;
    const auto general = [&](const arch::NeuronRule& rule) {
        g.rule = rule;
        const Neurons<std::int32_t> neurons(g, spec);
        return dynamic_cast<const General*>(neurons.array.get()) != nullptr;
    };
    for (const arch::NeuronRule& plain : Lif<Fixed<std::int64_t>, AnyRule>::kPlainRules) {
        EXPECT_FALSE(general(plain));
        using Flag = bool arch::NeuronRule::*;
        for (const Flag flag : {&arch::NeuronRule::multispike, &arch::NeuronRule::reset_delay,
                                &arch::NeuronRule::clamp, &arch::NeuronRule::parallel,
                                &arch::NeuronRule::late_after}) {
            arch::NeuronRule other = plain;
            other.*flag = true;
            EXPECT_TRUE(general(other));
        }
        arch::NeuronRule silent = plain, snn = plain, none = plain, capped = plain;
        none.reset = arch::Reset::None;
        capped.max_spikes = 2;
        EXPECT_TRUE(general(none));
        EXPECT_TRUE(general(capped));
        silent.fires = false;
        snn.reset = arch::Reset::SubtractSnn;
        EXPECT_TRUE(general(silent));
        EXPECT_TRUE(general(snn));
    }
    spec.soma.state_bits = 60;
    EXPECT_TRUE(general({})) << "a membrane times a decay factor does not fit 64 bits";
}

TEST(FixedFormat, WideMembranesDoNotOverflow) {
    FixedFormat f{16, true, (std::int64_t{1} << 61) - 1, -(std::int64_t{1} << 61)};
    EXPECT_EQ(f.decay(std::int64_t{1} << 60, 65535), (std::int64_t{1} << 60) - (std::int64_t{1} << 44));
    EXPECT_EQ(f.decay(-3, 32768), -2);
    f.floor_rounding = false;
    EXPECT_EQ(f.decay(-3, 32768), -1);
}

/// Threshold 3; a spike raises it by 4, half of which is left a timestep later.
TEST(Alif, SpikesComeLaterAndLater) {
    Random random(12);
    arch::NeuronGroup g = random.group("alif");
    g.rule = {.greater_equal = true};
    g.in_shift = 0;
    auto& p = g.parameters;
    for (const char* name : {"bias", "v_reset", "v_init"}) p[name].i = {0};
    p["decay_v"].i = {4096};
    p["threshold"].i = {3};
    p["adapt_decay"].i = {2048};
    p["adapt_jump"].i = {4};
    Neurons<std::int32_t> neurons(g, {});
    std::vector<int> fired;
    for (int t = 1; t <= 16; ++t) {
        neurons.sums[kFirst] = 1;
        neurons.step();
        if (neurons.spikes(0) != 0) fired.push_back(t);
    }
    // the threshold is 3 + 4 right after a spike, then 3 + 2, 3 + 1, 3
    EXPECT_THAT(fired, ::testing::ElementsAre(3, 7, 11, 15));
}

TEST(NeuronModels, NamesAreKnownAndUnique) {
    try {
        builtin_neuron_models().find("aliff");
        FAIL();
    } catch (const ModelError& e) {
        EXPECT_STREQ(e.what(), "no neuron model 'aliff'; did you mean 'alif'?");
    }
    NeuronModels models;
    models.add(builtin_neuron_models().find("lif"));
    EXPECT_THROW(models.add(builtin_neuron_models().find("lif")), InternalError);
}

}  // namespace
}  // namespace loom::cores
