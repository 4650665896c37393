// SPDX-License-Identifier: Apache-2.0
// What readers, writers and schemas know of a training chip, compiled once and not in every file that reads one.
#include "base/described.hpp"
#include "training/work/training_chip.hpp"

namespace loom {
template const ValueType& type_of<arch::TrainingChip>();
}
