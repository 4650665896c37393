// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <string>
#include <vector>

namespace loom::noc {

struct TracePacket {
    std::uint64_t cycle = 0;
    std::uint32_t source = 0;
    std::vector<std::uint32_t> destinations;
    std::uint16_t flits = 1;
    std::uint8_t message_class = 0;
};

/// CSV with a header: cycle,source,destination[,flits][,class]; several destinations as 3;4;5. Sorted by
/// cycle on return. InputError "file:line: problem"; IoError.
std::vector<TracePacket> read_trace(const std::string& path, std::uint32_t n_endpoints,
                                    std::uint64_t n_classes);

}  // namespace loom::noc
