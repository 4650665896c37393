// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <algorithm>
#include <array>
#include <cstdint>
#include <vector>

#include "cores/cim/counters.hpp"
#include "cores/cim/shape.hpp"
#include "base/ids.hpp"

namespace loom::cores {

/// The stages behind one row block: wordlines and cells, two banks of sample-and-hold capacitors, shared
/// converters, shift-add. Each is a resource with the cycle from which it is free; row sets pass in order.
/// Nothing here knows how long a vector takes: that follows.
class CimStages {
  public:
    CimStages(const CimShape& shape, bool sample_hold) : shape_(&shape), sample_hold_(sample_hold) {}

    struct Pass {
        Cycle begin = 0;        ///< wordlines start to rise; the rows have left the spike register
        Cycle end = 0;          ///< the last code is in the partial sums
        Cycles conducting = 0;  ///< cycles the cells conduct after the wordlines are up
    };
    /// A row set that may start at `ready`.
    Pass enter(Cycle ready, CimCounters& c) {
        const CimShape& s = *shape_;
        Pass p;
        p.begin = std::max({ready, array_free_, select_free_});
        select_free_ = p.begin + 1;
        const Cycle settled = p.begin + s.t_wl + s.t_rd;
        Cycle held = settled;  // the cells conduct until here
        if (sample_hold_) {
            Cycle& bank = bank_free_[next_bank_];
            next_bank_ ^= 1;
            const Cycle sampled = std::max(settled, bank) + s.t_sh;
            bank = convert(sampled, p, c);
            held = sampled;
        } else {
            held = convert(settled, p, c);
        }
        p.conducting = held - (p.begin + s.t_wl);
        array_free_ = held + s.t_restore;
        c.array_busy += array_free_ - p.begin;
        c.stalls += (p.begin - ready) + (held - settled - (sample_hold_ ? s.t_sh : s.mux_steps * s.t_adc));
        return p;
    }

  private:
    /// Conversion steps one after another, each followed by shift-add, which accepts a step per cycle.
    Cycle convert(Cycle sampled, Pass& p, CimCounters& c) {
        const CimShape& s = *shape_;
        Cycle t = std::max(sampled, adc_free_);
        for (std::uint64_t step = 0; step < s.mux_steps; ++step) {
            t += s.t_adc;
            const Cycle shift = std::max(t, shift_free_);
            shift_free_ = shift + 1;
            p.end = shift + s.t_sa;
        }
        adc_free_ = t;
        c.adc_busy += s.mux_steps * s.t_adc;
        c.shift_busy += s.mux_steps;
        return t;
    }

    const CimShape* shape_;
    bool sample_hold_;
    Cycle array_free_ = 0, select_free_ = 0, adc_free_ = 0, shift_free_ = 0;
    std::array<Cycle, 2> bank_free_{};
    unsigned next_bank_ = 0;
};

/// The spike register(s) in front and the tree behind all row blocks.
class CimRegister {
  public:
    explicit CimRegister(bool two) : released_(two ? 2 : 1, 0) {}
    /// Fetches a vector at `now` or when a register is free. Returns when it is there.
    Cycle fetch(Cycle now, Cycles duration) {
        const Cycle begin = std::max({now, fetch_free_, released_[next_]});
        return fetch_free_ = begin + duration;
    }
    /// The vector fetched last has left its register at `at`.
    void release(Cycle at) {
        released_[next_] = at;
        next_ = (next_ + 1) % released_.size();
    }
    /// When the next vector may come.
    Cycle free() const { return std::max(fetch_free_, released_[next_]); }

  private:
    std::vector<Cycle> released_;
    std::size_t next_ = 0;
    Cycle fetch_free_ = 0;
};

}  // namespace loom::cores
