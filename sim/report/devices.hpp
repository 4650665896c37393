// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "base/json/json.hpp"

#include "arch/chip_spec.hpp"
#include "sim/report/energy_ledger.hpp"
#include "sim/report/run_record.hpp"

namespace loom::stats {

/// What is compared between chips that differ in their devices.
ChipFigures chip_figures(const RunRecord& record, const arch::ChipSpec& chip);
/// The same with the energy at hand.
ChipFigures chip_figures(const RunRecord& record, const arch::ChipSpec& chip, const Ledger& ledger);

/// Over this chip and the record's other ones, for each figure: mean, 95 % interval of the mean (Student's
/// t), smallest, largest, and the list.
Json devices_json(const RunRecord& record, const ChipFigures& first);

}  // namespace loom::stats
