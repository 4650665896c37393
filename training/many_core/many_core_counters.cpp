// SPDX-License-Identifier: Apache-2.0
#include "training/many_core/many_core_counters.hpp"

#include "base/error.hpp"

namespace loom::training {
namespace {

template <class C>
void put(C counters, std::vector<std::uint64_t>& list) {
    fields([&](const char*, std::uint64_t& n, bool, const char*) { list.push_back(n); }, counters);
}

/// Takes numbers from the front of a list.
class Reader {
  public:
    explicit Reader(std::span<const std::uint64_t> list) : list_(list) {}
    std::uint64_t number() {
        if (list_.empty()) fail();
        const std::uint64_t n = list_.front();
        list_ = list_.subspan(1);
        return n;
    }
    template <class C>
    void counters(C& c) {
        fields([&](const char*, std::uint64_t& n, bool, const char*) { n = number(); }, c);
    }
    bool at_end() const { return list_.empty(); }
    std::size_t left() const { return list_.size(); }
    [[noreturn]] static void fail() {
        throw InputError("checkpoint: the counters of network and arrays are not those of this chip");
    }

  private:
    std::span<const std::uint64_t> list_;
};

}  // namespace

std::vector<std::uint64_t> to_list(const ManyCoreCounters& counters) {
    std::vector<std::uint64_t> list;
    for (const noc::NocCounters& c : counters.network) put(c, list);
    if (!counters.arrays) return list;
    for (const auto& phases : counters.arrays->items)
        for (const cores::CimCounters& c : phases) put(c, list);
    const std::vector<std::uint64_t>& pulses = counters.arrays->most_pulses;
    list.push_back(pulses.size());
    list.insert(list.end(), pulses.begin(), pulses.end());
    return list;
}

ManyCoreCounters from_list(std::span<const std::uint64_t> list, std::size_t items) {
    Reader from(list);
    ManyCoreCounters counters;
    for (noc::NocCounters& c : counters.network) from.counters(c);
    if (from.at_end()) return counters;
    ArrayCounters& arrays = counters.arrays.emplace();
    arrays.items.resize(items);
    for (auto& phases : arrays.items)
        for (cores::CimCounters& c : phases) from.counters(c);
    const std::uint64_t matrices = from.number();
    if (matrices != from.left()) Reader::fail();
    for (std::uint64_t i = 0; i < matrices; ++i) arrays.most_pulses.push_back(from.number());
    return counters;
}

}  // namespace loom::training
