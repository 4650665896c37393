// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace loom::app {

/// What a program knows beyond the kinds that are built in: one catalogue object a member. A user's main()
/// adds to them before run_program(), which adds the built-in kinds; a name that is there twice is an error.
struct Extensions {};

}  // namespace loom::app
