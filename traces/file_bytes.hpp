// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <string>
#include <vector>

namespace loom::traces {

/// A whole file. Throws IoError "path: cannot be read: reason".
std::vector<std::uint8_t> file_bytes(const std::string& path);

}  // namespace loom::traces
