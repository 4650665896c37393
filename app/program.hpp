// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "app/extensions.hpp"

namespace loom::app {

/// The whole `spikeloom` program: adds the built-in kinds to `extensions`, starts SystemC, reads the command
/// line, runs a verb, and reports errors in one line. Returns the exit code (docs/reference/command-line.md). To be called once
/// in a process, from main():
///
///     int main(int argc, char** argv) {
///         loom::app::Extensions extensions;
///         // extensions.<catalogue>.add(...) for each kind of your own
///         return loom::app::run_program(argc, argv, extensions);
///     }
int run_program(int argc, char** argv, Extensions& extensions);

}  // namespace loom::app
