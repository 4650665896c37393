// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "noc/allocation/arbiters.hpp"

namespace loom::noc {

/// An input that could use an output.
struct AllocationRequest {
    std::uint16_t in = 0, out = 0;
    bool low = false;
    std::uint32_t age = 0;
};
struct AllocationGrant {
    std::uint16_t in = 0, out = 0;
};

/// Matches inputs with outputs: every input and every output at most once, requested pairs only.
class Allocator {
  public:
    virtual ~Allocator() = default;
    virtual void allocate(std::span<const AllocationRequest> requests,
                          std::vector<AllocationGrant>& grants) = 0;
    virtual void reset() = 0;
};

struct AllocatorShape {
    unsigned inputs = 0, outputs = 0;
    ArbiterKind arbiter = ArbiterKind::RoundRobin;
    unsigned iterations = 1;  ///< islip
};

std::vector<std::string> allocator_names();

/// `key`: the configuration key, for the message. ConfigError for an unknown name.
std::unique_ptr<Allocator> make_allocator(std::string_view key, std::string_view name,
                                          const AllocatorShape& shape);

}  // namespace loom::noc
