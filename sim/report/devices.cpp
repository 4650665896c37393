// SPDX-License-Identifier: Apache-2.0
#include "sim/report/devices.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "base/error.hpp"

namespace loom::stats {

namespace {

/// 97.5 % quantile of Student's t; exact to three places up to 30 degrees of freedom, then within 0.01.
double student_t(std::size_t freedom) {
    static constexpr std::array<double, 30> t{12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306,
                                              2.262,  2.228, 2.201, 2.179, 2.160, 2.145, 2.131, 2.120,
                                              2.110,  2.101, 2.093, 2.086, 2.080, 2.074, 2.069, 2.064,
                                              2.060,  2.056, 2.052, 2.048, 2.045, 2.042};
    if (freedom <= t.size()) return t[freedom - 1];
    return 1.960 + 2.4 / static_cast<double>(freedom);
}

/// low, high: what a mean cannot be beyond.
void put(Json& to, const std::string& name, const std::vector<double>& values, double lowest,
         double highest) {
    const auto n = static_cast<double>(values.size());
    double mean = 0, squares = 0;
    for (const double x : values) mean += x / n;
    for (const double x : values) squares += (x - mean) * (x - mean);
    const double half = student_t(values.size() - 1) * std::sqrt(squares / (n - 1) / n);
    to[name + "_mean"] = mean;
    to[name + "_low"] = std::max(lowest, mean - half);
    to[name + "_high"] = std::min(highest, mean + half);
    to[name + "_min"] = *std::min_element(values.begin(), values.end());
    to[name + "_max"] = *std::max_element(values.begin(), values.end());
    to[name] = values;
}

}  // namespace

ChipFigures chip_figures(const RunRecord& r, const arch::ChipSpec& chip, const Ledger& ledger) {
    const auto samples = static_cast<double>(r.samples);
    ChipFigures f;
    if (r.labelled != 0) f.accuracy = static_cast<double>(r.correct) / static_cast<double>(r.labelled);
    if (r.samples == 0) throw InputError("device_seeds: figures per inference of no samples are not defined");
    f.cycles = static_cast<double>(r.total_cycles) / samples;
    f.seconds = f.cycles * chip.clock.period * 1e-12;
    f.energy_pj = (ledger.total().total() + ledger.leakage.total_pj()) / samples;
    return f;
}

ChipFigures chip_figures(const RunRecord& r, const arch::ChipSpec& chip) {
    const Inventory inventory(chip);
    return chip_figures(r, chip,
                        compute_energy(r, ChipPrices(chip, inventory), StaticPower(chip, inventory)));
}

Json devices_json(const RunRecord& r, const ChipFigures& first) {
    std::vector<ChipFigures> chips{first};
    chips.insert(chips.end(), r.other_chips.begin(), r.other_chips.end());
    const auto list = [&](double ChipFigures::*figure) {
        std::vector<double> values;
        for (const ChipFigures& f : chips) values.push_back(f.*figure);
        return values;
    };
    constexpr double kMost = std::numeric_limits<double>::max();
    Json j;
    j["seeds"] = chips.size();
    if (r.labelled != 0) put(j, "accuracy", list(&ChipFigures::accuracy), 0, 1);
    put(j, "cycles_per_sample", list(&ChipFigures::cycles), 0, kMost);
    put(j, "time_per_sample_s", list(&ChipFigures::seconds), 0, kMost);
    put(j, "energy_per_sample_pj", list(&ChipFigures::energy_pj), 0, kMost);
    return j;
}

}  // namespace loom::stats
