// SPDX-License-Identifier: Apache-2.0
// Losses against formulas written out, their gradients against central differences of those formulas (losses
// are smooth in outputs and membranes).
#include <gmock/gmock.h>

#include <cmath>

#include "base/error.hpp"
#include "training/learn/loss.hpp"
#include "training/learn/neurons/lif.hpp"
#include "tests/unit/training/learn/reference/bench.hpp"

namespace loom::learn {
namespace {

using reference::Random;
using Numbers = std::vector<double>;  // [timestep][sample][element]

constexpr std::size_t kSteps = 3, kBatch = 2, kClasses = 4;
const std::vector<std::int64_t> kLabels{2, 0};

double at(const Numbers& o, std::size_t t, std::size_t b, std::size_t k) {
    return o[(t * kBatch + b) * kClasses + k];
}
double cross_entropy(const Numbers& logits, std::int64_t label) {
    double sum = 0;
    for (const double v : logits) sum += std::exp(v);
    return std::log(sum) - logits[static_cast<std::size_t>(label)];
}
Numbers rates(const Numbers& o, std::size_t b) {
    Numbers r(kClasses);
    for (std::size_t t = 0; t < kSteps; ++t)
        for (std::size_t k = 0; k < kClasses; ++k) r[k] += at(o, t, b, k) / kSteps;
    return r;
}
double mse_rate(const Numbers& o) {
    double sum = 0;
    for (std::size_t b = 0; b < kBatch; ++b)
        for (std::size_t k = 0; k < kClasses; ++k)
            sum += std::pow(rates(o, b)[k] - (kLabels[b] == static_cast<std::int64_t>(k) ? 1 : 0), 2);
    return sum / (kBatch * kClasses);
}
double ce_rate(const Numbers& o) {
    double sum = 0;
    for (std::size_t b = 0; b < kBatch; ++b) sum += cross_entropy(rates(o, b), kLabels[b]);
    return sum / kBatch;
}
double tet(const Numbers& o, double lambda, double phi) {
    double entropy = 0, distance = 0;
    for (std::size_t t = 0; t < kSteps; ++t)
        for (std::size_t b = 0; b < kBatch; ++b) {
            Numbers now(kClasses);
            for (std::size_t k = 0; k < kClasses; ++k) {
                now[k] = at(o, t, b, k);
                distance += std::pow(now[k] - phi, 2);
            }
            entropy += cross_entropy(now, kLabels[b]);
        }
    return (1 - lambda) * entropy / (kSteps * kBatch) + lambda * distance / (kSteps * kBatch * kClasses);
}
template <class F>
Numbers slopes(Numbers x, F f) {
    Numbers d(x.size());
    for (std::size_t i = 0; i < x.size(); ++i) {
        const double kept = x[i], h = 1e-5;
        x[i] = kept + h;
        const double up = f(x);
        x[i] = kept - h;
        d[i] = (up - f(x)) / (2 * h);
        x[i] = kept;
    }
    return d;
}
Numbers numbers(const Signal& s) {
    return {s.all().begin(), s.all().end()};
}
void expect_near(const Signal& got, const Numbers& want) {
    for (std::size_t i = 0; i < want.size(); ++i)
        EXPECT_NEAR(static_cast<double>(got.all()[i]), want[i], 1e-6) << i;
}

TEST(Losses, OnOutputs) {
    const struct {
        LossSpec spec;
        std::function<double(const Numbers&)> formula;
        bool on_membrane;
    } kinds[] = {
        {{.kind = "mse_rate"}, mse_rate, false},
        {{.kind = "ce_rate"}, ce_rate, false},
        {{.kind = "mse_membrane"}, mse_rate, true},
        {{.kind = "ce_membrane"}, ce_rate, true},
        {{.kind = "tet"}, [](const Numbers& o) { return tet(o, 0, 1); }, true},
        {{.kind = "tet", .lambda = 0.3, .phi = 0.8}, [](const Numbers& o) { return tet(o, 0.3, 0.8); }, true},
    };
    Random random(1);
    for (const auto& k : kinds) {
        SCOPED_TRACE(k.spec.kind);
        Signal out(kSteps, kBatch, kClasses), grad(kSteps, kBatch, kClasses);
        random.fill(out.all(), -1, 2);
        const auto loss = make_loss(k.spec);
        EXPECT_NEAR(loss->evaluate(out, kLabels, grad), k.formula(numbers(out)), 1e-6);
        expect_near(grad, slopes(numbers(out), k.formula));
        EXPECT_EQ(loss->on_membrane(), k.on_membrane);
        EXPECT_EQ(as_readout({}, *loss).fires, !k.on_membrane);
    }
}

double im(const Numbers& u, const Numbers& th) {
    double mean = 0;
    for (std::size_t i = 0; i < u.size(); ++i)
        mean += (u[i] - th[i % th.size()]) / static_cast<double>(u.size());
    return mean * mean;
}
double rmp(const Numbers& u, const Numbers& th) {
    double sum = 0;
    for (std::size_t i = 0; i < u.size(); ++i)
        sum += std::pow(std::abs(2 * u[i] / th[i % th.size()] - 1) - 1, 2) / static_cast<double>(u.size());
    return sum;
}
double mpd(const Numbers& u, const Numbers& th) {
    const auto n = static_cast<double>(u.size());
    double mean = 0, variance = 0;
    for (std::size_t i = 0; i < u.size(); ++i) mean += u[i] / th[i % th.size()] / n;
    for (std::size_t i = 0; i < u.size(); ++i) variance += std::pow(u[i] / th[i % th.size()] - mean, 2) / n;
    const double d = std::sqrt(variance);
    return std::pow(std::max(0.0, std::abs(mean - 1) - d), 2) + std::pow(std::max(0.0, d - 1), 2);
}

/// Two populations whose membranes are known: integrators' inputs at T = 1 with leak 0.
TEST(Losses, OnMembranes) {
    const std::pair<std::string, double (*)(const Numbers&, const Numbers&)> kinds[] = {
        {"im", im}, {"rmp", rmp}, {"mpd", mpd}};
    const std::pair<double, double> ranges[] = {{-1, 2}, {-0.2, 0.1}, {2, 2.5}, {-6, 8}};
    Random random(2);
    for (const auto& [kind, formula] : kinds)
        for (const auto& [low, high] : ranges) {
            SCOPED_TRACE(kind + " " + std::to_string(low));
            const auto loss = make_loss(LossSpec{.kind = kind, .main = "mse_rate", .weight = 0.7});
            std::vector<std::unique_ptr<Lif>> populations;
            std::vector<NeuronLayer*> pointers;
            double want = 0;
            std::vector<Numbers> gradients;
            for (const std::size_t n : {3U, 5U}) {
                LifSpec spec;
                spec.leak.values = {0.0F};
                spec.threshold.values.resize(n);
                random.fill(spec.threshold.values, 0.6, 1.4);
                const Numbers th(spec.threshold.values.begin(), spec.threshold.values.end());
                populations.push_back(std::make_unique<Lif>(Shape{1, 1, n}, spec, make_surrogate({})));
                pointers.push_back(populations.back().get());
                Signal in(2, 3, n), out(2, 3, n);
                random.fill(in.all(), low, high);
                Pass pass;
                pass.steps = 2, pass.batch = 3;
                populations.back()->forward(pass, in, out);
                const auto weighted = [&](const Numbers& u) { return 0.35 * 0.5 * formula(u, th); };
                want += weighted(numbers(populations.back()->membranes()));
                gradients.push_back(slopes(numbers(populations.back()->membranes()), weighted));
            }
            EXPECT_NEAR(loss->on_membranes(pointers, 0.5F), want, 1e-6 * std::max(1.0, want));
            for (std::size_t k = 0; k < 2; ++k) expect_near(pointers[k]->extra_gradient, gradients[k]);
        }
}

TEST(Losses, Refused) {
    const auto message = [](const LossSpec& spec) {
        try {
            make_loss(spec);
        } catch (const ConfigError& e) {
            return std::string(e.what());
        }
        return std::string("accepted");
    };
    EXPECT_THAT(message({.kind = "mse_rat"}),
                ::testing::HasSubstr("train.loss: unknown `mse_rat`; did you mean 'mse_rate'?"));
    EXPECT_THAT(message({.kind = "im", .main = "rmp"}), ::testing::HasSubstr("train.loss.main"));
    EXPECT_THAT(message({.kind = "im", .main = "nothing"}), ::testing::HasSubstr("unknown `nothing`"));
    EXPECT_EQ(message({.kind = "mse_rate", .lambda = 0.3}), "train.loss.lambda: mse_rate has no lambda");
    EXPECT_EQ(message({.kind = "tet", .weight = 0.3}), "train.loss.weight: tet has no weight");
    EXPECT_EQ(message({.kind = "im", .main = "ce_rate", .phi = 1}), "train.loss.phi: ce_rate has no phi");
    EXPECT_EQ(message({.kind = "im", .main = "tet", .weight = 1, .lambda = 0.5}), "accepted");
    for (const std::string& kind : loss_kinds()) EXPECT_EQ(message({.kind = kind}), "accepted");
}

}  // namespace
}  // namespace loom::learn
