// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <string>
#include <vector>

namespace loom::arch {

/// Something that is counted, and its doc string.
struct EventInfo {
    std::string name;  ///< "synapse.word_reads": component, dot, what
    std::string doc;
    bool priced = true;  ///< needs a price or an explicit `unpriced` entry
};

/// Appends the events of a struct of counters, in the order of its field list.
template <class C>
void append_events(std::vector<EventInfo>& to) {
    C counters;
    fields(
        [&](const char* name, std::uint64_t&, bool priced, const char* doc) {
            to.push_back({name, doc, priced});
        },
        counters);
}

}  // namespace loom::arch
