// SPDX-License-Identifier: Apache-2.0
#include "base/log.hpp"

#include <fmt/format.h>
#include <spdlog/logger.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/stdout_color_sinks.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <exception>
#include <memory>
#include <utility>
#include <vector>

namespace loom::log {
namespace {

constexpr std::array<spdlog::level::level_enum, 5> kLevels{
    spdlog::level::debug, spdlog::level::info, spdlog::level::warn, spdlog::level::err, spdlog::level::off};
constexpr std::array<std::string_view, 5> kWords{"debug", "info", "note", "warning", ""};

spdlog::level::level_enum of(Level level) {
    return kLevels[static_cast<std::size_t>(level)];
}

/// Writes a level with our word for it.
class LevelWord final : public spdlog::custom_flag_formatter {
  public:
    void format(const spdlog::details::log_msg& message, const std::tm&, spdlog::memory_buf_t& out) override {
        const auto at = std::find(kLevels.begin(), kLevels.end(), message.level) - kLevels.begin();
        const std::string_view word = kWords[static_cast<std::size_t>(at)];
        out.append(word.data(), word.data() + word.size());
    }
    std::unique_ptr<custom_flag_formatter> clone() const override { return std::make_unique<LevelWord>(); }
};

/// The logger and what waits for the end of the command.
struct Log {
    Log() : out("spikeloom", std::make_shared<spdlog::sinks::stderr_color_sink_st>()) {
        auto words = std::make_unique<spdlog::pattern_formatter>();
        words->add_flag<LevelWord>('w').set_pattern("%^%w%$: %v");
        out.set_formatter(std::move(words));
        out.flush_on(spdlog::level::debug);
        out.set_level(of(Level::Note));
    }
    spdlog::logger out;
    Level level = Level::Note;
    std::vector<std::pair<std::string, std::size_t>> warnings;  ///< text, how often
};

Log& the_log() {
    static Log log;
    return log;
}

void say(Level level, std::string_view text) {
    the_log().out.log(of(level), spdlog::string_view_t(text.data(), text.size()));
}

}  // namespace

void raw(const std::string& text) {
    std::fputs(text.c_str(), stderr);
    std::fflush(stderr);
}

void set_level(Level level) {
    the_log().level = level;
    the_log().out.set_level(of(level));
}

Level level() {
    return the_log().level;
}

bool shows(Level level) {
    return the_log().out.should_log(of(level));
}

void debug(std::string_view text) {
    say(Level::Debug, text);
}

void info(std::string_view text) {
    say(Level::Info, text);
}

void note(std::string_view text) {
    say(Level::Note, text);
}

void warning(std::string text) {
    auto& warnings = the_log().warnings;
    const auto known =
        std::find_if(warnings.begin(), warnings.end(), [&](const auto& w) { return w.first == text; });
    if (known != warnings.end())
        ++known->second;
    else
        warnings.emplace_back(std::move(text), 1);
}

std::vector<std::string> warnings() {
    std::vector<std::string> all;
    for (const auto& [text, times] : the_log().warnings)
        all.push_back(times == 1 ? text : fmt::format("{} ({} times)", text, times));
    return all;
}

void show_warnings() {
    for (const std::string& text : warnings()) say(Level::Warning, text);
    the_log().warnings.clear();
}

void Stopwatch::stop() {
    if (!what_.empty() && shows(Level::Info)) info(what_ + ": " + duration_text(seconds()));
    what_.clear();
}

Stopwatch::~Stopwatch() {
    if (std::uncaught_exceptions() == 0) stop();
}

double Stopwatch::seconds() const {
    return std::chrono::duration<double>(Clock::now() - start_).count();
}

std::string duration_text(double seconds) {
    return seconds < 1 ? fmt::format("{:.3g} ms", seconds * 1e3) : fmt::format("{:.3g} s", seconds);
}

}  // namespace loom::log
