// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace loom::app {

/// The `spikeloom` program: parses, runs a command, reports errors in one line; returns the exit code
/// (docs/reference/command-line.md).
int run_command_line(int argc, char** argv);

}  // namespace loom::app
