// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <map>
#include <set>
#include <unordered_map>
#include <vector>

#include "noc/network.hpp"
#include "training/many_core/training_view.hpp"

namespace loom::training {

/// Where packets go. The network must know destination sets before its first packet: all of them are made
/// here, once for a placement. A set of cores has a number; a core reaches it by a way of its own.
class Destinations {
  public:
    static constexpr std::uint32_t kNowhere = UINT32_MAX;
    /// A set of cores as one core reaches it.
    struct Way {
        Destination to;
        std::uint32_t copies = 0;  ///< cores that take a packet
    };
    /// Cores with copies of the same values, and the sets that reach owner and copies. Without copies there
    /// are no sets.
    struct Sharers {
        std::uint32_t owner = 0, to_owner = 0, to_copies = 0;
        std::vector<std::uint32_t> copies;
    };

    /// Adds the sets to `network`, which must be without any.
    Destinations(const TrainingView& view, noc::Network& network);

    const Way& way(std::uint32_t from, std::uint32_t set) const { return ways_.at(key(from, set)); }
    /// Cores with outputs of a feed that an input element reaches, or kNowhere.
    std::uint32_t forward(std::uint32_t feed, std::size_t element) const {
        return forward_[feed].sets[element / forward_[feed].group_inputs];
    }
    /// Cores with the source neurons of a feed's input element, or kNowhere.
    std::uint32_t backward(std::uint32_t feed, std::size_t element) const { return backward_[feed][element]; }
    /// Of a kernel (Placement::shared).
    const Sharers& kernel(std::size_t shared) const { return kernels_[shared]; }
    /// Of a population's own parameters: all cores that have some of its neurons.
    const Sharers& neurons(std::size_t population) const { return neurons_[population]; }

  private:
    using Cores = std::set<std::uint32_t>;
    struct ForwardSets {
        std::size_t group_inputs = 1;
        std::vector<std::uint32_t> sets;  ///< [input position * groups + group]
    };
    static std::uint64_t key(std::uint32_t from, std::uint32_t set) {
        return std::uint64_t{from} << 32 | set;
    }
    std::uint32_t number_of(const Cores& cores);
    void add_way(std::uint32_t from, std::uint32_t set);
    Cores reached_by(const Feed& feed, std::size_t position, std::size_t group) const;
    void find_feed(std::uint32_t f, const std::vector<std::vector<std::uint32_t>>& owner);
    Sharers sharers(const Cores& copies, std::uint32_t owner);
    void find_sharers();

    const TrainingView& view_;
    noc::Network& network_;
    std::map<Cores, std::uint32_t> numbers_;
    std::vector<Cores> sets_;
    std::unordered_map<std::uint64_t, Way> ways_;       ///< by key(core that sends, set)
    std::vector<ForwardSets> forward_;                  ///< [feed]
    std::vector<std::vector<std::uint32_t>> backward_;  ///< [feed][input element]
    std::vector<Sharers> kernels_, neurons_;
};

}  // namespace loom::training
