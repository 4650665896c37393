// SPDX-License-Identifier: Apache-2.0
#include "base/log.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <stdexcept>

namespace loom {
namespace {

using testing::MatchesRegex;
using testing::internal::CaptureStderr;
using testing::internal::GetCapturedStderr;

std::string said_by(const std::function<void()>& f) {
    CaptureStderr();
    f();
    return GetCapturedStderr();
}

class LogTest : public testing::Test {
  protected:
    void TearDown() override {
        said_by(log::show_warnings);
        log::set_level(log::Level::Note);
    }
};

TEST_F(LogTest, NotesAreSaidAtOnceInfoOnRequest) {
    const auto all = [] {
        log::debug("a");
        log::info("b");
        log::note("c {}");
    };
    EXPECT_EQ(said_by(all), "note: c {}\n");
    log::set_level(log::Level::Info);
    EXPECT_EQ(said_by(all), "info: b\nnote: c {}\n");
    log::set_level(log::Level::Debug);
    EXPECT_EQ(said_by(all), "debug: a\ninfo: b\nnote: c {}\n");
    log::set_level(log::Level::Warning);
    EXPECT_EQ(said_by(all), "");
}

TEST_F(LogTest, WarningsWaitForTheEndAndEqualOnesAreOne) {
    EXPECT_EQ(said_by([] {
                  log::warning("3 sums saturated");
                  log::warning("other");
                  log::warning("other");
              }),
              "");
    EXPECT_EQ(said_by(log::show_warnings), "warning: 3 sums saturated\nwarning: other (2 times)\n");
    EXPECT_EQ(said_by(log::show_warnings), "");
}

TEST_F(LogTest, OffSaysNothing) {
    log::set_level(log::Level::Off);
    log::warning("w");
    EXPECT_EQ(said_by(log::show_warnings), "");
    EXPECT_FALSE(log::shows(log::Level::Warning));
}

TEST_F(LogTest, AStopwatchSaysItsTimeOnce) {
    log::set_level(log::Level::Info);
    EXPECT_THAT(said_by([] {
                    log::Stopwatch watch("reading");
                    watch.stop();
                }),
                MatchesRegex("info: reading: [0-9.e+-]+ ms\n"));
    // What failed took no time worth telling.
    EXPECT_EQ(said_by([] {
                  try {
                      const log::Stopwatch watch("reading");
                      throw std::runtime_error("no");
                  } catch (const std::runtime_error&) {
                  }
              }),
              "");
    EXPECT_EQ(log::duration_text(0.01234), "12.3 ms");
    EXPECT_EQ(log::duration_text(1.25), "1.25 s");
}

}  // namespace
}  // namespace loom
