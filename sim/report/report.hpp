// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "base/json/json.hpp"
#include <string>

#include "arch/chip_spec.hpp"
#include "arch/program.hpp"
#include "sim/report/run_account.hpp"

namespace loom::stats {

inline constexpr int kSchemaVersion = 1;

/// All figures of a run as one JSON object (docs/concepts/energy-model.md lists the keys). The same run gives the
/// same bytes: no host time, no paths.
Json make_stats(const RunAccount& account);
Json make_stats(const RunRecord& record, const arch::ChipSpec& chip,
                                  const arch::Program& program);

/// `name value # description (unit)` per number, from the JSON.
std::string stats_text(const Json& stats, const EventList& events);
/// One row per layer.
std::string layers_csv(const Json& stats);
/// Every event with count, price, source and energy; on chips with several kinds of cores, components of a
/// core bear the name of its kind.
std::string energy_yaml(const RunAccount& account);
/// The table that a person reads; at most 120 columns; a name longer than 12 has a line of its own.
std::string summary_table(const Json& stats, const std::string& chip_name);

/// 1234567 pJ -> "1.23 uJ".
std::string human_energy(double pj);
std::string human_time(double seconds);

}  // namespace loom::stats
