// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <chrono>
#include <string>
#include <string_view>
#include <vector>

/// What the program says of itself while it works: to stderr, never with the results. One thread of the
/// command uses it.
namespace loom::log {

/// How much is said: a level and everything more important. Its names are those of `--log-level`.
enum class Level {
    Debug,    ///< what a reader of the source asks for
    Info,     ///< what was done and how long it took
    Note,     ///< what a user may not have expected
    Warning,  ///< what may make a result worthless
    Off,      ///< nothing
};

/// To stderr as it is; what cannot be written there is lost.
void raw(const std::string& text);

/// Starts at Note.
void set_level(Level level);
Level level();
bool shows(Level level);

/// Written at once, as "info: text".
void debug(std::string_view text);
void info(std::string_view text);
void note(std::string_view text);

/// Kept until show_warnings(), where equal ones are one.
void warning(std::string text);
/// Those that wait, as they will be shown.
std::vector<std::string> warnings();
/// Writes the warnings since the last call, in their order: a command calls it at its end.
void show_warnings();

/// Says how long something took, when it is over: "info: reading: 12.3 ms".
class Stopwatch {
  public:
    explicit Stopwatch(std::string what) : what_(std::move(what)), start_(Clock::now()) {}
    /// Ends the time and says it; for times that end before their block does.
    void stop();
    ~Stopwatch();
    Stopwatch(const Stopwatch&) = delete;
    Stopwatch& operator=(const Stopwatch&) = delete;

    double seconds() const;

  private:
    using Clock = std::chrono::steady_clock;
    std::string what_;
    Clock::time_point start_;
};

/// The text of a duration: "12.3 ms", "1.25 s".
std::string duration_text(double seconds);

}  // namespace loom::log
