// SPDX-License-Identifier: Apache-2.0
// Several seeds as one result.
#include <algorithm>
#include <cmath>

#include "base/counter_math.hpp"
#include "noc/traffic/experiment.hpp"

namespace loom::noc {
namespace {

/// Mean of a figure over the runs that have it.
template <class F>
std::optional<double> mean_of(const std::vector<RunResult>& runs, F figure) {
    const auto n = static_cast<double>(std::ranges::count_if(runs, [&](const RunResult& r) { return figure(r).has_value(); }));
    double mean = 0;
    for (const RunResult& r : runs) {
        if (const std::optional<double> x = figure(r)) mean += *x / n;
    }
    return n == 0 ? std::nullopt : std::optional(mean);
}

std::optional<double> mean_latency(const LatencyStats& packets) {
    return packets.count() == 0 ? std::nullopt : std::optional(packets.mean());
}

/// Of the seeds' means; 0 for one seed.
std::optional<double> deviation(const std::vector<RunResult>& runs, const std::optional<double>& mean) {
    double squares = 0, n = 0;
    for (const RunResult& r : runs) {
        const std::optional<double> x = mean_latency(r.packet);
        if (!x) continue;
        squares += (*x - *mean) * (*x - *mean);
        n += 1;
    }
    if (n == 0) return std::nullopt;
    return n < 2 ? 0 : std::sqrt(squares / (n - 1));
}

}  // namespace

Summary summarise(std::vector<RunResult> runs) {
    Summary s;
    const auto n = static_cast<double>(runs.size());
    for (const RunResult& r : runs) {
        s.packet.merge(r.packet);
        s.network.merge(r.network);
        s.head.merge(r.head);
        s.offered_flit_rate += r.offered_flit_rate / n;
        s.accepted_flit_rate += r.accepted_flit_rate / n;
        s.stable &= r.stable;
        s.cycles += r.cycles;
        s.counters = sum_of(s.counters, r.counters);
    }
    s.packet_mean = mean_of(runs, [](const RunResult& r) { return mean_latency(r.packet); });
    s.network_mean = mean_of(runs, [](const RunResult& r) { return mean_latency(r.network); });
    s.zero_load = mean_of(runs, [](const RunResult& r) { return r.zero_load; });
    s.hops = mean_of(runs, [](const RunResult& r) { return r.hops; });
    s.accepted_min = mean_of(runs, [](const RunResult& r) { return r.accepted_min; });
    s.accepted_max = mean_of(runs, [](const RunResult& r) { return r.accepted_max; });
    s.packet_deviation = deviation(runs, s.packet_mean);
    s.runs = std::move(runs);
    return s;
}

}  // namespace loom::noc
