// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace loom::noc {

/// Somebody who asks an arbiter.
struct Asking {
    std::uint16_t who = 0;
    bool low = false;       ///< lower priority (speculative): only when nobody else asks
    std::uint32_t age = 0;  ///< cycles since the packet entered the network
};

enum class ArbiterKind : std::uint8_t { RoundRobin, Matrix, Age };
std::vector<std::string> arbiter_names();
/// Throws ConfigError, naming the known ones.
ArbiterKind find_arbiter(std::string_view name);

/// One arbiter per resource, each over the same `askers`.
class ArbiterBank {
  public:
    ArbiterBank(ArbiterKind kind, unsigned resources, unsigned askers);
    /// Index into `asking` (not empty) of the winner; changes nothing.
    std::size_t pick(unsigned resource, std::span<const Asking> asking) const;
    /// The grant stands: who won comes last from now on.
    void served(unsigned resource, unsigned who);
    void reset();

  private:
    bool beats(unsigned resource, const Asking& a, const Asking& b) const;
    ArbiterKind kind_;
    unsigned askers_;
    std::vector<std::uint16_t> pointer_;  ///< round robin: [resource]
    std::vector<std::uint32_t>
        served_;  ///< matrix (least recently served): [resource][asker], time of the last grant
    std::uint32_t clock_ = 0;
};

}  // namespace loom::noc
