// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace loom::app {

/// The commit that the program was built from, with "+digest" of changes that were not committed; empty where the
/// sources were in no git tree.
const char* build_commit();

}  // namespace loom::app
