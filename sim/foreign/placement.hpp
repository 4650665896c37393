// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <optional>
#include <string>
#include <vector>

namespace loom::foreign {

/// Which parts of a chip are modules of the user's, by the names that they are registered by.
struct Placement {
    std::vector<std::optional<std::string>> cores;  ///< [kinds of cores]
    std::optional<std::string> network;

    bool empty() const {
        for (const auto& core : cores) {
            if (core) return false;
        }
        return !network;
    }
};

}  // namespace loom::foreign
