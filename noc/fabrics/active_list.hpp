// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <algorithm>
#include <cstdint>
#include <vector>

namespace loom::noc {

/// Routers or endpoints, by number, at which something can happen: each is listed once.
class ActiveList {
  public:
    explicit ActiveList(std::size_t all) : listed_(all, 0) {}

    void add(std::uint32_t i) {
        if (listed_[i] != 0) return;
        listed_[i] = 1;
        list_.push_back(i);
    }
    bool empty() const { return list_.empty(); }
    std::size_t size() const { return list_.size(); }
    std::uint32_t operator[](std::size_t i) const { return list_[i]; }
    void sort() { std::sort(list_.begin(), list_.end()); }

    /// stays(i) for all that are listed, also for those that it adds; those for which it is false are not
    /// listed any more.
    template <class F>
    void keep_if(F stays) {
        std::size_t kept = 0;
        for (std::size_t k = 0; k < list_.size(); ++k) {
            const std::uint32_t i = list_[k];
            if (stays(i)) {
                list_[kept++] = i;
            } else {
                listed_[i] = 0;
            }
        }
        list_.resize(kept);
    }
    /// f(i) for all that were listed; f may list them again.
    template <class F>
    void take_each(F f) {
        taken_.clear();
        taken_.swap(list_);
        for (const std::uint32_t i : taken_) {
            listed_[i] = 0;
            f(i);
        }
    }

  private:
    std::vector<std::uint32_t> list_, taken_;
    std::vector<std::uint8_t> listed_;
};

}  // namespace loom::noc
