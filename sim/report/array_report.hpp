// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "base/json/json.hpp"

#include "arch/chip_spec.hpp"
#include "arch/program.hpp"
#include "sim/report/energy_prices.hpp"
#include "sim/report/run_record.hpp"

namespace loom::stats {

/// Arrays of a layer or core: in use, copies, share of their cells in use. layer, endpoint: all when ~0. Null
/// when there are none.
Json arrays_json(const arch::ChipSpec& chip, const arch::Program& program,
                                   std::uint32_t layer, std::uint32_t endpoint);
/// Time and energy of programming the arrays with the network.
Json load_json(const RunRecord& record, const ChipPrices& prices,
                                 const arch::ChipSpec& chip);

}  // namespace loom::stats
