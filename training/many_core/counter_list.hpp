// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <span>
#include <vector>

namespace loom::training {

/// Appends the counters of a struct with a field list, in its order.
template <class C>
void put_counters(C counters, std::vector<std::uint64_t>& list) {
    fields([&](const char*, std::uint64_t& n, bool, const char*) { list.push_back(n); }, counters);
}
/// Takes them from the front of a list again.
template <class C>
void take_counters(C& counters, std::span<const std::uint64_t>& list) {
    fields(
        [&](const char*, std::uint64_t& n, bool, const char*) {
            if (list.empty()) return;
            n = list.front();
            list = list.subspan(1);
        },
        counters);
}

}  // namespace loom::training
