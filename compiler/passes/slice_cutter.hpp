// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "arch/core_kind.hpp"
#include "base/error.hpp"
#include "compiler/passes/slices.hpp"

namespace loom::compiler {

/// A capacity of a core.
struct CoreLimit {
    std::uint64_t Need::*member;
    std::string resource;
    std::uint64_t have;
};
/// The first limit that a need exceeds; null: it fits.
const CoreLimit* exceeded(const std::vector<CoreLimit>& limits, const Need& need);

/// Cuts one population after the other into slices that fit a core each: boxes of its neurons, and where even
/// one neuron's rows are too many, parts of the rows. What slices need of a core is asked of the population's
/// kind.
class SliceCutter {
  public:
    /// on_host[p]: projection p takes nothing from a core. Keeps references to its arguments.
    SliceCutter(const Graph& graph, const std::vector<LoweredProjection>& lowered,
                const std::vector<bool>& on_host, const arch::ChipSpec& chip,
                const std::vector<std::uint32_t>& kind_of, const PartitionOptions& options);

    /// The slices of a population, at least `least`; parts of a slice follow the one with the neurons.
    /// Throws MappingError, UnsupportedError (rows on several cores of a network that loses packets).
    std::vector<Slice> cut(std::uint32_t population, std::uint64_t least) const;
    /// What a slice takes of a core, the fan-out of its neurons apart.
    Need need(const Slice& slice) const;

    const std::vector<CoreLimit>& limits(std::size_t kind) const { return limits_[kind]; }
    /// Cores of each kind, [kinds].
    const std::vector<std::uint64_t>& cores() const { return cores_; }
    const arch::CoreSpec& core_of(std::uint32_t population) const { return chip_.kind(kind_of_[population]); }
    MappingError refusal(std::uint32_t population, const std::string& resource, const std::string& where,
                         std::uint64_t need, std::uint64_t have) const;

  private:
    using Slices = std::vector<Slice>;
    const arch::CoreKind& kind_of(std::uint32_t population) const { return *kinds_[kind_of_[population]]; }
    const std::vector<CoreLimit>& limits_of(std::uint32_t population) const {
        return limits_[kind_of_[population]];
    }
    std::optional<arch::PartialSums> partial_sums(std::uint32_t population) const {
        return kind_of(population).partial_sums(core_of(population));
    }
    std::uint64_t fewest_slices(std::uint32_t population, std::uint64_t least) const;
    Slices cut_neurons(std::uint32_t population, std::uint64_t least,
                       std::optional<MappingError>& problem) const;
    Slices cut_rows(std::uint32_t population, std::uint64_t least) const;
    Slices fewest_parts(const Slice& slice) const;
    std::string one_neuron(std::uint32_t population) const;
    MappingError does_not_fit(std::uint32_t population, std::uint64_t slices) const;
    void check_network(std::uint32_t population) const;

    const Graph& g_;
    const std::vector<LoweredProjection>& lowered_;
    const arch::ChipSpec& chip_;
    const std::vector<std::uint32_t>& kind_of_;
    PartitionOptions options_;
    std::vector<std::uint64_t> cores_;              ///< [kinds]
    std::vector<const arch::CoreKind*> kinds_;      ///< [kinds]
    std::vector<std::vector<CoreLimit>> limits_;    ///< [kinds]
    std::vector<std::vector<std::uint32_t>> into_;  ///< [populations] projections
    std::vector<Extent> extents_;
};

}  // namespace loom::compiler
