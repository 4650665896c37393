// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

#include "base/ids.hpp"

namespace loom::cores {

/// (axon of the core, its input), axons ascending, inputs not zero.
using CimInputs = std::vector<std::pair<std::uint32_t, std::int64_t>>;

/// Spike registers of the timesteps to come: what each axon has received, 1 per plain spike. Cost follows the
/// number of spikes.
class InputRegister {
  public:
    InputRegister(std::uint32_t depth, std::uint32_t axons)
        : axons_(axons), inputs_(std::size_t{depth} * axons, 0), touched_(depth) {}

    /// Returns the axon's input so far in that timestep.
    std::int64_t add(std::uint32_t axon, std::int64_t payload, Step step) {
        const std::size_t slot = step % touched_.size();
        std::int64_t& input = inputs_[slot * axons_ + axon];
        if (input == 0) touched_[slot].push_back(axon);
        return input += payload;
    }
    /// What arrived for a timestep; its register is empty afterwards.
    void take(Step step, CimInputs& out) {
        const std::size_t slot = step % touched_.size();
        std::vector<std::uint32_t>& list = touched_[slot];
        std::sort(list.begin(), list.end());
        out.clear();
        for (const std::uint32_t axon : list) {
            std::int64_t& input = inputs_[slot * axons_ + axon];
            if (input != 0) out.emplace_back(axon, input);
            input = 0;
        }
        list.clear();
    }
    void reset() {
        CimInputs unused;
        for (Step s = 0; s < touched_.size(); ++s) take(s, unused);
    }

  private:
    std::size_t axons_;
    std::vector<std::int64_t> inputs_;  ///< [timesteps][axons]
    std::vector<std::vector<std::uint32_t>> touched_;
};

}  // namespace loom::cores
