// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <gtest/gtest.h>

/// Skips a test in which an exception leaves a thread of SystemC. Those threads have stacks of their own, which
/// AddressSanitizer does not know: it then reports reads and writes beyond the main stack that are not there (its
/// handler of functions that do not return is the reporter).
#ifdef __SANITIZE_ADDRESS__
#define LOOM_FAULT_IN_A_THREAD() GTEST_SKIP() << "AddressSanitizer does not know the stacks of SystemC's threads"
#else
#define LOOM_FAULT_IN_A_THREAD() static_cast<void>(0)
#endif
