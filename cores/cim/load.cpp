// SPDX-License-Identifier: Apache-2.0
#include "cores/cim/load.hpp"

#include "cores/cim/cim_core.hpp"
#include "base/counter_math.hpp"

namespace loom::cores {

ArrayLoad load_arrays(const arch::ChipSpec& spec, const arch::Program& program, std::uint32_t kind) {
    ArrayLoad load;
    for (const arch::CoreImage& image : program.cores) {
        if (image.kind != kind || !spec.kind(kind).in_memory()) continue;
        Link<Packet> in(1, 1), out(1, 1);
        Activity activity;
        CoreContext context;
        context.activity = &activity;
        context.in = &in;
        context.out = &out;
        CimCore core(spec, std::shared_ptr<const arch::CoreImage>(std::shared_ptr<void>(), &image),
                     program.device_seed, context, {});
        load.cycles = std::max(load.cycles, core.program(0));
        core.collect();
        for (const CoreCounters& c : core.counters()) load.events = sum_of(load.events, c);
    }
    return load;
}

}  // namespace loom::cores
