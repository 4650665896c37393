// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "base/json/figures.hpp"

#include "sim/report/run_account.hpp"

namespace loom::stats {

/// Pieces that several sections of stats.json have.
Json energy_json(const EnergySplit& energy);
Json ops_json(const LayerOps& ops);
/// Operations that were executed, by the papers' prices, pJ.
double executed_estimate(const arch::PaperEstimateSpec& paper, const LayerOps& ops);

/// Sections of stats.json, each a list of its own: layers, cores in use, timesteps.
Json layers_json(const RunAccount& account);
Json cores_json(const RunAccount& account);
Json steps_json(const RunAccount& account);
/// What lowering and execution lose, of the whole network or of one layer (docs/concepts/fixed-point.md).
Json lost_json(const RunAccount& account);
Json lost_json(const RunAccount& account, std::uint32_t layer);
/// Cores in use, energy and leakage of each kind of cores.
Json kinds_json(const RunAccount& account);
/// Free events; on chips with several kinds those of a core bear the name of its kind.
Json free_events_json(const RunAccount& account);

}  // namespace loom::stats
