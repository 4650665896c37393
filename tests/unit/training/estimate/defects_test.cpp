// SPDX-License-Identifier: Apache-2.0
// Each defect alone changes the terms it is about and no others, by the closed form.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "base/error.hpp"
#include "training/estimate/defects.hpp"
#include "training/estimate/sata_model.hpp"

namespace loom::train_estimate {
namespace {

constexpr double T = 4, B = 32;
const SataSetting kShipped = [] {
    SataSetting s;
    s.batch = 32;
    return s;
}();
const std::vector<LayerShape> kLayers = vgg5();

std::set<std::string> changed_by(Defect d) {
    SataSetting repaired = kShipped;
    repaired.repair = {d};
    const Estimate a = estimate(kLayers, kShipped), b = estimate(kLayers, repaired);
    std::set<std::string> names;
    for (const Term t : kTerms) {
        if (a.count(t) != b.count(t)) names.insert(std::string(term_info(t).name));
    }
    return names;
}
double count_of(const char* term, std::vector<Defect> repair) {
    SataSetting s = kShipped;
    s.repair = std::move(repair);
    return estimate(kLayers, s).count(term_of(term));
}

TEST(Defects, TermsThatEachChanges) {
    using Names = std::set<std::string>;
    EXPECT_EQ(changed_by(Defect::AssignedForward), (Names{"mac_fwd"}));
    EXPECT_EQ(changed_by(Defect::DenseLinear), (Names{"mac_fwd", "mac_bwd", "mac_wup"}));
    EXPECT_EQ(changed_by(Defect::OutLinearIgnored).size(), 14u);
    EXPECT_EQ(changed_by(Defect::DerivativeUnused), (Names{"mac_bwd"}));
    EXPECT_EQ(changed_by(Defect::DenseMemory), (Names{"dram_fwd", "glb_fwd", "spad_fwd", "glb_bwd",
                                                      "spad_bwd", "dram_wup", "glb_wup", "spad_wup"}));
    EXPECT_EQ(changed_by(Defect::NoBatchReuse), (Names{"dram_fwd", "dram_wup", "glb_wup", "spad_wup"}));
    EXPECT_EQ(changed_by(Defect::NoTime), (Names{}));
    EXPECT_EQ(changed_by(Defect::ForwardSpikeWords), (Names{"dram_bwd", "glb_bwd", "glb_wup", "spad_wup"}));
    EXPECT_EQ(changed_by(Defect::FirstInputGradient), (Names{"mac_bwd"}));
    EXPECT_EQ(changed_by(Defect::PaddingTaps), (Names{"mac_bwd", "mac_wup"}));  // mac_fwd is overwritten
}

/// W, W x positions, and W x valid positions of the five layers, worked out by hand.
constexpr double kConv1 = 1728, kConv2 = 73728, kConv3 = 147456, kHidden = 8388608, kOut = 10240;
constexpr double kMac1 = kConv1 * 1024, kMac2 = kConv2 * 256, kMac3 = kConv3 * 256;
double touched(double density, double uses) {
    return 1 - std::pow(1 - density, uses);
}

TEST(Defects, Counts) {
    const auto near = [](double x) { return testing::DoubleNear(x, 1e-9 * x); };
    EXPECT_THAT(count_of("mac_fwd", {}), near(T * kHidden));
    EXPECT_THAT(count_of("mac_fwd", {Defect::AssignedForward}),
                near(T * (0.1 * (kMac1 + kMac2 + kMac3) + kHidden)));
    EXPECT_THAT(count_of("mac_bwd", {Defect::DenseLinear}),
                near(T * 0.3 * (kMac1 + kMac2 + kMac3 + kHidden)));
    // the last layer now overwrites the one before it
    EXPECT_THAT(count_of("mac_fwd", {Defect::OutLinearIgnored}), near(T * kOut));
    // the derivative of the layer below; a dense linear layer stays dense
    EXPECT_THAT(count_of("mac_bwd", {Defect::DerivativeUnused}),
                near(T * (0.3 * (kMac1 + 0.4 * (kMac2 + kMac3)) + kHidden)));
    EXPECT_THAT(count_of("mac_bwd", {Defect::FirstInputGradient}),
                near(T * (0.3 * (kMac2 + kMac3) + kHidden)));
    EXPECT_THAT(count_of("mac_wup", {Defect::PaddingTaps}),
                near(T * (0.1 * (192.0 * 94 * 94 + 8192.0 * 46 * 46 + 16384.0 * 46 * 46) + kHidden)));
    const double words = 3072 + 16384 + 32768 + 8192, outputs = 65536 + 32768 + 32768 + 1024;
    EXPECT_THAT(count_of("dram_bwd", {}), near(T * (outputs + words / 2)));
    EXPECT_THAT(count_of("dram_bwd", {Defect::ForwardSpikeWords}), near(T * (outputs + words / 16)));
    const double conv = kConv1 + kConv2 + kConv3;
    EXPECT_THAT(count_of("dram_wup", {Defect::NoBatchReuse}), near(2 * (conv + kHidden) / B));
    EXPECT_THAT(count_of("dram_wup", {Defect::DenseMemory}), near(2 * (conv + kHidden * touched(0.1, T))));
    EXPECT_THAT(count_of("dram_wup", {Defect::DenseMemory, Defect::NoBatchReuse}),
                near(2 * (conv + kHidden * touched(0.1, T * B)) / B));
    EXPECT_THAT(count_of("glb_wup", {Defect::DenseMemory}),
                near(2 * (1 + T) * conv + 2 * kHidden * (touched(0.1, T) + T * 0.1) + T * words / 2 +
                     0.3 * T * outputs));
    EXPECT_THAT(count_of("spad_bwd", {Defect::DenseMemory}),
                near(conv + kHidden * touched(0.3, T) + T * outputs));
}

TEST(Defects, TimeIsALowerBoundOfCyclesAndItsLeakage) {
    const Estimate shipped = estimate(kLayers, kShipped);
    EXPECT_EQ(shipped.cycles, 0);
    EXPECT_EQ(shipped.leakage, 0);
    SataSetting s = kShipped;
    s.repair = {Defect::NoTime};
    s.time.leakage = 100;  // mW
    const Estimate e = estimate(kLayers, s);
    double operations = 0;
    for (const Term t : kTerms) operations += term_info(t).kind == Kind::Compute ? e.count(t) : 0;
    EXPECT_DOUBLE_EQ(e.cycles, operations / 128);
    // 2.5 ns x 100 mW = 250 pJ a cycle; a MAC is 1.43202 pJ
    EXPECT_NEAR(e.in_macs(e.leakage), e.cycles * 250 / 1.43202, 1e-6 * e.cycles);
    EXPECT_DOUBLE_EQ(e.total(), shipped.total() + e.leakage);
}

TEST(Defects, VariantsAreSetsOfRepairs) {
    SataSetting corrected = kShipped, listed = kShipped;
    corrected.variant = Variant::Corrected;
    listed.repair = {Defect::AssignedForward, Defect::DenseLinear, Defect::OutLinearIgnored};
    EXPECT_EQ(estimate(kLayers, corrected).total(), estimate(kLayers, listed).total());
    SataSetting repaired = kShipped, all = kShipped;
    repaired.variant = Variant::Repaired;
    all.repair.assign(kDefects.begin(), kDefects.end());
    EXPECT_EQ(estimate(kLayers, repaired).total(), estimate(kLayers, all).total());
    EXPECT_LT(estimate(kLayers, repaired).total(), estimate(kLayers, corrected).total() / 2);
}

TEST(Defects, EffectsAreDifferencesFromShipped) {
    const auto effects = effects_alone(kLayers, uniform_activity(kLayers, kShipped), kShipped);
    std::set<std::string> numbers;
    for (const Effect& x : effects) {
        numbers.insert(x.number);
        SataSetting s = kShipped;
        s.repair = x.repaired;
        EXPECT_EQ(x.macs, estimate(kLayers, s).total_macs() - estimate(kLayers, kShipped).total_macs());
        EXPECT_NE(x.macs, 0) << x.number;
    }
    for (const char* n : {"1", "2", "3", "4", "5", "6", "7"}) EXPECT_EQ(numbers.count(n), 1u) << n;
}

TEST(MeasuredActivity, EqualEverywhereIsTheGlobalSetting) {
    for (const Variant v : {Variant::Shipped, Variant::Corrected, Variant::Repaired}) {
        SataSetting s = kShipped;
        s.variant = v;
        const std::vector<Densities> same(kLayers.size(), {1 - 0.9, 1 - 0.7, 1 - 0.6});
        const Estimate a = estimate(kLayers, s), b = estimate(kLayers, same, s);
        for (const Term t : kTerms) EXPECT_EQ(a.count(t), b.count(t)) << term_info(t).name;
    }
}

TEST(MeasuredActivity, EachDensityActsOnItsLayer) {
    SataSetting s = kShipped;
    s.variant = Variant::Repaired;
    std::vector<Densities> some(kLayers.size(), {0.2, 0.5, 0.25});
    const Estimate before = estimate(kLayers, some, s);
    some[2] = {0.1, 0.25, 0.125};
    const Estimate after = estimate(kLayers, some, s);
    const auto ratio = [&](std::size_t layer, const char* term) {
        return after.count(layer, term_of(term)) / before.count(layer, term_of(term));
    };
    EXPECT_DOUBLE_EQ(ratio(2, "mac_fwd"), 0.5);
    EXPECT_DOUBLE_EQ(ratio(2, "mac_wup"), 0.5);
    EXPECT_DOUBLE_EQ(ratio(2, "mac_bwd"), 0.5);  // its error; the mask is that of layer 1
    EXPECT_DOUBLE_EQ(ratio(3, "mac_bwd"), 0.5);  // the mask of layer 2
    EXPECT_DOUBLE_EQ(ratio(1, "mac_bwd"), 1);
    EXPECT_DOUBLE_EQ(ratio(3, "mac_fwd"), 1);
    EXPECT_EQ(before.count(0, Term::MacBwd), 0);
}

TEST(MeasuredActivity, LayersAndPhasesSumToTheTotal) {
    SataSetting s = kShipped;
    s.variant = Variant::Repaired;
    const std::vector<Densities> some{
        {1, 0.3, 0.2}, {0.2, 0.4, 0.3}, {0.1, 0.5, 0.1}, {0.05, 0.9, 0.6}, {0, 1, 1}};
    const Estimate e = estimate(kLayers, some, s);
    double phases = e.leakage, layers = e.leakage;
    for (const EstimatePhase p : kPhases) {
        for (const Kind k : {Kind::Compute, Kind::Memory}) {
            phases += e.energy(p, k);
            for (std::size_t l = 0; l < kLayers.size(); ++l) layers += e.energy(l, p, k);
        }
    }
    EXPECT_NEAR(phases / e.total(), 1, 1e-13);
    EXPECT_NEAR(layers / e.total(), 1, 1e-13);
    EXPECT_EQ(e.count(4, Term::MacFwd), 0);  // no spikes came in
}

TEST(MeasuredActivity, WhatIsRefused) {
    const auto problem = [&](std::vector<Densities> a) {
        try {
            estimate(kLayers, a, kShipped);
        } catch (const ConfigError& e) {
            return std::string(e.what());
        }
        return std::string("nothing wrong");
    };
    EXPECT_THAT(problem({{}, {}}), testing::StartsWith("activity: 2 entries for 5 layers"));
    std::vector<Densities> bad(5);
    bad[3].error = 1.5;
    EXPECT_THAT(problem(bad), testing::StartsWith("activity.3.error: 1.5"));
    bad[3].error = std::nan("");
    EXPECT_THAT(problem(bad), testing::StartsWith("activity.3.error: nan"));
}

TEST(Defects, NothingIsCountedOfAReadoutAlone) {
    const std::vector<LayerShape> readout{LayerShape::linear(3, 2, LayerKind::OutLinear)};
    EXPECT_EQ(estimate(readout, kShipped).total(), 0);
    for (const Effect& x : effects_alone(readout, uniform_activity(readout, kShipped), kShipped))
        EXPECT_TRUE(std::isnan(x.percent));  // of nothing
}

TEST(Laws, TimestepsAndBatch) {
    SataSetting s = kShipped;
    s.variant = Variant::Repaired;
    const auto at = [&](std::uint64_t timesteps, std::uint64_t batch, Term t) {
        s.timesteps = timesteps;
        s.batch = batch;
        return estimate(kLayers, s).count(t);
    };
    for (const Term t : {Term::Lif, Term::MacFwd, Term::Pgu, Term::MacBwd, Term::MacWup, Term::DramBwd})
        EXPECT_NEAR(at(8, 1, t) / at(4, 1, t), 2, 1e-12) << term_info(t).name;
    EXPECT_LT(at(4, 64, Term::DramWup), at(4, 32, Term::DramWup));
    SataSetting c = kShipped;
    c.variant = Variant::Corrected;
    const double four = estimate(kLayers, c).count(Term::DramWup);
    c.timesteps = 8;
    EXPECT_EQ(estimate(kLayers, c).count(Term::DramWup), four);
}

}  // namespace
}  // namespace loom::train_estimate
