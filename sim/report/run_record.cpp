// SPDX-License-Identifier: Apache-2.0
#include "sim/report/run_record.hpp"

#include <algorithm>
#include <cstring>

#include "base/checked_cast.hpp"
#include "base/counter_math.hpp"
#include "base/error.hpp"

namespace loom::stats {
namespace {

/// One walk for both directions, so that they cannot differ.
template <class Io>
void transfer(Io& io, RunRecord& r) {
    for (std::uint64_t* n :
         {&r.samples, &r.timesteps, &r.chip_steps, &r.labelled, &r.correct, &r.undecided, &r.input_rounded, &r.total_cycles, &r.reset_cycles,
          &r.barrier_cycles, &r.barriers, &r.host_packets, &r.input_events, &r.routers_in_use}) {
        io.number(*n);
    }
    io.list(r.cycles_per_sample, [&](std::uint64_t& v) { io.number(v); });
    io.list(r.predictions, [&](std::int64_t& v) { io.number(v); });
    io.list(r.offchip_mac, [&](std::uint64_t& v) { io.number(v); });
    const auto member = [&](auto&&, std::uint64_t& m, auto&&...) { io.number(m); };
    const auto totals = [&](cores::CoreTotals& t) {
        fields(member, t.common);
        io.list(t.own, [&](std::uint64_t& v) { io.number(v); });
    };
    io.list(r.cores, [&](CoreLayerRecord& c) {
        io.number(c.endpoint);
        io.number(c.layer);
        totals(c.counters);
    });
    io.list(r.noc, [&](noc::NocCounters& c) { fields(member, c); });
    const auto step = [&](StepRecord& s) {
        io.number(s.step);
        io.number(s.cycles);
        io.list(s.core, totals);
        fields(member, s.noc);
        io.number(s.host_packets);
        io.number(s.barriers);
    };
    io.list(r.steps, step);
    step(r.quiet);
}

struct Writer {
    std::string out;
    template <class T>
    void number(T& v) {
        out.append(reinterpret_cast<const char*>(&v), sizeof v);
    }
    template <class T, class F>
    void list(std::vector<T>& v, F f) {
        std::uint64_t n = v.size();
        number(n);
        for (T& x : v) f(x);
    }
};

struct Reader {
    const std::string& in;
    std::size_t at = 0;
    template <class T>
    void number(T& v) {
        if (in.size() - at < sizeof v) throw InternalError("a part's record is cut off");
        std::memcpy(&v, in.data() + at, sizeof v);
        at += sizeof v;
    }
    template <class T, class F>
    void list(std::vector<T>& v, F f) {
        std::uint64_t n = 0;
        number(n);
        if (n > in.size()) throw InternalError("a part's record is damaged");
        v.resize(n);
        for (T& x : v) f(x);
    }
};

}  // namespace

StepRecord& StepRecord::operator+=(const StepRecord& o) {
    cycles += o.cycles;
    if (core.size() < o.core.size()) core.resize(o.core.size());
    for (std::size_t k = 0; k < o.core.size(); ++k) core[k] += o.core[k];
    noc = sum_of(noc, o.noc);
    host_packets += o.host_packets;
    barriers += o.barriers;
    return *this;
}

void RunRecord::add(const RunRecord& o, std::size_t first, std::size_t stride) {
    samples += o.samples;
    timesteps = o.timesteps;
    chip_steps = o.chip_steps;
    labelled += o.labelled;
    correct += o.correct;
    undecided += o.undecided;
    input_rounded += o.input_rounded;
    add_checked(total_cycles, o.total_cycles, "the simulated cycles");
    reset_cycles += o.reset_cycles;
    barrier_cycles += o.barrier_cycles;
    barriers += o.barriers;
    host_packets += o.host_packets;
    input_events += o.input_events;
    routers_in_use = o.routers_in_use;
    for (std::size_t i = 0; i < o.cycles_per_sample.size(); ++i) {
        cycles_per_sample.at(first + i * stride) = o.cycles_per_sample[i];
        predictions.at(first + i * stride) = o.predictions.at(i);
    }
    offchip_mac.resize(o.offchip_mac.size());
    for (std::size_t i = 0; i < o.offchip_mac.size(); ++i) offchip_mac[i] += o.offchip_mac[i];
    if (cores.empty()) {
        cores = o.cores;
    } else {
        for (std::size_t i = 0; i < o.cores.size(); ++i) cores.at(i).counters += o.cores[i].counters;
    }
    if (noc.size() < o.noc.size()) noc.resize(o.noc.size());
    for (std::size_t i = 0; i < o.noc.size(); ++i) noc[i] = sum_of(noc[i], o.noc[i]);
    for (const StepRecord& s : o.steps) row(s.step) += s;
    quiet += o.quiet;
}

StepRecord& RunRecord::row(std::uint64_t step) {
    auto at = std::ranges::lower_bound(steps, step, {}, &StepRecord::step);
    if (at == steps.end() || at->step != step) {
        at = steps.insert(at, StepRecord{});
        at->step = step;
    }
    return *at;
}

std::string serialise(const RunRecord& record) {
    Writer w;
    transfer(w, const_cast<RunRecord&>(record));  // only read
    return std::move(w.out);
}

RunRecord deserialise(const std::string& bytes) {
    Reader r{bytes};
    RunRecord record;
    transfer(r, record);
    return record;
}

}  // namespace loom::stats
