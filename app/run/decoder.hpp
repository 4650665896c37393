// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <vector>

#include "app/run/run_spec.hpp"
#include "sim/chip/chip_model.hpp"
#include "sim/report/run_record.hpp"

namespace loom::app {

/// Turns the output layer's activity into a class.
class Decoder {
  public:
    Decoder(DecodeRule rule, const chip::ChipModel& model);
    void begin_sample() {
        score_.assign(score_.size(), 0.0);
        fired_ = false;
    }
    void after_step(Step chip_step);
    /// The largest score, the first of equals; stats::kUndecided for an output that fires and has not.
    std::int64_t prediction() const;

  private:
    DecodeRule rule_;
    const chip::ChipModel& model_;
    LayerId output_;
    bool fires_;
    bool fired_ = false;  ///< in this sample
    std::vector<double> score_, values_;
};

}  // namespace loom::app
