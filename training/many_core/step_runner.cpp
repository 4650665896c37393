// SPDX-License-Identifier: Apache-2.0
#include "training/many_core/step_runner.hpp"

#include <algorithm>
#include <numeric>

#include "base/checked_cast.hpp"
#include "base/counter_math.hpp"
#include "base/error.hpp"

namespace loom::training {
namespace {

constexpr std::uint64_t kValueFlits = 16;  ///< of a packet of several values

/// Cycles until the last of a core's jobs is done; the core takes them as they become ready. Clears them.
Cycles run_jobs(std::vector<CoreJob>& jobs, std::span<Cycles> spent) {
    std::ranges::stable_sort(jobs, {}, &CoreJob::ready);
    Cycles free = 0, end = 0;
    for (const CoreJob& j : jobs) {
        free = std::max(free, j.ready) + j.cycles;
        end = std::max(end, free + j.tail);
        spent[j.item] += j.cycles + j.tail;
    }
    jobs.clear();
    return end;
}

}  // namespace

StepRunner::StepRunner(TrainingView& view, Arrivals& arrivals, bool beside, std::uint64_t shuffle)
    : view_(view),
      arrivals_(arrivals),
      beside_(beside),
      wiring_(view.chip, scheduler_),
      jobs_(view.room.cores + 1),
      sends_(view.room.cores + 1),
      spent_((view.room.cores + 1) * view.work->items.size()) {
    scheduler_.shuffle(shuffle);
    wiring_.network().tell_losses(activity_);
    for (std::uint32_t e = 0; e <= view_.room.cores; ++e) add_core(e);
}

void StepRunner::add_core(std::uint32_t e) {
    const bool host = e == view_.room.cores;
    const chip::Wiring::Ends ends = wiring_.add_links(host ? 0 : view_.core().axon_in.fifo);
    const Cycles interval = host ? view_.chip.io.interval : view_.core().axon_out.entry_interval;
    auto core = std::make_unique<TrainingCore>(e, scheduler_, activity_, *this, ends.in, *ends.out, interval);
    const auto id = scheduler_.add(*core);
    core->set_component(id);
    wiring_.connect(EndpointId{e}, ends, id, *core);
    cores_.push_back(std::move(core));
}

noc::NocCounters StepRunner::network_counters() const {
    noc::NocCounters all{};
    for (const noc::NocCounters& c : wiring_.network().counters()) all = sum_of(all, c);
    return all;
}

void StepRunner::begin_round(const Round& round) {
    wiring_.network().reset();
    activity_.reset();
    arrivals_.begin_round(round);
}

std::span<Cycles> StepRunner::spent(std::size_t core) {
    const std::size_t items = view_.work->items.size();
    return std::span(spent_).subspan(core * items, items);
}

void StepRunner::add_job(std::uint32_t core, CoreJob job, std::uint32_t item) {
    job.item = item;
    jobs_[core].push_back(job);
}

void StepRunner::send(std::uint32_t from, Destination to, std::uint32_t copies, Packet packet,
                      std::uint64_t payload_bits) {
    const std::uint64_t bits = view_.core().axon_out.packet_bits + payload_bits;
    const std::uint64_t flit = view_.chip.noc.flit_bits;
    packet.destination = to;
    packet.source = EndpointId{from};
    packet.flits = checked_cast<std::uint16_t>((bits + flit - 1) / flit, "number of a packet's flits");
    sends_[from].push_back({packet, copies});
}

std::uint64_t StepRunner::values_that_fit(std::uint64_t value_bits) const {
    const std::uint64_t room = kValueFlits * view_.chip.noc.flit_bits,
                        address = view_.core().axon_out.packet_bits;
    return room > address + value_bits ? (room - address) / value_bits : 1;
}

Cycles StepRunner::arrive(std::uint32_t core, const Packet& packet) {
    const ArrivedWork work = arrivals_.take(core, packet);
    spent_[core * view_.work->items.size() + work.item] += work.cycles;
    return work.cycles;
}

void StepRunner::run() {
    std::ranges::fill(spent_, 0);
    for (std::size_t c = 0; c < cores_.size(); ++c)
        cores_[c]->begin(start_, run_jobs(jobs_[c], spent(c)), sends_[c], beside_);
    while (scheduler_.run_next()) {
    }
    if (activity_.outstanding() != 0)
        throw ModelError("training step is stuck; " + network().describe_stuck(5));
    Cycle drained = start_;
    std::size_t last = 0;
    for (std::size_t c = 0; c + 1 < cores_.size(); ++c)
        if (cores_[c]->last_done() > drained) drained = cores_[c]->last_done(), last = c;
    const Cycle next = std::max(drained + view_.chip.timestep.latency, scheduler_.now() + 1);
    const std::uint64_t cycles = next - start_;
    book(cycles, last);
    view_.record.cycles += cycles;
    start_ = next;
}

/// Shares a step's cycles over the items for which a core worked, as its work was; a core without work gives
/// them to the first matrix of its first block.
void StepRunner::book(std::uint64_t cycles, std::size_t core) {
    const std::span<const Cycles> worked = spent(core);
    const Cycles all = std::accumulate(worked.begin(), worked.end(), Cycles{0});
    if (all == 0) {
        const std::vector<std::uint32_t>& blocks = view_.placement.blocks_of_core[core];
        const std::uint32_t population = blocks.empty() ? 0 : view_.placement.blocks[blocks[0]].population;
        const std::uint32_t feed = view_.placement.populations[population].feeds[0];
        view_.of_linear(view_.feed(feed).linear).cycles += cycles;
        return;
    }
    Cycles before = 0;
    for (std::uint32_t i = 0; i < worked.size(); ++i) {
        if (worked[i] == 0) continue;
        view_.of_item(i).cycles += part_of(cycles, before, worked[i], all);
        before += worked[i];
    }
}

}  // namespace loom::training
