// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <chrono>
#include <cstdint>
#include <string>

namespace loom::app {

/// Progress of long work on stderr: a line that rewrites itself on a terminal, plain lines every ten
/// seconds elsewhere. Says nothing when the work is done within a second.
class Progress {
  public:
    Progress(std::string what, std::uint64_t total, bool quiet);
    /// done so far; `cycles`: simulated cycles so far (0: not shown).
    void update(std::uint64_t done, std::uint64_t cycles);
    /// Work that was done before: the rate does not count it.
    void start_from(std::uint64_t done) { before_ = done; }
    void finish();

  private:
    using Clock = std::chrono::steady_clock;
    std::string what_;
    std::uint64_t total_, before_ = 0;
    bool quiet_, terminal_;
    bool shown_ = false;
    Clock::time_point start_, last_;
};

}  // namespace loom::app
