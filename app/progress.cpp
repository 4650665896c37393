// SPDX-License-Identifier: Apache-2.0
#include "app/progress.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include "base/log.hpp"

namespace loom::app {

Progress::Progress(std::string what, std::uint64_t total, bool quiet)
    : what_(std::move(what)),
      total_(total),
      quiet_(quiet),
      terminal_(isatty(STDERR_FILENO) == 1),
      start_(Clock::now()),
      last_(start_) {}

void Progress::update(std::uint64_t done, std::uint64_t cycles) {
    if (quiet_) return;
    const auto now = Clock::now();
    const double since = std::chrono::duration<double>(now - last_).count();
    if (since < (terminal_ ? (shown_ ? 0.2 : 1.0) : 10.0)) return;
    last_ = now;
    const double seconds = std::chrono::duration<double>(now - start_).count();
    const double rate = static_cast<double>(done - before_) / seconds;
    std::string line = total_ == 0 ? fmt::format("{}: {}", what_, done)  // who knows how many there will be
                                   : fmt::format("{}: {}/{}", what_, done, total_);
    if (done != before_) {
        line += fmt::format(", {:.3g}/s", rate);
        if (total_ != 0) line += fmt::format(", {:.0f} s left", static_cast<double>(total_ - done) / rate);
    }
    if (cycles != 0) line += fmt::format(", {:.3g} M cycles/s", static_cast<double>(cycles) / seconds / 1e6);
    log::raw(fmt::format("{}{}{}", terminal_ ? "\r\033[K" : "", line, terminal_ ? "" : "\n"));
    shown_ = true;
}

void Progress::finish() {
    if (shown_ && terminal_) log::raw("\r\033[K");
}

}  // namespace loom::app
