// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <memory>
#include <optional>
#include <queue>
#include <vector>

#include "noc/endpoint_port.hpp"
#include "noc/network.hpp"
#include "noc/traffic/latency.hpp"
#include "noc/traffic/pattern.hpp"
#include "noc/traffic/trace.hpp"

namespace loom::noc {

/// All endpoints of a network that runs alone: creates packets (source queues are unbounded), takes
/// what arrives at once, and measures. Cost follows packets, not endpoints.
class Load final : public Clocked {
  public:
    struct Window {
        Cycle begin = kNever, end = kNever;  ///< packets created in it are measured
    };

    /// Packets of a pattern until the end of time, or those of a trace.
    Load(Network& network, Scheduler& scheduler, const TrafficSpec& spec, const Pattern* pattern,
         const std::vector<TracePacket>* trace, std::uint64_t seed);

    Cycle evaluate(Cycle now) override;
    void announce(unsigned port, Cycle at) override;

    void measure(Window w) { window_ = w; }
    /// No further packets are created.
    void stop() { stopped_ = true; }
    /// Packets (deliveries) that were created in the window and are still on their way.
    std::uint64_t outstanding() const { return outstanding_; }
    std::uint64_t queued() const { return queued_; }

    LatencyStats packet_latency, network_latency;
    LatencyStats head_latency;    ///< to the head leaving the last router, where the fabric says so
    LatencyStats sample_latency;  ///< before the measurement, since it was last cleared
    std::uint64_t created_flits = 0, measured_packets = 0, measured_deliveries = 0, measured_flits = 0,
                  hops_sum = 0;
    std::uint64_t zero_load_sum = 0, zero_load_count = 0;
    std::uint64_t ejected_flits = 0;             ///< in the window
    std::vector<std::uint64_t> ejected_by_node;  ///< in the window
    std::uint64_t deliveries = 0;                ///< all
    Cycle last_delivery = 0;
    std::uint64_t refused = 0;  ///< packets that were not created since too many were waiting

  private:
    /// Unbounded FIFO in one block that grows to the largest number of packets it held.
    class Queue {
      public:
        bool empty() const { return size_ == 0; }
        const Packet& front() const { return items_[head_]; }
        void push_back(const Packet& p) {
            if (size_ == items_.size()) grow();
            items_[(head_ + size_++) & (items_.size() - 1)] = p;
        }
        void pop_front() {
            head_ = (head_ + 1) & (items_.size() - 1);
            --size_;
        }

      private:
        void grow() {
            std::vector<Packet> more(items_.empty() ? 4 : 2 * items_.size());
            for (std::size_t i = 0; i < size_; ++i) more[i] = items_[(head_ + i) & (items_.size() - 1)];
            items_.swap(more);
            head_ = 0;
        }
        std::vector<Packet> items_;  ///< a power of two
        std::size_t head_ = 0, size_ = 0;
    };
    enum class Injection : std::uint8_t { Bernoulli, OnOff, Periodic, Timestep };
    /// Waiting packets of all nodes, 64 bytes each: far above saturation more of them would say no more.
    static constexpr std::uint64_t kMostQueued = std::uint64_t{1} << 23;
    struct Node {
        double rate = 0;      ///< packets per cycle
        double log_rest = 0;  ///< log(1 - rate), within bursts: of their rate
        Queue queue;
        std::uint64_t drawn = 0;   ///< packets so far
        std::uint64_t bursts = 0;  ///< on/off: bursts so far
        Cycle burst_end = 0;
        std::uint32_t set = kNone;
        std::uint32_t next_due = kNone;
        bool listed = false;
    };
    struct Due {
        Cycle at;
        std::uint32_t node;
        bool operator>(const Due& o) const { return at != o.at ? at > o.at : node > o.node; }
    };
    /// Something on a link, and when.
    struct Arrival {
        Cycle at;
        EndpointPort port;
    };

    void create(std::uint32_t node, Cycle now);
    void enqueue(std::uint32_t node, Packet& packet, Cycle now, std::uint64_t fan_out);
    Cycle next_creation(std::uint32_t node, Cycle now);
    Cycle gap(std::uint32_t node, const Node& n, std::uint64_t draw) const;
    std::uint64_t successes(std::uint32_t node, const Node& n, std::uint64_t step, double trials) const;
    std::uint16_t draw_size(std::uint32_t node);
    std::uint16_t draw_of_sizes(std::uint32_t node);
    std::uint8_t draw_class(std::uint32_t node);
    std::uint8_t draw_of_classes(std::uint32_t node);
    void pump(std::uint32_t node, Cycle now);
    void take(std::uint32_t node, Cycle now);
    Cycles zero_load(const Packet& p, std::uint32_t node);
    void account(const Packet& p, std::uint32_t node, Cycle now);
    void schedule(std::uint32_t node, Cycle at);
    void list(std::uint32_t node, Cycle at) {
        nodes_[node].next_due = wheel_[at % kWheel];
        wheel_[at % kWheel] = node;
    }

    Network& network_;
    Scheduler& scheduler_;
    const TrafficSpec spec_;
    const Pattern* pattern_;
    const std::vector<TracePacket>* trace_;
    std::vector<std::uint32_t> trace_sets_;
    TrafficRng rng_;
    Injection injection_ = Injection::Bernoulli;
    std::optional<SpatialBursts> spatial_;  ///< timestep: only from a part of the nodes
    std::vector<Node> nodes_;
    std::vector<Link<Packet>> in_, out_;  ///< [endpoint]; never grow once they are connected
    Scheduler::ComponentId id_ = 0;

    static constexpr unsigned kWheel = 1024;
    std::vector<std::uint32_t> wheel_;  ///< first node of the list of those due; they are chained
    std::vector<std::uint32_t> due_;    ///< in this cycle
    std::priority_queue<Due, std::vector<Due>, std::greater<>> far_;
    std::vector<Arrival> arrivals_;       ///< links with something for us
    std::vector<std::uint32_t> pending_;  ///< nodes with packets that wait for their link
    std::size_t next_trace_ = 0;
    std::uint64_t numbers_ = 0, queued_ = 0, outstanding_ = 0;
    Window window_;
    bool stopped_ = false;
    struct Known {
        std::uint64_t key = 0;
        Cycles latency = 0;
    };
    static constexpr unsigned kKnownBits = 14;
    std::vector<Known> known_{std::size_t{1} << kKnownBits};  ///< zero-load latencies, by a hash of the pair
};

}  // namespace loom::noc
