// SPDX-License-Identifier: Apache-2.0
#include "cores/cim/cim_core.hpp"

#include <fmt/format.h>

#include "cores/near_memory/synapse_rows.hpp"
#include "sim/base/error.hpp"

namespace loom::cores {
namespace {

std::size_t group_at(const arch::CoreImage& image, const arch::AxonGroup& a) {
    for (std::size_t k = 0; k < image.neurons.size(); ++k) {
        if (image.neurons[k].first == a.neuron_first) return k;
    }
    throw ModelError("an axon group that leads to no group of neurons");
}

}  // namespace

CimCore::CimCore(const arch::ChipSpec& spec, std::shared_ptr<const arch::CoreImage> image,
                 std::uint64_t device_seed, CoreContext context, CoreSchedule schedule)
    : spec_(spec.kind(image->kind)),
      image_(std::move(image)),
      context_(context),
      schedule_(schedule),
      inputs_(static_cast<std::uint32_t>(spec_.dendrite.max_delay) + 1, image_->n_axons),
      neurons_(spec, *image_, context, schedule),
      into_(image_->neurons.size()),
      active_(image_->neurons.size()),
      sums_(image_->n_neurons) {
    CimContext c;
    c.seed = device_seed;
    c.core = static_cast<std::uint32_t>(index(image_->endpoint) * spec_.cim->arrays);
    c.period_ps = spec.clock.period;
    units_.reserve(image_->axons.size());
    for (std::uint32_t a = 0; a < image_->axons.size(); ++a) {
        const arch::AxonGroup& g = image_->axons[a];
        const auto k = static_cast<std::uint32_t>(group_at(*image_, g));
        target_.push_back(k);
        into_[k].push_back(a);
        units_.emplace_back(*spec_.cim, g, image_->neurons[k].count, c);
        c.core += static_cast<std::uint32_t>(units_.back().copies());
        keys_per_step_ += units_.back().vectors();
    }
    for (const auto& g : image_->neurons)
        steps_ = std::max<std::uint64_t>(steps_, g.start_step + std::max(schedule.active_steps, 1u));
}

Cycle CimCore::program(Cycle now) {
    for (MatrixUnit& u : units_) write_end_ = std::max(write_end_, u.program(now));
    block_until(now, write_end_);
    return write_end_;
}

void CimCore::block_until(Cycle now, Cycle end) {
    if (now >= accept_from_) blocked_from_ = now;
    accept_from_ = std::max(accept_from_, end);
}

void CimCore::collect() {
    for (std::size_t a = 0; a < units_.size(); ++a) units_[a].collect(neurons_.of_axons(a));
}

void CimCore::begin_step(Cycle now, Step step) {
    step_ = step;
    neurons_.begin(step);
    if (fresh_ && spec_.cim->reload) program(now);
    fresh_ = false;
    bool any = false;
    for (std::size_t k = 0; k < active_.size(); ++k) {
        active_[k] = neurons_.enter(k) ? 1 : 0;
        any |= active_[k] != 0;
    }
    inputs_.take(step, present_);
    if (!any) return;
    std::fill(sums_.begin(), sums_.end(), 0);
    read_arrays(now);
    make_jobs(now);
    Cycle free = now;  // the soma
    for (const Job& j : jobs_) {
        const Cycle start = std::max(free, j.ready);
        free = start + neurons_.sweep(j.group, j.from, j.to, sums_.data(), start);
    }
    neurons_.sort_spikes();
    neurons_.run_until(now, free + spec_.soma.latency, id_);
}

void CimCore::read_arrays(Cycle now) {
    const Cycle start = std::max(now, write_end_);
    std::uint64_t key = (sample_ * steps_ + step_) * keys_per_step_;
    Cycle released = now;
    std::size_t next = 0;
    for (std::size_t a = 0; a < units_.size(); ++a) {
        const arch::AxonGroup& g = image_->axons[a];
        const std::size_t first = next;
        for (; next < present_.size() && present_[next].first < g.first + g.count; ++next)
            present_[next].first -= g.first;
        if (active_[target_[a]] != 0) {
            if (start > now) units_[a].count_refusal();
            const auto mine = std::span(present_).subspan(first, next - first);
            released = std::max(released, units_[a].read(mine, start, key, &sums_[g.neuron_first]));
            CoreCounters& c = neurons_.of_axons(a);
            units_[a].collect(c);
            // sums of further matrices are added to those of the first
            if (!mine.empty() && a != into_[target_[a]].front()) c.cim.tree_adds += units_[a].shape().outputs;
        }
        key += units_[a].vectors();
    }
    if (!spec_.cim->rows.double_buffer) block_until(now, released);
}

void CimCore::make_jobs(Cycle now) {
    jobs_.clear();
    for (std::uint32_t k = 0; k < active_.size(); ++k) {
        if (active_[k] == 0) continue;
        const std::uint32_t count = image_->neurons[k].count;
        if (into_[k].size() == 1) {
            const auto ready = units_[into_[k][0]].ready();
            const auto outputs = static_cast<std::uint32_t>(count / ready.size());
            for (std::uint32_t p = 0; p < ready.size(); ++p)
                jobs_.push_back({ready[p], k, p * outputs, (p + 1) * outputs});
            continue;
        }
        Cycle ready = now;
        for (const std::uint32_t a : into_[k]) {
            for (const Cycle r : units_[a].ready()) ready = std::max(ready, r);
        }
        jobs_.push_back({ready, k, 0, count});
    }
    std::sort(jobs_.begin(), jobs_.end());
}

Cycle CimCore::evaluate(Cycle now) {
    if (taking_ && now >= taken_) {
        taking_ = false;
        context_.activity->lower(now);
    }
    if (!taking_ && now >= accept_from_ && context_.in->peek(now) != nullptr) take_packet(now);
    Cycle next = neurons_.evaluate(now);
    if (taking_) return std::min(next, taken_);
    const Cycle arrival = context_.in->next_ready();
    if (arrival != kNever) next = std::min(next, std::max({arrival, accept_from_, now + 1}));
    return next;
}

void CimCore::take_packet(Cycle now) {
    const Cycle could = std::max(context_.in->next_ready(), blocked_from_);
    const Packet p = context_.in->take(now);
    const std::size_t k = axon_group(*image_, p.axon);
    const arch::AxonGroup& g = image_->axons[k];
    CoreCounters& c = neurons_.of_axons(k);
    ++c.packets_in;
    (g.analogue ? c.array_mac : c.array_ac) += row_cost(g, p.axon - g.first, spec_).synapses;
    if (could < accept_from_) {
        ++c.axon_in_stalled;
        c.axon_in_stalls += accept_from_ - could;
    }
    const std::int64_t input = inputs_.add(p.axon, p.payload, step_ + g.delay);
    if ((input < 0 ? -input : input) >> spec_.cim->input_bits != 0) {
        throw ModelError(fmt::format("an input of {} on an array row; cim.input_bits {} hold less", input,
                                     spec_.cim->input_bits));
    }
    taking_ = true;
    taken_ = now + std::max<Cycles>(spec_.axon_in.lookup, 1);
}

Cycles CimCore::reset_state() {
    inputs_.reset();
    for (MatrixUnit& u : units_) u.reset_stages();
    fresh_ = true;
    blocked_from_ = accept_from_ = write_end_ = taken_ = 0;
    return neurons_.reset();
}

}  // namespace loom::cores
