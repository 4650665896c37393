// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "training/learn/network.hpp"

namespace loom::learn {

/// What weight gradients are multiplied with: the input itself, or with rules.traces the presynaptic trace
/// a[t] = leak a[t-1] + in[t] (OTTT), kept in `trace` from pass to pass of a sample.
const Signal& presynaptic(const Pass& pass, const Signal& in, float leak, Signal& trace);

/// Gives every matrix the leak of the neurons that it feeds. Throws ConfigError "train.algorithm: ..." where
/// there are none, or where their leaks differ.
void set_trace_leaks(Network& network);

}  // namespace loom::learn
