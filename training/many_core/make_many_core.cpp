// SPDX-License-Identifier: Apache-2.0
#include "training/many_core/make_many_core.hpp"

#include "arch/core_kind.hpp"
#include "base/error.hpp"
#include "training/many_core/cim_arithmetic.hpp"
#include "training/many_core/near_memory_arithmetic.hpp"

namespace loom::training {

std::unique_ptr<ManyCoreEngine> make_near_memory_training_engine(const arch::ChipSpec& chip,
                                                                 const arch::SparsityRules& sparsity) {
    for (std::size_t k = 0; k < chip.n_kinds(); ++k)
        if (chip.kind(k).type().training() != arch::CoreTraining::Lanes)
            throw ConfigError("core.kind: near-memory training needs cores of kind near_memory");
    return std::make_unique<ManyCoreEngine>(chip, sparsity, std::make_unique<NearMemoryArithmetic>(chip));
}

std::unique_ptr<ManyCoreEngine> make_cim_training_engine(const arch::ChipSpec& chip,
                                                         const arch::SparsityRules& sparsity) {
    return std::make_unique<ManyCoreEngine>(chip, sparsity, std::make_unique<CimArithmetic>(chip));
}

std::unique_ptr<ManyCoreEngine> make_many_core_training_engine(const arch::ChipSpec& chip,
                                                               const arch::SparsityRules& sparsity) {
    return chip.kind(0).type().training() == arch::CoreTraining::InPlace
               ? make_cim_training_engine(chip, sparsity)
               : make_near_memory_training_engine(chip, sparsity);
}

}  // namespace loom::training
