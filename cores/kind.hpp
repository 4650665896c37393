// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <memory>

#include "arch/core_kind.hpp"
#include "cores/core.hpp"

namespace loom::cores {

/// Programming the weights of all cores of a kind before the first sample, cores side by side.
struct WeightLoad {
    Cycles cycles = 0;  ///< of the slowest core
    std::uint64_t write_pulses = 0, cells_written = 0, verify_reads = 0;
    CoreTotals events;
};

/// A kind of core that can be built: what the compiler and the reports ask (arch::CoreKind), and the core.
class Kind : public arch::CoreKind {
  public:
    /// A core of this kind for an image. The image's neurons, axons and fan-out fit the chip. Throws
    /// ConfigError, InputError.
    virtual std::unique_ptr<Core> make(const arch::ChipSpec& chip,
                                       std::shared_ptr<const arch::CoreImage> image,
                                       const arch::Program& program, CoreContext context,
                                       CoreSchedule schedule) const = 0;
    /// What programming the program's cores of kind number `kind` takes; nothing where it is not modelled.
    virtual WeightLoad load(const arch::ChipSpec& chip, const arch::Program& program,
                            std::uint32_t kind) const {
        (void)chip, (void)program, (void)kind;
        return {};
    }

    /// The neuron models that its cores compute, which outlive them; those of the library unless this is
    /// said.
    void set_neuron_models(const NeuronModels& models) { neuron_models_ = &models; }
    const NeuronModels* neuron_models() const { return neuron_models_; }

  private:
    const NeuronModels* neuron_models_ = nullptr;
};

/// The kind of a chip's cores, as one that can be built. Throws ConfigError, InternalError for one that
/// cannot.
const Kind& kind_of(const arch::ChipSpec& chip, std::uint32_t kind);

}  // namespace loom::cores
