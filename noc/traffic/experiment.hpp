// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "noc/network.hpp"
#include "noc/traffic/latency.hpp"
#include "noc/traffic/pattern.hpp"
#include "noc/traffic/trace.hpp"
#include "noc/traffic/traffic_spec.hpp"

namespace loom::noc {

/// One run of a network alone with one seed.
struct RunResult {
    std::uint64_t seed = 0;
    bool stable = false;
    std::string why_unstable;
    LatencyStats packet, network, head;
    std::optional<double> zero_load;  ///< mean over the measured packets of their ways; none without packets
    std::optional<double> hops;       ///< mean links of a measured packet
    double offered_flit_rate = 0;  ///< created in the window, per node and cycle
    double accepted_flit_rate = 0;
    std::vector<std::uint64_t> accepted_flits;  ///< [endpoint], in the window
    std::optional<double> accepted_min, accepted_max;  ///< of the nodes that receive anything
    std::uint64_t cycles = 0, measured_cycles = 0, window_begin = 0;
    std::uint64_t queued = 0;  ///< packets left in source queues
    std::uint64_t in_flight = 0;
    NocCounters counters;
    std::uint64_t deliveries = 0;
    std::string tables;
};

/// A router's use over a whole run.
struct RouterUse {
    std::string name;
    std::vector<PortUse> ports;
    double occupancy = 0;  ///< mean flits in its buffers
};

struct RunView {
    const RunResult& result;
    const Network& network;
};

/// Runs one seed; `look` may read the network before it goes. Throws ModelError when nothing moves for
/// measure.watchdog cycles, naming what is stuck and where. `progress(cycles done)`.
RunResult run_traffic(const arch::ChipSpec& chip, const TrafficSpec& traffic, const MeasureSpec& measure,
                      std::uint64_t seed, const std::vector<TracePacket>* trace,
                      const std::function<void(const RunView&)>& look,
                      const std::function<void(std::uint64_t)>& progress);

/// Several seeds as one result: means of the means of those seeds that have one.
struct Summary {
    std::vector<RunResult> runs;
    LatencyStats packet, network, head;
    std::optional<double> packet_mean, packet_deviation, network_mean, zero_load, hops, accepted_min, accepted_max;
    double offered_flit_rate = 0, accepted_flit_rate = 0;
    bool stable = true;
    std::uint64_t cycles = 0;
    NocCounters counters;
};
Summary summarise(std::vector<RunResult> runs);

/// Checks before the first cycle, the building of the network included: all that a run would refuse, and that
/// it ends in bounded time (measure.max_flits). ConfigError, MappingError.
void check_run(const arch::ChipSpec& chip, const TrafficSpec& traffic, const MeasureSpec& measure,
               const std::vector<TracePacket>* trace);

}  // namespace loom::noc
