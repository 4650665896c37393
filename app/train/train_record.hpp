// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <nlohmann/json.hpp>

#include "training/work/engine_record.hpp"

namespace loom::app {

/// Adds the counters of b.
void add(training::PhaseRecord& a, const training::PhaseRecord& b);

/// Exact, for checkpoints.
nlohmann::ordered_json record_to_json(const training::EngineRecord& record);
training::EngineRecord record_from_json(const nlohmann::ordered_json& j);

}  // namespace loom::app
