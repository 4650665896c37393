// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <string>
#include <vector>

namespace loom::traces {

struct AerEvent {
    std::uint64_t sample = 0, step = 0, address = 0;
    double value = 1;
};

/// Address events as CSV with a header line naming the columns: step,address and optionally sample,
/// value. '#' begins a comment. Throws IoError, InputError "file:line:column: problem".
std::vector<AerEvent> read_aer(const std::string& path);

}  // namespace loom::traces
