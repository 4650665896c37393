// SPDX-License-Identifier: Apache-2.0
// Until the engines are merged.
#include "cores/training/engine.hpp"
#include "sim/base/error.hpp"

namespace loom::training {
std::unique_ptr<Engine> make_engine(const arch::TrainingChip& chip) {
    throw UnsupportedError("engine " + chip.kind);
}
std::string_view event_name(Event) {
    return "event";
}
}  // namespace loom::training
