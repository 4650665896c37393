// SPDX-License-Identifier: Apache-2.0
#include "training/work/training_counters.hpp"

namespace loom::training {

std::string_view event_name(TrainingEvent event) {
    TrainingCounters counters;
    std::string_view found;
    fields(
        [&](const char* name, std::uint64_t& count, bool, const char*) {
            if (&count == &(counters.*event)) found = name;
        },
        counters);
    return found;
}

}  // namespace loom::training
