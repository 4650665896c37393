// SPDX-License-Identifier: Apache-2.0
#include "training/accelerator/tiles.hpp"

namespace loom::training {

void make_tiles(const Setup& setup, const arch::TrainingArraySpec& array, const Segment& s,
                std::vector<Task>& tasks) {
    tasks.clear();
    switch (s.kind) {
        case Kind::LinearForward:
            forward_tiles(setup, array, s, tasks);
            break;
        case Kind::ErrorBackward:
            error_tiles(setup, array, s, tasks);
            break;
        case Kind::Gradient:
            gradient_tiles(setup, array, s, tasks);
            break;
        default:
            vector_tiles(setup, array, s, tasks);
    }
    if (tasks.empty()) tasks.emplace_back();  // tokens and transfers still pass
    for (std::size_t i = 0; i < tasks.size(); ++i) {
        Task& t = tasks[i];
        t.item = s.item;
        t.phase = s.phase;
        t.load = share(s.load, i, tasks.size());
        t.store = share(s.store, i, tasks.size());
        t.count(&TrainingCounters::dram_read, t.load);
        t.count(&TrainingCounters::dram_write, t.store);
    }
    tasks.front().barrier = true;
    tasks.front().load_after = s.load_after;
    tasks.front().waits = s.waits;
    tasks.back().gives = s.gives;
    tasks.back().last = true;
}

}  // namespace loom::training
