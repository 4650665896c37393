// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <string_view>

#include "cores/kind.hpp"

namespace loom::cores {

/// What kinds of cores with a synapse memory and a delay ring of accumulators have in common: all that
/// follows from the blocks `synapse` and `dendrite`.
class MemoryKind : public Kind {
  public:
    arch::WeightFormat weight_format(const arch::CoreSpec& core) const override {
        return {core.synapse.weight_bits, false};
    }
    arch::WeightStore weight_store(const arch::CoreSpec& core) const override {
        return {"synapse memory of a core (bits)", core.synapse.memory, false};
    }
    std::uint64_t need(const arch::CoreSpec& core, const arch::StoredMatrix& matrix) const override {
        return matrix.weights * (core.synapse.weight_bits + (matrix.indexed ? core.synapse.index_bits : 0));
    }
    bool keeps_kernels(const arch::CoreSpec& core) const override { return core.synapse.conv; }
    void add_area(arch::AreaParts& to, const arch::CoreSpec& core,
                  const arch::EnergySpec& prices) const override;
};

}  // namespace loom::cores
