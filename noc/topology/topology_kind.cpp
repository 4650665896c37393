// SPDX-License-Identifier: Apache-2.0
#include "noc/topology/topology_kind.hpp"

#include <fmt/format.h>

#include "base/key_error.hpp"

namespace loom::noc {

std::vector<std::uint32_t> sizes(const LinkRules& rules, const char* what, std::size_t n, const char* meaning,
                                 std::uint64_t most) {
    const auto& size = rules.spec.size;
    if (size.size() != n) {
        throw KeyError("noc.size", fmt::format("a {} needs {} number{}, {}; found {}", what, n,
                                               n == 1 ? "" : "s", meaning, size.size()));
    }
    std::vector<std::uint32_t> out;
    for (const std::uint64_t k : size) {
        if (k == 0 || k > most) throw KeyError("noc.size", fmt::format("{} is not in 1..{}", k, most));
        out.push_back(static_cast<std::uint32_t>(k));
    }
    return out;
}

}  // namespace loom::noc
