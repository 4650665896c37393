// SPDX-License-Identifier: Apache-2.0
#include "cores/cim/cim_core.hpp"

#include <fmt/format.h>

#include "base/error.hpp"
#include "cores/cim/psum_width.hpp"
#include "cores/near_memory/synapse_rows.hpp"

namespace loom::cores {
namespace {

/// Neuron groups, then groups of partial sums.
std::size_t group_at(const arch::CoreImage& image, const arch::AxonGroup& a) {
    for (std::size_t k = 0; k < image.neurons.size(); ++k) {
        if (image.neurons[k].first == a.neuron_first) return k;
    }
    for (std::size_t k = 0; k < image.psums_out.size(); ++k) {
        if (image.psums_out[k].first == a.neuron_first) return image.neurons.size() + k;
    }
    throw ModelError("an axon group that leads to no group of neurons");
}

}  // namespace

CimCore::CimCore(const arch::ChipSpec& spec, std::shared_ptr<const arch::CoreImage> image,
                 std::uint64_t device_seed, CoreContext context, CoreSchedule schedule)
    : spec_(spec.kind(image->kind)),
      cim_(spec_.section<arch::CimCoreSpec>()),
      image_(std::move(image)),
      context_(context),
      schedule_(schedule),
      inputs_(static_cast<std::uint32_t>(spec_.dendrite.max_delay) + 1, image_->n_axons),
      neurons_(spec, *image_, context, schedule),
      own_(neurons_.layers().size()),
      into_(image_->neurons.size() + image_->psums_out.size()),
      active_(into_.size()),
      sums_(image_->n_sums()),
      held_(into_.size()) {
    if (!image_->psums_in.empty() || !image_->psums_out.empty()) format_.emplace(spec, image_->kind);
    if (!image_->psums_in.empty()) psums_.emplace(*format_, *image_);
    CimContext c;
    c.seed = device_seed;
    c.core = static_cast<std::uint32_t>(index(image_->endpoint) * cim_.arrays);
    c.period_ps = spec.clock.period;
    const auto depth = static_cast<std::uint32_t>(spec_.dendrite.max_delay) + 1;
    event_row_ = cim_.array.event_row();
    if (event_row_) early_.resize(depth);
    units_.reserve(image_->axons.size());
    for (std::uint32_t a = 0; a < image_->axons.size(); ++a) {
        const arch::AxonGroup& g = image_->axons[a];
        const auto k = static_cast<std::uint32_t>(group_at(*image_, g));
        target_.push_back(k);
        into_[k].push_back(a);
        units_.emplace_back(cim_, g, image_->targets_of(g), c, depth);
        c.core += static_cast<std::uint32_t>(units_.back().copies());
        keys_per_step_ += units_.back().vectors();
    }
    const auto runs_from = [&](std::uint32_t start) {
        steps_ = std::max<std::uint64_t>(steps_, start + std::max(schedule.active_steps, 1u));
    };
    for (const auto& g : image_->neurons) runs_from(g.start_step);
    for (const auto& g : image_->psums_out) runs_from(g.start_step);
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
    for (std::size_t a = 0; a < units_.size(); ++a) units_[a].collect(own_of_axons(a).arrays);
}

void CimCore::begin_step(Cycle now, Step step) {
    step_ = step;
    neurons_.begin(step);
    if (fresh_ && cim_.reload) program(now);
    fresh_ = false;
    bool any = false;
    const std::size_t n = image_->neurons.size();
    for (std::size_t k = 0; k < active_.size(); ++k) {
        const bool active = k < n ? neurons_.enter(k) : neurons_.active(image_->psums_out[k - n].start_step);
        active_[k] = active ? 1 : 0;
        any |= active;
    }
    std::fill(sums_.begin(), sums_.end(), 0);
    if (event_row_) {
        sweep_membranes(now);
    } else {
        inputs_.take(step, present_);
        if (any) read_arrays(now);
    }
    if (!any) return;
    make_jobs(now);
    soma_free_ = work_end_ = now;
    running_ = true;
    neurons_.run_until(now, kNever, id_);
    // without sums from elsewhere all is known now
    run_jobs(psums_ ? now : kNever);
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
            CimCounters& c = own_of_axons(a).arrays;
            units_[a].collect(c);
            // sums of further matrices are added to those of the first
            if (!mine.empty() && a != into_[target_[a]].front()) c.tree_adds += units_[a].shape().outputs;
        }
        key += units_[a].vectors();
    }
    if (!cim_.rows.double_buffer) block_until(now, released);
}

Cycle CimCore::sums_ready(std::uint32_t group, std::uint32_t from, std::uint32_t to, Cycle now) const {
    Cycle ready = now;
    for (const std::uint32_t a : into_[group]) {
        const auto of_position = units_[a].ready();
        const auto outputs = image_->targets_of(image_->axons[a]) / of_position.size();
        // with several matrices: when all are
        const bool one = into_[group].size() == 1;
        const std::size_t first = one ? from / outputs : 0,
                          last = one ? (to - 1) / outputs + 1 : of_position.size();
        for (std::size_t p = first; p < last; ++p) ready = std::max(ready, of_position[p]);
    }
    return ready;
}

void CimCore::make_jobs(Cycle now) {
    jobs_.clear();
    next_job_ = 0;
    waiting_ = 0;
    const auto n = static_cast<std::uint32_t>(image_->neurons.size());
    for (std::uint32_t k = 0; k < active_.size(); ++k) {
        if (active_[k] == 0) continue;
        const std::uint32_t count = k < n ? image_->neurons[k].count : image_->psums_out[k - n].count;
        if (k < n && psums_ && psums_->expects(k)) {
            psums_->begin(k);
            ++waiting_;
            held_[k] = sums_ready(k, 0, count, now);
            continue;
        }
        std::uint32_t piece = count;  // that is complete together, or sent together
        if (k >= n) {
            piece = static_cast<std::uint32_t>(format_->per_packet());
        } else if (into_[k].size() == 1) {
            piece = static_cast<std::uint32_t>(count / units_[into_[k][0]].ready().size());
        }
        for (std::uint32_t from = 0; from < count; from += piece) {
            const std::uint32_t to = std::min(from + piece, count);
            jobs_.push_back({sums_ready(k, from, to, now), k, from, to});
        }
    }
    std::sort(jobs_.begin(), jobs_.end());
}

Cycle CimCore::run_jobs(Cycle until) {
    for (; next_job_ < jobs_.size(); ++next_job_) {
        const Job& j = jobs_[next_job_];
        const Cycles late = neurons_.shift();
        const Cycle start = std::max(soma_free_ + late, j.ready);
        if (start > until) return start;
        if (j.group >= image_->neurons.size()) {
            send_sums(j, start - late);
            work_end_ = std::max(work_end_, start - late);
        } else {
            soma_free_ = start - late + neurons_.sweep(j.group, j.from, j.to, sums_.data(), start - late);
            work_end_ = std::max(work_end_, soma_free_ + spec_.soma.latency);
        }
    }
    if (waiting_ == 0) {
        running_ = false;
        neurons_.sort_spikes();
        neurons_.end_at(work_end_);
    }
    return kNever;
}

void CimCore::send_sums(const Job& job, Cycle start) {
    const std::size_t k = job.group - image_->neurons.size();
    const arch::PsumGroup& g = image_->psums_out[k];
    CimCounters& c = own_[neurons_.layer_of_psums(k)].arrays;
    const PsumWidth width(cim_.psum);
    std::int64_t payload = 0;
    for (std::uint32_t i = job.from; i < job.to; ++i) {
        payload = format_->put(payload, i - job.from, width.kept(sums_[g.first + i], c.psum_overflows));
    }
    const std::uint64_t flits = format_->flits(job.to - job.from);
    ++c.psum_packets;
    c.psum_flits += flits;
    const auto row = static_cast<std::uint32_t>(g.row + job.from / format_->per_packet());
    neurons_.send_psums(k, start, row, payload, flits);
}

Cycle CimCore::evaluate(Cycle now) {
    if (taking_ && now >= taken_) {
        taking_ = false;
        context_.activity->lower(now);
    }
    if (adding_ && now >= added_) {
        adding_ = false;
        collect();
        context_.activity->lower(now);
    }
    const Packet* head = taking_ ? nullptr : context_.in->peek(now);
    if (head != nullptr && (now >= accept_from_ || is_psum(*head))) take_packet(now);
    Cycle next = running_ ? run_jobs(now) : kNever;
    if (adding_) next = std::min(next, added_);
    next = std::min(next, neurons_.evaluate(now));
    if (taking_) return std::min(next, taken_);
    const Cycle arrival = context_.in->next_ready();
    if (arrival == kNever) return next;
    // a spike that is there waits for the register
    return std::min(next, std::max(head == nullptr ? arrival : accept_from_, now + 1));
}

void CimCore::take_packet(Cycle now) {
    taking_ = true;
    taken_ = now + std::max<Cycles>(spec_.axon_in.lookup, 1);
    const Cycle could = std::max(context_.in->next_ready(), blocked_from_);
    const Packet p = context_.in->take(now);
    if (is_psum(p)) {
        take_psums(p);
    } else {
        take_spike(p, could);
    }
}

void CimCore::take_psums(const Packet& p) {
    if (!psums_) throw ModelError("a packet for an axon that the core does not have");
    const PsumInputs::Packet in = psums_->take(p.axon);
    for (std::uint32_t i = 0; i < in.count; ++i) sums_[in.neuron + i] += format_->get(p.payload, i);
    ++neurons_.of_neurons(in.group).packets_in;
    CimCounters& c = own_[neurons_.layer_of_neurons(in.group)].arrays;
    c.psum_adds += in.count;
    c.tree_adds += in.count;
    if (!psums_->complete(in.group)) return;
    --waiting_;
    const Job job{std::max(held_[in.group], taken_), in.group, 0, image_->neurons[in.group].count};
    const auto started = jobs_.begin() + static_cast<std::ptrdiff_t>(next_job_);
    jobs_.insert(std::upper_bound(started, jobs_.end(), job), job);
}

void CimCore::take_spike(const Packet& p, Cycle could) {
    const std::size_t k = axon_group(*image_, p.axon);
    const arch::AxonGroup& g = image_->axons[k];
    CoreCounters& c = neurons_.of_axons(k);
    ++c.packets_in;
    CimCoreCounters& own = own_of_axons(k);
    (multiplies(g, p) ? own.mac : own.ac) += row_cost(g, p.axon - g.first, spec_).synapses;
    if (could < accept_from_) {
        ++c.axon_in_stalled;
        c.axon_in_stalls += accept_from_ - could;
    }
    const std::int64_t input = event_row_ ? p.payload : inputs_.add(p.axon, p.payload, step_ + g.delay);
    if ((input < 0 ? -input : input) >> cim_.input_bits != 0) {
        throw ModelError(fmt::format("an input of {} on an array row; cim.input_bits {} hold less", input,
                                     cim_.input_bits));
    }
    if (event_row_) take_event(k, p.axon - g.first, p.payload);
}

Cycles CimCore::reset_state() {
    inputs_.reset();
    for (MatrixUnit& u : units_) u.reset_stages();
    jobs_.clear();
    for (auto& e : early_) e.clear();
    next_job_ = waiting_ = 0;
    running_ = adding_ = false;
    fresh_ = true;
    blocked_from_ = accept_from_ = write_end_ = taken_ = added_ = 0;
    return neurons_.reset();
}

}  // namespace loom::cores
