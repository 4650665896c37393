// SPDX-License-Identifier: Apache-2.0
// What readers, writers and schemas know of these structs, compiled once and not in every file that reads one.
#include "arch/chip_spec.hpp"
#include "arch/energy_spec.hpp"
#include "arch/noc_spec.hpp"
#include "base/described.hpp"

namespace loom {
template const ValueType& type_of<arch::ChipSpec>();
template const ValueType& type_of<arch::NocSpec>();
template const ValueType& type_of<arch::EnergySpec>();
template const ValueType& type_of<arch::CoreSpec>();
}
