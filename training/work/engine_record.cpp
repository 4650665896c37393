// SPDX-License-Identifier: Apache-2.0
#include "training/work/engine_record.hpp"

namespace loom::training {

std::string_view block_reason_text(BlockReason reason) {
    static constexpr std::array<std::string_view, 5> texts{
        "one after the other", "schedule.batch_block", "norms take statistics of the whole minibatch",
        "fewest cycles beside arithmetic (schedule.batch_block: 0), whatever the energy",
        "so that all units have work (schedule.batch_block: 0)"};
    return texts[static_cast<std::size_t>(reason)];
}

}  // namespace loom::training
