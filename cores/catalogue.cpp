// SPDX-License-Identifier: Apache-2.0
#include "cores/catalogue.hpp"

#include "base/error.hpp"
#include "cores/cim/kind.hpp"
#include "cores/near_memory/kind.hpp"
#include "cores/serial/kind.hpp"

namespace loom::cores {

void add_builtin(arch::CoreKinds& kinds, const NeuronModels& models) {
    const auto add = [&](std::unique_ptr<Kind> kind) {
        kind->set_neuron_models(models);
        kinds.add(std::move(kind));
    };
    add(std::make_unique<NearMemoryKind>());
    add(std::make_unique<CimKind>());
    add(std::make_unique<SerialKind>());
}

const Kind& kind_of(const arch::ChipSpec& chip, std::uint32_t kind) {
    const arch::CoreKind& found = chip.kinds().get(chip.kind(kind).kind, chip.key_of_kind(kind));
    const auto* buildable = dynamic_cast<const Kind*>(&found);
    if (buildable == nullptr) throw InternalError("a kind of core that cannot be built");
    return *buildable;
}

std::unique_ptr<Core> make_core(const arch::ChipSpec& chip, std::shared_ptr<const arch::CoreImage> image,
                                const arch::Program& program, CoreContext context, CoreSchedule schedule) {
    const Kind& kind = kind_of(chip, image->kind);
    context.neuron_models = kind.neuron_models();
    return kind.make(chip, std::move(image), program, context, schedule);
}

}  // namespace loom::cores
