// SPDX-License-Identifier: Apache-2.0
#include "noc/traffic/experiment.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "noc/catalogue.hpp"
#include "noc/traffic/load.hpp"
#include "sim/base/counter_math.hpp"
#include "sim/base/error.hpp"

namespace loom::noc {
namespace {

NocCounters total(const Network& network) {
    NocCounters sum;
    for (const NocCounters& c : network.counters()) sum = sum_of(sum, c);
    return sum;
}

/// Stops a run in which nothing moves.
class Watchdog {
  public:
    Watchdog(const Network& network, Cycles limit) : network_(network), limit_(limit) {}
    void look(Cycle now) {
        if (now < next_) return;
        next_ = now + limit_;
        const NocCounters c = total(network_);
        const std::uint64_t moved =
            c.buffer_reads + c.buffer_writes + c.ni_in + c.ni_out + c.packets_dropped + c.flit_hops();
        if (moved == moved_ && network_.flits_in_flight() != 0) stuck(now, "no flit moved");
        moved_ = moved;
    }
    [[noreturn]] void stuck(Cycle now, const char* what) const {
        throw ModelError(fmt::format("{} for {} cycles at cycle {}, {} flits are in the network: {}", what,
                                     limit_, now, network_.flits_in_flight(), network_.describe_stuck(8)));
    }

  private:
    const Network& network_;
    Cycles limit_;
    Cycle next_ = 0;
    std::uint64_t moved_ = 0;
};

class Runner {
  public:
    Runner(const arch::ChipSpec& chip, const TrafficSpec& traffic, const MeasureSpec& measure,
           std::uint64_t seed, const std::vector<TracePacket>* trace)
        : measure_(measure),
          network_(make_network(chip)),
          pattern_(trace == nullptr ? make_pattern(traffic, network_->topology()) : nullptr),
          load_(*network_, scheduler_, traffic, pattern_.get(), trace, seed),
          watchdog_(*network_, measure.watchdog) {
        const auto& n = chip.noc;
        may_drop_ = n.faults.loss > 0 || !n.faults.links.empty() || !n.faults.routers.empty() ||
                    n.router.kind == "timeout";
        result_.seed = seed;
    }

    RunResult run(const std::function<void(std::uint64_t, std::uint64_t)>& progress, bool trace) {
        progress_ = &progress;
        if (trace) {
            run_trace();
        } else {
            run_pattern();
        }
        finish();
        return result_;
    }
    const Network& network() const { return *network_; }

  private:
    /// Everything up to, but not including, cycle `end`.
    void run_until(Cycle end) {
        while (scheduler_.next() < end) {
            scheduler_.run_next();
            watchdog_.look(scheduler_.now());
            if ((++steps_ & 0x3fffu) == 0 && *progress_) (*progress_)(scheduler_.now(), expected_);
        }
    }

    void run_pattern() {
        const Cycles sample = measure_.sample;
        expected_ = (measure_.warmup + measure_.samples) * sample;
        Cycle now = 0;
        double before = -1;
        for (std::uint64_t i = 0; i < std::max(measure_.warmup, measure_.max_warmup); ++i) {
            if (i >= measure_.warmup) {
                // settled: the mean latency of the last sample is that of the one before
                const double mean = load_.sample_latency.mean();
                if (before < 0 || std::abs(mean - before) <= 0.05 * mean || mean > measure_.latency_limit)
                    break;
            }
            before = i == 0 ? -1 : load_.sample_latency.mean();
            load_.sample_latency.clear();
            now += sample;
            run_until(now);
        }
        const Cycle begin = now, end = now + measure_.samples * sample;
        load_.measure({begin, end});
        result_.window_begin = begin;
        result_.measured_cycles = end - begin;
        run_until(end);
        const double per =
            static_cast<double>(network_->topology().n_cores()) * static_cast<double>(end - begin);
        result_.offered_flit_rate = static_cast<double>(load_.measured_flits) / per;
        result_.accepted_flit_rate = static_cast<double>(load_.ejected_flits) / per;
        const bool keeps_up = static_cast<double>(load_.ejected_flits) +
                                      4 * std::sqrt(static_cast<double>(load_.measured_flits)) >=
                                  0.97 * static_cast<double>(load_.measured_flits) ||
                              may_drop_;
        if (may_drop_) load_.stop();
        const Cycle limit = end + measure_.drain * sample;
        for (Cycle at = end; keeps_up && load_.outstanding() != 0 && at < limit;
             at += std::max<Cycle>(sample / 8, 1)) {
            run_until(at + std::max<Cycle>(sample / 8, 1));
            if (may_drop_ && network_->flits_in_flight() == 0 && load_.queued() == 0 &&
                scheduler_.next() == kNever)
                break;
        }
        const double mean = load_.packet_latency.mean();
        const bool drained = load_.outstanding() == 0 || may_drop_;
        result_.stable = keeps_up && drained && mean <= measure_.latency_limit;
        if (!keeps_up) {
            result_.why_unstable = fmt::format("accepts {:.4f} of {:.4f} flits per node and cycle",
                                               result_.accepted_flit_rate, result_.offered_flit_rate);
        } else if (!drained) {
            result_.why_unstable = fmt::format("{} packets were still on their way after {} cycles",
                                               load_.outstanding(), limit - end);
        } else if (!result_.stable) {
            result_.why_unstable = fmt::format("mean latency {:.0f} is above measure.latency_limit", mean);
        }
    }

    /// All packets of a trace, to the last delivery.
    void run_trace() {
        load_.measure({0, kNever});
        while (scheduler_.next() != kNever) run_until(scheduler_.next() + measure_.sample);
        if (network_->flits_in_flight() != 0) watchdog_.stuck(scheduler_.now(), "nothing can move");
        const Cycle end = std::max<Cycle>(load_.last_delivery, 1);
        result_.measured_cycles = end;
        const double per = static_cast<double>(network_->topology().n_cores()) * static_cast<double>(end);
        result_.offered_flit_rate = static_cast<double>(load_.measured_flits) / per;
        result_.accepted_flit_rate = static_cast<double>(load_.ejected_flits) / per;
        result_.stable = load_.outstanding() == 0 || may_drop_;
    }

    void finish() {
        if (network_->flits_in_flight() != 0 && scheduler_.next() == kNever)
            watchdog_.stuck(scheduler_.now(), "deadlock: nothing can move");
        result_.packet = load_.packet_latency;
        result_.network = load_.network_latency;
        result_.head = load_.head_latency;
        result_.zero_load = load_.zero_load_count == 0 ? 0
                                                       : static_cast<double>(load_.zero_load_sum) /
                                                             static_cast<double>(load_.zero_load_count);
        const auto n = static_cast<double>(std::max<std::uint64_t>(load_.packet_latency.count(), 1));
        result_.hops = static_cast<double>(load_.hops_sum) / n;
        std::uint64_t least = ~std::uint64_t{0}, most = 0;
        for (const std::uint64_t f : load_.ejected_by_node) {
            if (f != 0) least = std::min(least, f);
            most = std::max(most, f);
        }
        const double window = static_cast<double>(std::max<std::uint64_t>(result_.measured_cycles, 1));
        result_.accepted_min = most == 0 ? 0 : static_cast<double>(least) / window;
        result_.accepted_max = static_cast<double>(most) / window;
        result_.cycles = scheduler_.now();
        result_.queued = load_.queued();
        result_.in_flight = network_->flits_in_flight();
        result_.counters = total(*network_);
        result_.deliveries = load_.deliveries;
        result_.tables = network_->describe_tables();
    }

    MeasureSpec measure_;
    Scheduler scheduler_;
    std::unique_ptr<Network> network_;
    std::unique_ptr<Pattern> pattern_;
    Load load_;
    Watchdog watchdog_;
    bool may_drop_ = false;
    std::uint64_t steps_ = 0, expected_ = 0;
    const std::function<void(std::uint64_t, std::uint64_t)>* progress_ = nullptr;
    RunResult result_;
};

}  // namespace

void check_traffic(const TrafficSpec& t, const arch::NocSpec& noc) {
    if (!(t.rate >= 0 && t.rate <= 1)) {
        throw ConfigError(fmt::format("traffic.rate: {} is not in 0..1 flits per node and cycle", t.rate));
    }
    static const std::vector<std::string> injections{"bernoulli", "on_off", "periodic", "timestep"};
    if (std::find(injections.begin(), injections.end(), t.injection) == injections.end()) {
        throw ConfigError(fmt::format(
            "traffic.injection: unknown `{}`; known: bernoulli, on_off, periodic, timestep", t.injection));
    }
    if (t.classes.size() > noc.router.classes) {
        throw ConfigError(
            fmt::format("traffic.classes: {} shares for {} message classes (noc.router.classes)",
                        t.classes.size(), noc.router.classes));
    }
    const bool sets = t.pattern == "fan_out" || t.pattern == "layers" || t.pattern == "trace";
    std::uint64_t longest = t.packet_size;
    for (const auto& e : t.packet_sizes)
        longest = std::max(longest, e.empty() ? 1 : static_cast<std::uint64_t>(e[0]));
    const auto& style = noc.multicast.style;
    if (sets && style != "unicast" && style != "relay" && longest > noc.router.buffer) {
        throw ConfigError(
            fmt::format("noc.router.buffer: {} flits; packets of {} flits are copied in the routers and must "
                        "fit a buffer",
                        noc.router.buffer, longest));
    }
}

RunResult run_traffic(const arch::ChipSpec& chip, const TrafficSpec& traffic, const MeasureSpec& measure,
                      std::uint64_t seed, const std::vector<TracePacket>* trace,
                      const std::function<void(const RunView&)>& look,
                      const std::function<void(std::uint64_t, std::uint64_t)>& progress) {
    Runner runner(chip, traffic, measure, seed, trace);
    const RunResult result = runner.run(progress, trace != nullptr);
    if (look) look({result, runner.network()});
    return result;
}

Summary summarise(std::vector<RunResult> runs) {
    Summary s;
    const auto n = static_cast<double>(runs.size());
    double squares = 0;
    for (const RunResult& r : runs) {
        s.packet.merge(r.packet);
        s.network.merge(r.network);
        s.head.merge(r.head);
        s.packet_mean += r.packet.mean() / n;
        s.network_mean += r.network.mean() / n;
        s.zero_load += r.zero_load / n;
        s.hops += r.hops / n;
        s.offered_flit_rate += r.offered_flit_rate / n;
        s.accepted_flit_rate += r.accepted_flit_rate / n;
        s.accepted_min += r.accepted_min / n;
        s.accepted_max += r.accepted_max / n;
        s.stable &= r.stable;
        s.cycles += r.cycles;
        s.counters = sum_of(s.counters, r.counters);
    }
    for (const RunResult& r : runs)
        squares += (r.packet.mean() - s.packet_mean) * (r.packet.mean() - s.packet_mean);
    s.packet_deviation = runs.size() < 2 ? 0 : std::sqrt(squares / (n - 1));
    s.runs = std::move(runs);
    return s;
}

}  // namespace loom::noc
