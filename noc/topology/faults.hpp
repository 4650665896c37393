// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "noc/topology/topology.hpp"

namespace loom::noc {

/// Takes dead links and routers out of a topology. ConfigError for what it does not have.
void apply_faults(Topology& t, const arch::FaultSpec& faults);

}  // namespace loom::noc
