// SPDX-License-Identifier: Apache-2.0
// What the tests of destination sets share.
#pragma once
#include <algorithm>
#include <random>

#include "base/error.hpp"
#include "contract_bench.hpp"
#include "noc/multicast/sets.hpp"

namespace loom::testing {

inline arch::ChipSpec set_spec(const Sample& s, const Router& router, const std::string& style,
                               const std::string& routing = "auto") {
    arch::ChipSpec spec = spec_of(s, router, routing);
    spec.noc.multicast.style = style;
    spec.noc.multicast.table_entries = 100000;
    // timeout: blocked packets are injected again, so nothing is lost
    spec.noc.router.wait1 = 30;
    spec.noc.router.reinject = 50;
    return spec;
}

/// Whether a network takes sets of this style: otherwise a ConfigError that names the key.
inline bool takes_sets(Bench& b) {
    try {
        b.network->add_set(EndpointId{0}, std::vector<std::uint32_t>{0});
        b.network->clear_sets();
        return true;
    } catch (const ConfigError& e) {
        EXPECT_EQ(std::string(e.what()).rfind("noc.multicast.style: ", 0), 0u) << e.what();
        return false;
    }
}

/// Random sets, a packet to each: who got which how often. Several sets are on their way at once; they are
/// forgotten from time to time, so that memory does not grow.
class RandomSets {
  public:
    explicit RandomSets(Bench& b) : b_(b), got_(kBatch * b.endpoints(), 0) {
        b.on_arrival = [this](const Bench::Arrival& a) { ++got_[a.number * b_.endpoints() + a.endpoint]; };
    }
    void run(std::uint64_t sets, unsigned flits) {
        for (std::uint64_t done = 0; done < sets; done += kBatch) {
            batch(static_cast<unsigned>(std::min<std::uint64_t>(kBatch, sets - done)), flits);
            if (::testing::Test::HasFailure()) return;
        }
    }
    std::uint64_t tree = 0, unicast = 0;

  private:
    static constexpr unsigned kBatch = 500;
    void batch(unsigned n, unsigned flits) {
        std::fill(got_.begin(), got_.end(), std::uint8_t{0});
        want_.assign(got_.size(), 0);
        b_.network->clear_sets();
        const Cycle start = b_.start();
        for (unsigned i = 0; i < n; ++i) {
            const auto source = static_cast<std::uint32_t>(random_() % b_.endpoints());
            members_.clear();
            const unsigned size = 1 + static_cast<unsigned>(random_() % b_.endpoints());
            for (unsigned k = 0; k < size; ++k) {
                members_.push_back(static_cast<std::uint32_t>(random_() % b_.endpoints()));
                want_[i * b_.endpoints() + members_.back()] = 1;
            }
            const std::uint32_t set = b_.network->add_set(EndpointId{source}, members_);
            tree += b_.network->set_links(set).tree;
            unicast += b_.network->set_links(set).unicast;
            // a timeout router works on one packet at a time; not all at once
            b_.offer(start + (b_.one_flit() ? i * b_.endpoints() : 0), source, Destination::set(set), flits,
                     i);
        }
        ASSERT_TRUE(b_.drain()) << b_.network->describe_stuck(5);
        b_.expect_empty("sets");
        EXPECT_EQ(b_.total().packets_dropped, 0u);
        EXPECT_EQ(got_, want_);
    }

    Bench& b_;
    std::mt19937 random_{11};
    std::vector<std::uint8_t> got_, want_;
    std::vector<std::uint32_t> members_;
};

}  // namespace loom::testing
