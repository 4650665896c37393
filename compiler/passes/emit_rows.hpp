// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <vector>

#include "compiler/compile.hpp"

namespace loom::compiler {

/// A group of axons whose weights are columns of a matrix.
struct DenseTarget {
    const Slice* slice;
    RowSpan rows;
    std::size_t image, group;  ///< cores[image].axons[group] of the program
};

/// Writes the rows of axon groups: where they lead, and weights in the type that arithmetic and width ask
/// for.
class RowEmitter {
  public:
    /// Keeps references to its arguments.
    RowEmitter(Mapping& m, const arch::ChipSpec& chip) : m_(m), chip_(chip) {}

    /// All slices of a projection at once: its matrix is read through only once, row by row.
    void dense(std::uint32_t projection, const std::vector<DenseTarget>& targets) const;
    void sparse(arch::AxonGroup& group, std::uint32_t projection, const Slice& slice,
                const AxonMap& map) const;
    /// Slices with the same channels share the kernel's weights.
    void conv(arch::AxonGroup& group, std::uint32_t projection, const Slice& slice, const AxonMap& map);

  private:
    /// A weight as the memory holds it: an integer when fixed.
    double weight(std::uint32_t p, std::size_t i) const { return stored(p, m_.lowered[p].weights[i]); }
    double stored(std::uint32_t p, double w) const;
    unsigned weight_bits(std::uint32_t p) const;
    std::shared_ptr<const arch::WeightBlock> block(std::uint32_t p, const std::vector<double>& values) const;

    Mapping& m_;
    const arch::ChipSpec& chip_;
    /// Of a projection, output and input channels.
    std::map<std::array<std::uint32_t, 5>, std::shared_ptr<const arch::WeightBlock>> kernels_;
};

}  // namespace loom::compiler
