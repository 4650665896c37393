// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "noc/routing/routing.hpp"

namespace loom::noc {

/// A kind of routing function: a file in noc/routing, and a line in catalogue.cpp.
struct RoutingKind {
    std::string name;
    /// For a topology and a number of virtual channels per message class. ConfigError when the topology is not
    /// one that this kind is made for.
    std::function<std::unique_ptr<Routing>(const arch::NocSpec&, const Topology&, unsigned vcs)> build;
    /// Keys of noc that are for such a function; given beside another one they are warned about.
    std::vector<std::string_view> keys = {};
};

}  // namespace loom::noc
