// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string_view>

#include "arch/core_catalogue.hpp"
#include "base/config/located_yaml.hpp"

namespace loom::stats {

/// Turns an energy reference table of Accelergy (Wu, Emer & Sze, ICCAD 2019) into a price list. In the
/// section (a path as in config::get), `ert: file.yaml` names one, or `file:` has included one (a key
/// `ERT` with `tables`). An action's component is the last part of its table's name, without [1..8]; the
/// pair is an event of ours ("dendrite.ac"), one of the usual names (docs/concepts/energy-model.md), or in the
/// section's `map`: {component.action: event}, `none` for what is not counted. `leak` is the static energy
/// per cycle of a core, router, link, bridge or chip. Prices of the section itself stay. Without a table
/// nothing happens. kinds: whose events there are. ConfigError with place, IoError.
void expand_ert(config::Node& root, std::string_view section, const arch::CoreKinds& kinds);

}  // namespace loom::stats
