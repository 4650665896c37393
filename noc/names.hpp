// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>
#include <vector>

namespace loom::noc {

/// Names of a catalogue's entries, in its order.
template <class Catalogue>
std::vector<std::string> names_of(const Catalogue& catalogue) {
    std::vector<std::string> names;
    for (const auto& entry : catalogue) names.emplace_back(entry.name);
    return names;
}

}  // namespace loom::noc
