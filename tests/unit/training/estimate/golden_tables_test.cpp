// SPDX-License-Identifier: Apache-2.0
// Every row of the reference tables, to the last digit.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "tests/unit/training/estimate/csv.hpp"
#include "training/estimate/sata_model.hpp"

namespace loom::train_estimate {
namespace {

SataSetting setting_of(const Row& row, Variant variant) {
    SataSetting s;
    s.variant = variant;
    s.timesteps = std::stoul(row.at("T"));
    s.bits = std::stoul(row.at("fwd_bits"));
    s.sparsity.spikes = number(row, "sp_s");
    s.sparsity.error = number(row, "sp_du");
    if (row.count("sp_df") != 0) s.sparsity.derivative = number(row, "sp_df");
    return s;
}

TEST(SataTables, UnitEnergies) {
    const UnitEnergies e;
    const std::map<std::string, double> ours{
        {"mul", e.mul},      {"acc", e.acc},   {"add", e.add},       {"comp", e.comp},
        {"mux", e.mux},      {"reg", e.reg},   {"sft", e.sft},       {"and", e.bit_and},
        {"dram", e.dram},    {"sram", e.sram}, {"spad", e.spad},     {"LIF", e.lif()},
        {"MAC_fwd", e.ac()}, {"PGU", e.pgu()}, {"MAC_bwd", e.mac()}, {"MAC_wup", e.ac()}};
    const auto table = read_table("constants_training.csv");
    EXPECT_EQ(table.size(), ours.size());
    for (const Row& row : table) {
        const double value = ours.at(row.at("symbol"));
        EXPECT_NEAR(value, number(row, "value"), 1e-15) << row.at("symbol");
        EXPECT_NEAR(value / e.mac(), number(row, "relative_to_16b_MAC"), 5.0001e-7) << row.at("symbol");
    }
}

TEST(SataTables, EveryTermAsShipped) {
    const auto table = read_table("training_breakdown_as_shipped.csv");
    EXPECT_EQ(table.size(), 8u * 14u);
    for (const Row& row : table) {
        SCOPED_TRACE(row.at("config") + " " + row.at("term"));
        const Estimate e = estimate(vgg5(), setting_of(row, Variant::Shipped));
        const Term t = term_of(row.at("term"));
        EXPECT_EQ(phase_word(term_info(t).phase), row.at("phase"));
        EXPECT_EQ(term_info(t).kind == Kind::Compute ? "comp" : "mem", row.at("kind"));
        EXPECT_EQ(e.count(t), number(row, "count"));
        EXPECT_EQ(e.unit_energy(t), number(row, "unit_energy"));
        EXPECT_EQ(e.energy(t), number(row, "energy"));
        EXPECT_EQ(e.in_macs(e.energy(t)), number(row, "energy_in_16b_MAC"));
        EXPECT_EQ(fmt::format("{:.4f}", 100 * e.energy(t) / e.total()), row.at("percent_of_total"));
    }
}

TEST(SataTables, EveryTermCorrected) {
    const auto table = read_table("training_breakdown_corrected.csv");
    EXPECT_EQ(table.size(), 6u * 14u);
    for (const Row& row : table) {
        SCOPED_TRACE(row.at("T") + " " + row.at("fwd_bits") + " " + row.at("sp_s") + " " + row.at("term"));
        const Estimate e = estimate(vgg5(), setting_of(row, Variant::Corrected));
        const Term t = term_of(row.at("term"));
        EXPECT_EQ(e.count(t), number(row, "count"));
        EXPECT_EQ(e.unit_energy(t), number(row, "unit_energy"));
        EXPECT_EQ(e.in_macs(e.energy(t)), number(row, "energy_in_16b_MAC"));
    }
}

TEST(SataTables, EveryPhaseAndTotal) {
    const auto table = read_table("training_summary_as_shipped.csv");
    EXPECT_EQ(table.size(), 8u);
    for (const Row& row : table) {
        SCOPED_TRACE(row.at("config"));
        const Estimate e = estimate(vgg5(), setting_of(row, Variant::Shipped));
        for (const EstimatePhase p : kPhases) {
            const std::string word(phase_word(p));
            EXPECT_EQ(e.in_macs(e.energy(p, Kind::Compute)), number(row, word + "_comp"));
            EXPECT_EQ(e.in_macs(e.energy(p, Kind::Memory)), number(row, word + "_mem"));
        }
        EXPECT_EQ(e.in_macs(e.total()), number(row, "total"));
    }
}

TEST(SataTables, WhatTheShippedExamplePrints) {
    const SataSetting shipped;
    const Estimate e = estimate(vgg5(), shipped);
    EXPECT_EQ(fmt::format("{}", e.in_macs(e.total())), "4798986139.142863");
    const double compute = e.in_macs(e.energy(EstimatePhase::Forward, Kind::Compute));
    const double memory = e.in_macs(e.energy(EstimatePhase::Forward, Kind::Memory));
    EXPECT_EQ(fmt::format("{}", compute + memory), "250572776.97220585");
    EXPECT_EQ(fmt::format("{}", compute), "625845.2874271321");
    EXPECT_EQ(fmt::format("{}", memory), "249946931.68477872");
}

/// Energy of all operations, dense over sparse: what a headline on compute sparsity compares.
double compute_gain(double spikes, double error, std::uint64_t timesteps) {
    SataSetting s;
    s.variant = Variant::Corrected;
    s.timesteps = timesteps;
    s.bits = 16;
    const auto compute = [&](double sp_s, double sp_du) {
        s.sparsity.spikes = sp_s;
        s.sparsity.error = sp_du;
        const Estimate e = estimate(vgg5(), s);
        double sum = 0;
        for (const EstimatePhase p : kPhases) sum += e.energy(p, Kind::Compute);
        return sum;
    };
    return compute(0, 0) / compute(spikes, error);
}

TEST(SataTables, ComputeGainOfSparsity) {
    for (const std::uint64_t timesteps : {4u, 8u}) {
        EXPECT_NEAR(compute_gain(0.9, 0.7, timesteps), 3.889, 5e-4);
        EXPECT_NEAR(compute_gain(0.9, 0.8, timesteps), 5.570, 5e-4);
        EXPECT_NEAR(compute_gain(0.9, 0.85, timesteps), 7.106, 5e-4);
        EXPECT_NEAR(compute_gain(0.95, 0.8, timesteps), 5.937, 5e-4);
    }
}

}  // namespace
}  // namespace loom::train_estimate
