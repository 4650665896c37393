// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <gmock/gmock.h>

#include "base/json/json.hpp"

#include <fstream>

#include "base/error.hpp"
#include "tests/support/core_kinds.hpp"
#include "tests/support/golden_network.hpp"
#include "tests/unit/training/cim_chips.hpp"
#include "training/learn/work_recorder.hpp"
#include "training/many_core/cim_arithmetic.hpp"
#include "training/many_core/make_many_core.hpp"

namespace loom::training {

using arch::ZeroRule;
inline constexpr ZeroRule S = ZeroRule::Skip, D = ZeroRule::Dense, G = ZeroRule::Gate;

inline Json golden_counts(const std::string& name) {
    std::ifstream file(learn::GoldenNetwork::folder() + "summary.json");
    return Json::parse(file)[name]["op_counts"];
}

inline std::uint32_t item_of(const EngineRecord& record, const std::string& layer) {
    for (std::uint32_t i = 0; i < record.layers.size(); ++i)
        if (record.layers[i].name == layer) return i;
    ADD_FAILURE() << "no layer " << layer;
    return 0;
}
inline std::uint64_t events(const EngineRecord& record, const std::string& layer, Phase phase,
                            TrainingEvent event) {
    return record.layers[item_of(record, layer)].phases[static_cast<std::size_t>(phase)].counts[event];
}
inline const cores::CimCounters& arrays(const ManyCoreEngine& e, const std::string& layer, Phase phase) {
    return *e.arithmetic().array_counters(item_of(e.record(), layer), phase);
}

}  // namespace loom::training
