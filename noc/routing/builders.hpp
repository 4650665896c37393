// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <algorithm>

#include "noc/routing/routing.hpp"

namespace loom::noc {

// One builder per family of routing functions. ConfigError when the topology is not theirs.
std::unique_ptr<Routing> build_dimension_order(const arch::NocSpec& spec, const Topology& t, unsigned vcs);
std::unique_ptr<Routing> build_turn_model(const arch::NocSpec& spec, const Topology& t, unsigned vcs);
std::unique_ptr<Routing> build_adaptive(const arch::NocSpec& spec, const Topology& t, unsigned vcs);
std::unique_ptr<Routing> build_up_down(const arch::NocSpec& spec, const Topology& t, unsigned vcs);
std::unique_ptr<Routing> build_table(const arch::NocSpec& spec, const Topology& t, unsigned vcs);

}  // namespace loom::noc
