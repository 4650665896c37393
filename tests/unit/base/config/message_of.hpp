// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>

#include "base/error.hpp"

namespace loom::config {

/// The message of the ConfigError that f throws; "no error" when it throws none.
template <class F>
std::string message_of(F&& f) {
    try {
        f();
    } catch (const ConfigError& e) {
        return e.what();
    }
    return "no error";
}

}  // namespace loom::config
