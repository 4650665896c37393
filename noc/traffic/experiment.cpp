// SPDX-License-Identifier: Apache-2.0
#include "noc/traffic/experiment.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/counter_math.hpp"
#include "base/error.hpp"
#include "base/key_error.hpp"
#include "base/nearest.hpp"
#include "noc/catalogue.hpp"
#include "noc/multicast/sets.hpp"
#include "noc/traffic/load.hpp"

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
        ++evaluated_;
        if (now < next_) return;
        next_ = now + limit_;
        const NocCounters c = total(network_);
        const std::uint64_t moved =
            c.buffer_reads + c.buffer_writes + c.ni_in + c.ni_out + c.packets_dropped + c.flit_hops();
        // or a packet rests at its source, and not since nothing is due
        const bool waits =
            evaluated_ >= limit_ && c.packets_expected != c.packets_delivered + c.packets_dropped;
        if (moved == moved_ && (network_.flits_in_flight() != 0 || waits)) stuck(now, "no flit moved");
        moved_ = moved;
        evaluated_ = 0;
    }
    /// Cycles in which it surely finds out that nothing moves.
    Cycles patience() const { return 3 * limit_; }
    [[noreturn]] void stuck(Cycle now, const char* what) const {
        throw ModelError(fmt::format("{} for {} cycles at cycle {}, {} flits are in the network: {}", what,
                                     limit_, now, network_.flits_in_flight(), network_.describe_stuck(8)));
    }

  private:
    const Network& network_;
    Cycles limit_;
    Cycle next_ = 0;
    std::uint64_t moved_ = 0;
    std::uint64_t evaluated_ = 0;  ///< cycles since the last look
};

const RouterKind& router_kind(const arch::NocSpec& noc) {
    return catalogue_of(noc).routers.get(noc.router.kind);
}

/// Cycles for which a flit may rest without being stuck: on a link, for a time-out, for its slot.
Cycles longest_wait(const arch::NocSpec& noc, const Topology& t) {
    return 2 * t.longest_latency() + router_kind(noc).longest_wait(noc.router);
}

/// A burst's packets are found by going from burst to burst.
constexpr double kLeastBurstRate = 1e-6;

/// Packets that are copied in the routers must fit their buffers, or they could wait for each other.
void check_copies(std::uint64_t longest, const arch::NocSpec& noc) {
    if (!copied_in_routers(find_multicast_style(noc.multicast.style)) || longest <= noc.router.buffer) return;
    throw KeyError(
        "noc.router.buffer",
        fmt::format("{} flits; packets of {} flits are copied in the routers and must fit a buffer",
                    noc.router.buffer, longest));
}

void check_length(const char* key, std::uint64_t longest, const arch::NocSpec& noc) {
    if (longest > 1 && router_kind(noc).single_flits) {
        throw KeyError(
            key, fmt::format("the {} router carries packets of 1 flit, not {}", noc.router.kind, longest));
    }
}

/// What needs no network.
void check_traffic(const TrafficSpec& t, const arch::NocSpec& noc) {
    if (!(t.rate >= 0 && t.rate <= 1))
        throw KeyError("traffic.rate", fmt::format("{} is not in 0..1 flits per node and cycle", t.rate));
    static const std::vector<std::string> injections{"bernoulli", "on_off", "periodic", "timestep",
                                                     "spatial"};
    if (std::find(injections.begin(), injections.end(), t.injection) == injections.end())
        throw KeyError("traffic.injection", unknown_name(t.injection, injections));
    if (t.injection == "on_off" && t.packet_sizes.empty() &&
        t.rate / static_cast<double>(std::max<std::uint64_t>(t.packet_size, 1)) > t.duty) {
        throw KeyError(
            "traffic.rate",
            fmt::format(
                "{} with packets of {} flits is more than a packet per cycle in bursts of traffic.duty {}",
                t.rate, t.packet_size, t.duty));
    }
    if (t.injection == "on_off" && t.rate > 0 && t.rate < kLeastBurstRate) {
        throw KeyError("traffic.rate",
                       fmt::format("{} is too little for bursts; on_off needs 0 or {} and more", t.rate,
                                   kLeastBurstRate));
    }
    std::uint64_t longest = t.packet_sizes.empty() ? t.packet_size : 1;
    for (const auto& e : t.packet_sizes) {
        const bool good = e.size() == 2 && e[0] >= 1 && e[0] <= 1024 && e[0] == std::floor(e[0]) &&
                          e[1] > 0 && e[1] <= 1e12;
        if (!good)
            throw KeyError("traffic.packet_sizes", "an entry is [flits, weight]: 1 to 1024, more than 0");
        longest = std::max(longest, static_cast<std::uint64_t>(e[0]));
    }
    double shares = 0;
    for (const double w : t.classes) {
        if (!(w >= 0 && w <= 1e12)) throw KeyError("traffic.classes", fmt::format("{} is no share", w));
        shares += w;
    }
    if (!t.classes.empty() && shares <= 0) throw KeyError("traffic.classes", "all shares are 0");
    if (t.classes.size() > noc.router.classes) {
        throw KeyError("traffic.classes", fmt::format("{} shares for {} message classes (noc.router.classes)",
                                                      t.classes.size(), noc.router.classes));
    }
    if (t.pattern == "trace") return;
    check_length(t.packet_sizes.empty() ? "traffic.packet_size" : "traffic.packet_sizes", longest, noc);
    if (t.packet_sizes.size() > 1 && router_kind(noc).one_length_per_flow) {
        throw KeyError("traffic.packet_sizes",
                       fmt::format("a flow of the {} router has packets of one length", noc.router.kind));
    }
    if (t.pattern == "fan_out" || t.pattern == "layers") check_copies(longest, noc);
}

void check_trace(const std::vector<TracePacket>& trace, const MeasureSpec& m, const arch::NocSpec& noc) {
    std::uint64_t flits = 0, longest = 1;
    for (const TracePacket& p : trace) {
        check_length("traffic.file", p.flits, noc);
        flits += std::uint64_t{p.flits} * p.destinations.size();
        if (p.destinations.size() > 1) longest = std::max<std::uint64_t>(longest, p.flits);
    }
    check_copies(longest, noc);
    if (static_cast<double>(flits) > m.max_flits) {
        throw KeyError("measure.max_flits",
                       fmt::format("{}, but the trace delivers {} flits", m.max_flits, flits));
    }
}

void check_work(const TrafficSpec& t, const MeasureSpec& m, const Pattern& pattern,
                const Topology& topology) {
    double nodes = 0;
    for (std::uint32_t n = 0; n < topology.n_cores(); ++n) {
        const auto* sets = pattern.sets();
        nodes += pattern.share(n) * (sets == nullptr ? 1.0 : static_cast<double>((*sets)[n].size()));
    }
    const std::uint64_t samples = std::max(m.warmup, m.max_warmup) + m.samples + m.drain;
    const double flits = nodes * t.rate * static_cast<double>(samples) * static_cast<double>(m.sample);
    if (flits > m.max_flits) {
        throw KeyError("measure.max_flits",
                       fmt::format("{}, but {} samples of {} cycles at this rate may deliver {:.3g} flits",
                                   m.max_flits, samples, m.sample, flits));
    }
}

class Runner {
  public:
    Runner(const arch::ChipSpec& chip, const TrafficSpec& traffic, const MeasureSpec& measure,
           std::uint64_t seed, const std::vector<TracePacket>* trace)
        : measure_(measure),
          network_(make_network(chip)),
          pattern_(trace == nullptr ? make_pattern(traffic, network_->topology()) : nullptr),
          load_(*network_, scheduler_, traffic, pattern_.get(), trace, seed),
          watchdog_(*network_, measure.watchdog + longest_wait(chip.noc, network_->topology())) {
        const auto& n = chip.noc;
        may_drop_ = n.faults.loss > 0 || !n.faults.links.empty() || !n.faults.routers.empty() ||
                    router_kind(n).drops_packets;
        result_.seed = seed;
    }

    RunResult run(const std::function<void(std::uint64_t)>& progress, bool trace) {
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
    const Pattern& pattern() const { return *pattern_; }

  private:
    /// Everything up to, but not including, cycle `end`.
    void run_until(Cycle end) {
        while (scheduler_.next() < end) {
            scheduler_.run_next();
            watchdog_.look(scheduler_.now());
            if ((++steps_ & 0x3fffu) == 0 && *progress_) (*progress_)(scheduler_.now());
        }
    }

    void run_pattern() {
        const Cycles sample = measure_.sample;
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
        // a network that has come to rest in the middle of the window: on to the watchdog
        if (!keeps_up && network_->flits_in_flight() != 0 && load_.last_delivery < begin + (end - begin) / 2)
            run_until(scheduler_.now() + watchdog_.patience());
        const bool loses = may_drop_ && loses_much();
        const double mean = load_.packet_latency.mean();
        const bool drained = load_.outstanding() == 0 || may_drop_;
        result_.stable = keeps_up && drained && !loses && mean <= measure_.latency_limit;
        if (load_.refused != 0) {
            result_.stable = false;
            result_.why_unstable =
                fmt::format("source queues are full: {} packets were not created", load_.refused);
        } else if (!keeps_up) {
            result_.why_unstable = fmt::format("accepts {:.4f} of {:.4f} flits per node and cycle",
                                               result_.accepted_flit_rate, result_.offered_flit_rate);
        } else if (loses) {
            result_.why_unstable = undelivered();
        } else if (!drained) {
            result_.why_unstable = fmt::format("{} packets were still on their way after {} cycles",
                                               load_.outstanding(), limit - end);
        } else if (!result_.stable) {
            result_.why_unstable = fmt::format("mean latency {:.0f} is above measure.latency_limit", mean);
        }
    }

    /// More than 3 % of the deliveries that were measured did not happen.
    bool loses_much() const {
        return static_cast<double>(load_.outstanding()) >
               0.03 * static_cast<double>(load_.measured_deliveries);
    }
    std::string undelivered() const {
        return fmt::format("{} of {} deliveries did not happen", load_.outstanding(),
                           load_.measured_deliveries);
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
        result_.stable = load_.outstanding() == 0 || (may_drop_ && !loses_much());
        if (!result_.stable) result_.why_unstable = undelivered();
    }

    void finish() {
        if (network_->flits_in_flight() != 0 && scheduler_.next() == kNever)
            watchdog_.stuck(scheduler_.now(), "deadlock: nothing can move");
        result_.packet = load_.packet_latency;
        result_.network = load_.network_latency;
        result_.head = load_.head_latency;
        if (load_.zero_load_count != 0)
            result_.zero_load =
                static_cast<double>(load_.zero_load_sum) / static_cast<double>(load_.zero_load_count);
        if (const std::uint64_t n = load_.packet_latency.count(); n != 0)
            result_.hops = static_cast<double>(load_.hops_sum) / static_cast<double>(n);
        std::uint64_t least = ~std::uint64_t{0}, most = 0;
        for (const std::uint64_t f : load_.ejected_by_node) {
            if (f != 0) least = std::min(least, f);
            most = std::max(most, f);
        }
        const double window = static_cast<double>(std::max<std::uint64_t>(result_.measured_cycles, 1));
        if (most != 0) {
            result_.accepted_min = static_cast<double>(least) / window;
            result_.accepted_max = static_cast<double>(most) / window;
        }
        result_.accepted_flits = load_.ejected_by_node;
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
    std::uint64_t steps_ = 0;
    const std::function<void(std::uint64_t)>* progress_ = nullptr;
    RunResult result_;
};

}  // namespace

void check_run(const arch::ChipSpec& chip, const TrafficSpec& traffic, const MeasureSpec& measure,
               const std::vector<TracePacket>* trace) {
    check_traffic(traffic, chip.noc);
    if (measure.seeds.empty()) throw KeyError("measure.seeds", "is empty; give one seed or more");
    const Runner runner(chip, traffic, measure, measure.seeds[0], trace);
    if (trace != nullptr) {
        check_trace(*trace, measure, chip.noc);
    } else {
        check_work(traffic, measure, runner.pattern(), runner.network().topology());
    }
}

RunResult run_traffic(const arch::ChipSpec& chip, const TrafficSpec& traffic, const MeasureSpec& measure,
                      std::uint64_t seed, const std::vector<TracePacket>* trace,
                      const std::function<void(const RunView&)>& look,
                      const std::function<void(std::uint64_t)>& progress) {
    Runner runner(chip, traffic, measure, seed, trace);
    const RunResult result = runner.run(progress, trace != nullptr);
    if (look) look({result, runner.network()});
    return result;
}

}  // namespace loom::noc
