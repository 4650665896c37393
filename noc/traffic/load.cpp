// SPDX-License-Identifier: Apache-2.0
#include "noc/traffic/load.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "base/error.hpp"

namespace loom::noc {
namespace {

constexpr std::size_t kInSlots = 4, kOutSlots = 8;
/// k of TrafficRng::word; the patterns use 1, 2, 7 and 9.
enum Draw : std::uint64_t { kDrawGap = 16, kDrawSize, kDrawClass, kDrawBurst, kDrawPause, kDrawStep };

double mean_size(const TrafficSpec& s) {
    if (s.packet_sizes.empty()) return static_cast<double>(s.packet_size);
    double sum = 0, weights = 0;
    for (const auto& e : s.packet_sizes) {
        sum += e[0] * e[1];
        weights += e[1];
    }
    return sum / weights;
}

/// Whole cycles, at most 2^50: later than any run ends.
Cycle whole(double cycles) {
    return static_cast<Cycle>(std::min(cycles, 0x1p50));
}

}  // namespace

Load::Load(Network& network, Scheduler& scheduler, const TrafficSpec& spec, const Pattern* pattern,
           const std::vector<TracePacket>* trace, std::uint64_t seed)
    : network_(network),
      scheduler_(scheduler),
      spec_(spec),
      pattern_(pattern),
      trace_(trace),
      rng_(seed),
      wheel_(kWheel, kNone) {
    const Topology& t = network.topology();
    const auto network_id = scheduler.add(network);
    id_ = scheduler.add(*this);
    nodes_.resize(t.n_endpoints());
    ejected_by_node.resize(t.n_endpoints());
    in_.reserve(t.n_endpoints());
    out_.reserve(t.n_endpoints());
    for (std::uint32_t e = 0; e < t.n_endpoints(); ++e) {
        in_.emplace_back(1, kInSlots);
        out_.emplace_back(t.local_latency, kOutSlots + t.local_latency);
        in_[e].connect_producer(scheduler, id_, *this, EndpointPort{e, EndpointPort::kIn}.number());
        out_[e].connect_consumer(scheduler, id_, *this, EndpointPort{e, EndpointPort::kOut}.number());
        network.join(scheduler, network_id, EndpointId{e}, {&in_[e], &out_[e]});
    }
    if (trace != nullptr) {
        std::map<std::pair<std::uint32_t, std::vector<std::uint32_t>>, std::uint32_t> known;
        for (const TracePacket& p : *trace) {
            if (p.destinations.size() == 1) {
                trace_sets_.push_back(kNone);
                continue;
            }
            const auto [at, fresh] = known.try_emplace({p.source, p.destinations}, 0);
            if (fresh) at->second = network.add_set(EndpointId{p.source}, p.destinations);
            trace_sets_.push_back(at->second);
        }
        if (!trace->empty()) scheduler.wake(id_, trace->front().cycle);
        return;
    }
    const double packet_rate = spec.rate / mean_size(spec);
    injection_ = spec.injection == "bernoulli"  ? Injection::Bernoulli
                 : spec.injection == "periodic" ? Injection::Periodic
                 : spec.injection == "on_off"   ? Injection::OnOff
                                                : Injection::Timestep;
    if (spec.injection == "spatial") spatial_.emplace(t, spec.radius, rng_);
    if (const auto* sets = pattern->sets()) {
        for (std::uint32_t n = 0; n < sets->size(); ++n) {
            if (!(*sets)[n].empty()) nodes_[n].set = network.add_set(EndpointId{n}, (*sets)[n]);
        }
    }
    for (std::uint32_t n = 0; n < t.n_cores(); ++n) {
        nodes_[n].rate = std::min(1.0, packet_rate * pattern->share(n));
        const double inside =
            injection_ == Injection::OnOff ? std::min(1.0, nodes_[n].rate / spec.duty) : nodes_[n].rate;
        nodes_[n].log_rest = inside < 1 ? std::log1p(-inside) : 0;
        if (nodes_[n].rate > 0) schedule(n, next_creation(n, 0));
    }
}

inline void Load::schedule(std::uint32_t node, Cycle at) {
    if (at == kNever) return;
    if (at < scheduler_.now() + kWheel) {
        const bool first = wheel_[at % kWheel] == kNone;
        list(node, at);
        if (!first) return;  // already asked for
    } else {
        far_.push({at, node});
    }
    scheduler_.wake(id_, at);
}

/// Cycles to the next success of trials: geometric, at least 1.
inline Cycle Load::gap(std::uint32_t node, const Node& n, std::uint64_t draw) const {
    if (n.log_rest == 0) return 1;
    return 1 + whole(std::log(1.0 - rng_.uniform(node, draw, kDrawGap)) / n.log_rest);
}

/// When a node creates its next packet; `now`: its last one, or 0 at the start.
inline Cycle Load::next_creation(std::uint32_t node, Cycle now) {
    Node& n = nodes_[node];
    if (injection_ == Injection::Bernoulli) return now + gap(node, n, n.drawn);
    if (injection_ == Injection::Periodic) {
        // evenly in time, nodes staggered
        const double step = 1.0 / n.rate;
        return std::max(now + 1,
                        whole(step * (static_cast<double>(n.drawn) + rng_.uniform(node, 0, kDrawStep))) + 1);
    }
    if (injection_ == Injection::Timestep)
        return now == 0 ? spec_.period : (now / spec_.period + 1) * spec_.period;
    // on/off: Bernoulli within bursts of geometric length
    const double pause = spec_.on * (1 - spec_.duty) / spec_.duty;
    Cycle at = now;
    for (std::uint64_t k = 0;; ++k) {
        at += gap(node, n, n.drawn * 64 + k);
        if (at <= n.burst_end) return at;
        // the burst is over before it: wait for the next one, and draw anew within it
        const auto draw = [&](Draw d, double mean) {
            if (mean <= 0) return Cycle{0};
            const double q = 1.0 - rng_.uniform(node, n.bursts, d);
            return whole(std::log(q) / std::log1p(-1.0 / (mean + 1)));
        };
        const Cycle begin = std::max(n.burst_end, now) + draw(kDrawPause, pause);
        n.burst_end = begin + 1 + draw(kDrawBurst, spec_.on - 1);
        ++n.bursts;
        at = begin;
    }
}

inline std::uint16_t Load::draw_size(std::uint32_t node) {
    return spec_.packet_sizes.empty() ? static_cast<std::uint16_t>(spec_.packet_size) : draw_of_sizes(node);
}

std::uint16_t Load::draw_of_sizes(std::uint32_t node) {
    double sum = 0;
    for (const auto& e : spec_.packet_sizes) sum += e[1];
    double u = rng_.uniform(node, nodes_[node].drawn, kDrawSize) * sum;
    for (const auto& e : spec_.packet_sizes) {
        if (u < e[1]) return static_cast<std::uint16_t>(e[0]);
        u -= e[1];
    }
    return static_cast<std::uint16_t>(spec_.packet_sizes.back()[0]);
}

inline std::uint8_t Load::draw_class(std::uint32_t node) {
    return spec_.classes.empty() ? std::uint8_t{0} : draw_of_classes(node);
}

std::uint8_t Load::draw_of_classes(std::uint32_t node) {
    double sum = 0;
    for (const double w : spec_.classes) sum += w;
    double u = rng_.uniform(node, nodes_[node].drawn, kDrawClass) * sum;
    for (std::size_t c = 0; c < spec_.classes.size(); ++c) {
        if (u < spec_.classes[c]) return static_cast<std::uint8_t>(c);
        u -= spec_.classes[c];
    }
    return static_cast<std::uint8_t>(spec_.classes.size() - 1);
}

inline void Load::enqueue(std::uint32_t node, Packet& packet, Cycle now, std::uint64_t fan_out) {
    Node& n = nodes_[node];
    packet.source = EndpointId{node};
    packet.axon = static_cast<std::uint32_t>(++numbers_);
    packet.payload = static_cast<std::int64_t>(now);
    const bool measured = now >= window_.begin && now < window_.end;
    created_flits += packet.flits;
    if (measured) measured_flits += packet.flits;
    if (queued_ >= kMostQueued) {
        ++refused;
        return;
    }
    if (measured) {
        outstanding_ += fan_out;
        ++measured_packets;
        measured_deliveries += fan_out;
    }
    if (n.queue.empty() && in_[node].can_send(now)) {
        in_[node].send(now, packet);
        return;
    }
    n.queue.push_back(packet);
    ++queued_;
    if (n.listed) return;
    n.listed = true;
    pending_.push_back(node);
}

/// Successes of the trials of a step: goes from one to the next, so that cost follows the packets.
std::uint64_t Load::successes(std::uint32_t node, const Node& n, std::uint64_t step, double trials) const {
    std::uint64_t k = 0;
    for (double at = 0;; ++k) {
        const double u = 1.0 - rng_.uniform(node, (step << 32) + k, kDrawStep);
        at += n.log_rest == 0 ? 1 : 1 + std::floor(std::log(u) / n.log_rest);
        if (at > trials) return k;
    }
}

inline void Load::create(std::uint32_t node, Cycle now) {
    if (stopped_) return;
    Node& n = nodes_[node];
    std::uint64_t packets = 1;
    if (injection_ == Injection::Timestep) {
        // what Bernoulli trials would create in a period, all at once
        const double trials =
            static_cast<double>(spec_.period) * (spatial_ ? spatial_->weight(node, now / spec_.period) : 1.0);
        packets = successes(node, n, now / spec_.period, trials);
    }
    for (std::uint64_t i = 0; i < packets; ++i) {
        ++n.drawn;
        Packet p;
        p.flits = draw_size(node);
        p.message_class = draw_class(node);
        if (n.set != kNone) {
            p.destination = Destination::set(n.set);
            enqueue(node, p, now, (*pattern_->sets())[node].size());
            continue;
        }
        const std::uint32_t to = pattern_->destination(node, n.drawn, rng_);
        if (to == kNone) continue;
        p.destination = Destination::endpoint(EndpointId{to});
        enqueue(node, p, now, 1);
    }
    if (packets == 0) ++n.drawn;
    schedule(node, next_creation(node, now));
}

/// Hands waiting packets over as far as there is room; what is left waits for a credit.
void Load::pump(std::uint32_t node, Cycle now) {
    Node& n = nodes_[node];
    while (!n.queue.empty() && in_[node].can_send(now)) {
        in_[node].send(now, n.queue.front());
        n.queue.pop_front();
        --queued_;
    }
}

inline void Load::take(std::uint32_t node, Cycle now) {
    while (const Packet* p = out_[node].peek(now)) {
        account(*p, node, now);
        out_[node].drop(now);
    }
}

/// Latency of the same packet in an empty network, by way of a table of those asked for last.
inline Cycles Load::zero_load(const Packet& p, std::uint32_t node) {
    const std::uint64_t key =
        (std::uint64_t{index(p.source)} << 40 | std::uint64_t{node} << 16 | p.flits) + 1;
    Known& known = known_[(key * 0x9e3779b97f4a7c15u) >> (64 - kKnownBits)];
    if (known.key != key) known = {key, network_.zero_load_latency(p.source, EndpointId{node}, p.flits)};
    return known.latency;
}

/// A packet has been delivered.
inline void Load::account(const Packet& p, std::uint32_t node, Cycle now) {
    const auto created = static_cast<Cycle>(p.payload);
    const std::uint64_t latency = now - created;
    ++deliveries;
    last_delivery = now;
    if (now >= window_.begin && now < window_.end) {
        ejected_flits += p.flits;
        ejected_by_node[node] += p.flits;
    }
    if (created < window_.begin || created >= window_.end) {
        if (window_.begin == kNever) sample_latency.add(latency);
        return;
    }
    --outstanding_;
    packet_latency.add(latency);
    network_latency.add(static_cast<std::uint32_t>(now) - p.entered);
    if (p.head != 0) head_latency.add(p.head - static_cast<std::uint32_t>(created));
    hops_sum += p.hops;
    zero_load_sum += zero_load(p, node);
    ++zero_load_count;
}

void Load::announce(unsigned port, Cycle at) {
    arrivals_.push_back({at, EndpointPort::of(port)});
}

Cycle Load::evaluate(Cycle now) {
    if (!arrivals_.empty()) {
        std::size_t kept = 0;
        for (const Arrival a : arrivals_) {
            if (a.at > now) {
                arrivals_[kept++] = a;
                continue;
            }
            const auto [node, direction] = a.port;
            if (direction == EndpointPort::kOut) {
                take(node, now);
            } else if (!nodes_[node].listed) {
                nodes_[node].listed = true;
                pending_.push_back(node);
            }
        }
        arrivals_.resize(kept);
    }
    while (!far_.empty() && far_.top().at <= now) {
        const std::uint32_t node = far_.top().node;
        far_.pop();
        list(node, now);
    }
    if (wheel_[now % kWheel] != kNone) {
        // evaluated in the order of nodes, whatever the order they were listed in
        due_.clear();
        for (std::uint32_t n = wheel_[now % kWheel]; n != kNone; n = nodes_[n].next_due) due_.push_back(n);
        wheel_[now % kWheel] = kNone;
        std::sort(due_.begin(), due_.end());
        for (const std::uint32_t n : due_) create(n, now);
    }
    Cycle next = kNever;
    if (trace_ != nullptr) {
        for (; next_trace_ < trace_->size() && (*trace_)[next_trace_].cycle <= now; ++next_trace_) {
            const TracePacket& t = (*trace_)[next_trace_];
            Packet p;
            p.flits = t.flits;
            p.message_class = t.message_class;
            const std::uint32_t set = trace_sets_[next_trace_];
            p.destination =
                set == kNone ? Destination::endpoint(EndpointId{t.destinations[0]}) : Destination::set(set);
            enqueue(t.source, p, now, t.destinations.size());
        }
        if (next_trace_ < trace_->size()) next = (*trace_)[next_trace_].cycle;
    }
    for (const std::uint32_t n : pending_) {
        nodes_[n].listed = false;
        pump(n, now);
    }
    pending_.clear();
    return next;
}

}  // namespace loom::noc
