// SPDX-License-Identifier: Apache-2.0
#include "training/accelerator/record.hpp"

namespace loom::training {

std::string_view block_reason_text(BlockReason reason) {
    static constexpr std::array<std::string_view, 5> texts{
        "one after the other", "schedule.batch_block", "norms take statistics of the whole minibatch",
        "fewest cycles beside arithmetic (schedule.batch_block: 0), whatever the energy",
        "so that all units have work (schedule.batch_block: 0)"};
    return texts[static_cast<std::size_t>(reason)];
}

std::string_view event_name(Event e) {
    static constexpr std::array<std::string_view, kEvents> names{"ac",
                                                                 "mac",
                                                                 "multiply",
                                                                 "add",
                                                                 "compare",
                                                                 "shift",
                                                                 "mux",
                                                                 "square_root",
                                                                 "divide",
                                                                 "lut_read",
                                                                 "lut_write",
                                                                 "gated",
                                                                 "pad_read",
                                                                 "pad_write",
                                                                 "weight_read",
                                                                 "weight_write",
                                                                 "spike_read",
                                                                 "spike_write",
                                                                 "membrane_read",
                                                                 "membrane_write",
                                                                 "error_read",
                                                                 "error_write",
                                                                 "mask_read",
                                                                 "mask_write",
                                                                 "gradient_read",
                                                                 "gradient_write",
                                                                 "state_read",
                                                                 "state_write",
                                                                 "dram_read",
                                                                 "dram_write",
                                                                 "flits",
                                                                 "pulses",
                                                                 "array_ac",
                                                                 "array_mac"};
    return names[static_cast<std::size_t>(e)];
}

}  // namespace loom::training
