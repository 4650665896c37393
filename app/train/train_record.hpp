// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "base/json/json.hpp"

#include "training/work/engine_record.hpp"

namespace loom::app {

/// Adds the counters of b.
void add(training::PhaseRecord& a, const training::PhaseRecord& b);

/// Exact, for checkpoints.
Json record_to_json(const training::EngineRecord& record);
training::EngineRecord record_from_json(const Json& j);

}  // namespace loom::app
