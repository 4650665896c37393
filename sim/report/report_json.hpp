// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <nlohmann/json.hpp>

#include "sim/report/run_account.hpp"

namespace loom::stats {

/// Pieces that several sections of stats.json have.
nlohmann::ordered_json ratio_json(double a, double b);
nlohmann::ordered_json energy_json(const EnergySplit& energy);
nlohmann::ordered_json ops_json(const LayerOps& ops);
/// Operations that were executed, by the papers' prices, pJ.
double executed_estimate(const arch::PaperEstimateSpec& paper, const LayerOps& ops);

/// Sections of stats.json, each a list of its own: layers, cores in use, timesteps.
nlohmann::ordered_json layers_json(const RunAccount& account);
nlohmann::ordered_json cores_json(const RunAccount& account);
nlohmann::ordered_json steps_json(const RunAccount& account);
/// Cores in use, energy and leakage of each kind of cores.
nlohmann::ordered_json kinds_json(const RunAccount& account);
/// Free events; on chips with several kinds those of a core bear the name of its kind.
nlohmann::ordered_json free_events_json(const RunAccount& account);

}  // namespace loom::stats
