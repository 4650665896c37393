// SPDX-License-Identifier: Apache-2.0
// What the contract suite runs on: a network of any kind with all of its endpoints, samples of every
// topology, and the combinations that the catalogues make possible. A new topology adds a line to samples().
#pragma once
#include <gtest/gtest.h>

#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/clocking/link.hpp"
#include "noc/network.hpp"

namespace loom::testing {

struct Sample {
    std::string name;
    std::function<void(arch::NocSpec&)> set;
};

/// Odd and even sizes, one to three dimensions, tiles, bridges, narrow links and other clock domains.
const std::vector<Sample>& samples();
const Sample& sample(const std::string& name);

/// A kind of router, with a pipeline where it has them.
struct Router {
    std::string kind, pipeline;
};
/// Every kind of router with each of its pipelines.
std::vector<Router> all_routers();

arch::ChipSpec spec_of(const Sample& sample, const Router& router, const std::string& routing);

/// A network with every endpoint attached. Offers are taken in order per endpoint as soon as they are due and
/// there is room; arrivals are taken at once unless the endpoint is shut.
class Bench final : public Clocked {
  public:
    struct Arrival {
        Cycle at;
        std::uint32_t endpoint, source, number;
        std::uint16_t hops;
        bool operator==(const Arrival&) const = default;
    };

    explicit Bench(const arch::ChipSpec& chip, std::uint64_t shuffle = 0);
    Bench(const arch::ChipSpec& chip, std::unique_ptr<noc::Network> network, std::uint64_t shuffle = 0);

    std::uint32_t endpoints() const { return static_cast<std::uint32_t>(offers_.size()); }
    bool one_flit() const { return spec.noc.router.kind == "timeout"; }

    void offer(Cycle at, std::uint32_t from, Destination to, unsigned flits, std::uint32_t number,
               unsigned message_class = 0);
    void offer(Cycle at, std::uint32_t from, std::uint32_t to, unsigned flits, std::uint32_t number) {
        offer(at, from, Destination::endpoint(EndpointId{to}), flits, number);
    }
    void shut(std::uint32_t endpoint, Cycle until) {
        shut_[endpoint] = until;
        scheduler.wake(id_, until);
    }
    Cycle start() const { return scheduler.now() + 3; }

    Cycle evaluate(Cycle now) override;
    /// Runs until nothing is due; false when there is still something after `cycles`.
    bool drain(Cycle cycles = 400000) {
        const Cycle end = scheduler.now() + cycles;
        while (scheduler.next() != kNever) {
            if (scheduler.next() > end) return false;
            scheduler.run_next();
        }
        return queued_ == 0;
    }
    void run_until(Cycle at) {
        while (scheduler.next() <= at) scheduler.run_next();
    }
    noc::NocCounters total() const;
    /// Nothing is left, and every delivery asked for happened or is counted as dropped.
    void expect_empty(const std::string& what);

    arch::ChipSpec spec;
    Scheduler scheduler;
    std::unique_ptr<noc::Network> network;
    std::vector<Arrival> arrivals;
    std::uint64_t n_arrivals = 0;
    std::function<void(const Arrival&)> on_arrival;

  private:
    Scheduler::ComponentId id_ = 0;
    std::deque<Link<Packet>> in_, out_;
    std::vector<std::deque<std::pair<Cycle, Packet>>> offers_;
    std::vector<Cycle> shut_;
    std::size_t queued_ = 0;
};

/// The network of a combination, or nothing when it is refused, which must be by a ConfigError that begins
/// with a key.
std::unique_ptr<Bench> bench_or_refusal(const arch::ChipSpec& spec, std::uint64_t shuffle = 0);

std::string combination(const arch::ChipSpec& spec);

/// f(bench) for every legal combination of a sample with routings and routers; how many there were.
std::size_t each_combination(const Sample& sample, const std::function<void(Bench&)>& f);

/// Deliveries per source while all send to core 0 for `cycles`.
std::vector<std::uint64_t> all_to_one(Bench& b, Cycle cycles);

/// Packets of random pairs and lengths, `spread` cycles long.
void offer_random(Bench& b, Cycle start, unsigned n, Cycle spread, unsigned most_flits, unsigned seed = 1);

/// Arrivals by cycle since `start`; the order within a cycle is that of the bench.
std::vector<Bench::Arrival> since(const std::vector<Bench::Arrival>& arrivals, Cycle start);

class EachSample : public ::testing::TestWithParam<Sample> {};
inline auto all_samples() {
    return ::testing::ValuesIn(samples());
}
inline std::string sample_name(const ::testing::TestParamInfo<Sample>& i) {
    return i.param.name;
}
inline void PrintTo(const Sample& s, std::ostream* out) {
    *out << s.name;
}

}  // namespace loom::testing
