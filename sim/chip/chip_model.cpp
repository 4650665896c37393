// SPDX-License-Identifier: Apache-2.0
#include "sim/chip/chip_model.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "base/checked_cast.hpp"
#include "base/counter_math.hpp"
#include "base/error.hpp"

namespace loom::chip {

ChipModel::ChipModel(const arch::ChipSpec& spec, const arch::Program& program, const ScheduleSpec& schedule,
                     Step steps, const Makers& makers)
    : spec_(spec),
      program_(program),
      schedule_(schedule),
      steps_(steps),
      wiring_(makers.network(spec), scheduler_),
      offchip_macs_(program.layers.size(), 0) {
    std::set<std::uint64_t> routers;
    cores::CoreSchedule core_schedule;
    core_schedule.free_start = schedule.free_start;
    core_schedule.reset_every = checked_cast<std::uint32_t>(schedule.reset_every, "schedule.reset_every");
    core_schedule.active_steps = checked_cast<std::uint32_t>(steps, "number of timesteps");
    for (const arch::CoreImage& image : program.cores) {
        routers.insert(wiring_.network().topology().router_of(index(image.endpoint)));
        const Wiring::Ends ends = wiring_.add_links(spec.kind(image.kind).axon_in.fifo);
        cores::CoreContext context;
        context.scheduler = &scheduler_;
        context.activity = &activity_;
        context.in = ends.in;
        context.out = ends.out;
        // the program outlives the chip: share it without owning it
        auto core = makers.core(spec, std::shared_ptr<const arch::CoreImage>(std::shared_ptr<void>(), &image),
                                program, context, core_schedule);
        const auto id = scheduler_.add(*core);
        core->set_component(id);
        wiring_.connect(image.endpoint, ends, id, *core);
        core_ends_.push_back(ends);
        cores_.push_back(std::move(core));
        element_of_.emplace_back(image.n_neurons);
        layer_of_.emplace_back(image.n_neurons);
        for (const auto& g : image.neurons) {
            for (std::uint32_t n = 0; n < g.count; ++n) {
                element_of_.back()[g.first + n] = g.layer_index[n];
                layer_of_.back()[g.first + n] = g.layer;
            }
        }
    }
    routers_in_use_ = routers.size();
    barrier_ = spec.timestep.latency + spec.timestep.latency_per_tile * routers_in_use_;
    const EndpointId host{wiring_.network().topology().n_cores()};
    host_ends_ = wiring_.add_links(0);
    host_ = std::make_unique<HostPort>(spec, program, activity_, *host_ends_.out);
    const auto host_id = scheduler_.add(*host_);
    host_->connect(scheduler_, host_id);
    wiring_.connect(host, host_ends_, host_id, *host_);
    wiring_.network().tell_losses(activity_);
    controller_ = std::make_unique<StepController>(scheduler_, activity_, barrier_);
}

void ChipModel::observe_packets(LinkObserver<Packet>* observer) {
    host_ends_.out->observe(observer);
    for (const Wiring::Ends& ends : core_ends_) ends.out->observe(observer);
}

std::int64_t ChipModel::algorithmic_step(LayerId layer, Step chip_step) const {
    const std::int64_t skew = schedule_.free_start ? 0 : program_.layers[index(layer)].skew;
    return static_cast<std::int64_t>(chip_step) - skew;
}

void ChipModel::host_currents(Step chip_step) {
    std::set<LayerId> changed;
    for (std::size_t i = 0; i < program_.host_currents.size(); ++i) {
        const arch::HostCurrent& h = program_.host_currents[i];
        const std::int64_t t = algorithmic_step(h.target, chip_step) - std::int64_t{h.delay};
        const bool known = input_->constant() && !host_values_[i].empty();
        if (t < 0 || t >= static_cast<std::int64_t>(steps_) || known) continue;
        SparseVector values;
        input_->values(static_cast<Step>(t), values);
        host_values_[i] = h.compute(values);
        offchip_macs_[index(h.target)] += static_cast<std::uint64_t>(h.macs);
        changed.insert(h.target);
    }
    for (const LayerId layer : changed) send_host_currents(layer);
}

namespace {

/// A current in membrane LSB; `rounded` counts those that are not whole.
std::int64_t to_lsb(const arch::LayerInfo& layer, double x, std::uint64_t& rounded) {
    const double whole = std::floor(x + 0.5);
    if (whole != x) ++rounded;
    if (std::abs(whole) >= 0x1p61)
        throw InputError(fmt::format("layer '{}': the host computes an input current of {} for it, which is {} of its "
                                     "membrane's steps; less than 2^61 are possible",
                                     layer.name, x * layer.lsb, x));
    return static_cast<std::int64_t>(whole);
}

}  // namespace

void ChipModel::send_host_currents(LayerId layer) {
    const arch::LayerInfo& info = program_.layers[index(layer)];
    std::vector<double> sum(info.count, 0.0);
    for (std::size_t i = 0; i < program_.host_currents.size(); ++i) {
        if (program_.host_currents[i].target != layer || host_values_[i].empty()) continue;
        for (std::size_t n = 0; n < sum.size(); ++n) sum[n] += host_values_[i][n];
    }
    const double scale = 1.0 / info.lsb;  // a power of two
    for (std::size_t c = 0; c < cores_.size(); ++c) {
        for (const auto& g : program_.cores[c].neurons) {
            if (g.layer != layer) continue;
            for (std::uint32_t n = 0; n < g.count; ++n) {
                const double x = sum[g.layer_index[n]];
                cores_[c]->set_host_current(
                    g.first + n, program_.fixed ? to_lsb(info, x * scale, input_rounded_) : Packet::from_double(x));
            }
        }
    }
}

void ChipModel::begin_step(Cycle now, Step step) {
    if (!program_.host_currents.empty()) host_currents(step);
    for (auto& core : cores_) core->begin_step(now, step);
    if (step >= steps_) return;
    if (step == 0 || !input_->constant()) input_->values(step, values_);
    input_events_ += values_.size();
    host_->begin(now, values_);
}

Totals ChipModel::totals() const {
    Totals t;
    t.core.resize(spec_.n_kinds());
    for (std::size_t i = 0; i < cores_.size(); ++i) {
        cores::CoreTotals& sum = t.core[program_.cores[i].kind];
        for (const auto& c : cores_[i]->counters()) sum.common = sum_of(sum.common, c);
        for (std::size_t l = 0; l < cores_[i]->layers().size(); ++l) cores_[i]->add_own(l, sum.own);
    }
    for (const auto& c : wiring_.network().counters()) t.noc = sum_of(t.noc, c);
    t.host_packets = host_->packets();
    return t;
}

Totals Totals::operator-(const Totals& o) const {
    Totals d = *this;
    for (std::size_t k = 0; k < d.core.size(); ++k) d.core[k] -= o.core[k];
    d.noc = difference_of(noc, o.noc);
    d.host_packets -= o.host_packets;
    return d;
}

Totals& Totals::operator+=(const Totals& o) {
    if (core.size() < o.core.size()) core.resize(o.core.size());
    for (std::size_t k = 0; k < o.core.size(); ++k) core[k] += o.core[k];
    noc = sum_of(noc, o.noc);
    host_packets += o.host_packets;
    return *this;
}

bool Totals::active() const {
    const auto works = [](const cores::CoreTotals& c) {
        return c.common.spikes != 0 || c.common.updates_active != 0 || c.common.packets_in != 0 ||
               c.common.packets_out != 0;
    };
    return noc.packets != 0 || host_packets != 0 || std::any_of(core.begin(), core.end(), works);
}

void ChipModel::begin_sample(Cycle at, const SampleInput& input, StepHook after_step) {
    timing_ = {};
    input_ = &input;
    after_step_ = std::move(after_step);
    for (auto& core : cores_) core->set_sample(input.number());
    for (auto& core : cores_) timing_.reset_cycles = std::max(timing_.reset_cycles, core->reset_state());
    wiring_.network().reset();
    activity_.reset();
    host_values_.assign(program_.host_currents.size(), {});
    sample_start_ = std::max(scheduler_.now() + 1, at) + timing_.reset_cycles;
    before_ = totals();
    controller_->hooks([this](Cycle now, Step step) { begin_step(now, step); },
                       [this](Cycle, Step step) {
                           if (after_step_) after_step_(step);
                           end_step(step);
                       });
    controller_->start(sample_start_, chip_steps());
}

void ChipModel::end_step(Step step) {
    const auto& t = controller_->timings().back();
    const Cycles cycles = t.drained - t.begin + barrier_;
    Totals after = totals(), events = after - before_;
    before_ = std::move(after);
    if (!sum_quiet_steps_ || events.active()) {
        timing_.steps.push_back({step, cycles, std::move(events)});
        return;
    }
    ++timing_.quiet.steps;
    timing_.quiet.cycles += cycles;
    timing_.quiet.events += events;
}

SampleTiming ChipModel::end_sample() {
    if (!controller_->finished()) stuck(scheduler_.now(), "deadlock");
    const auto& t = controller_->timings();
    timing_.barrier_cycles = barrier_ * t.size();
    timing_.cycles = controller_->end() - sample_start_ + timing_.reset_cycles;
    return std::move(timing_);
}

SampleTiming ChipModel::run_sample(TimeLoop& loop, const SampleInput& input, const StepHook& after_step) {
    begin_sample(0, input, after_step);
    loop.run_until_idle();
    return end_sample();
}

void ChipModel::read_layer(LayerId layer, Quantity quantity, std::vector<double>& out) const {
    out.assign(program_.layers[index(layer)].count, 0.0);
    for (std::size_t c = 0; c < cores_.size(); ++c) {
        for (const auto& g : program_.cores[c].neurons) {
            if (g.layer != layer) continue;
            for (std::uint32_t n = 0; n < g.count; ++n) {
                out[g.layer_index[n]] = quantity == Quantity::Membrane ? cores_[c]->membrane(g.first + n)
                                                                       : cores_[c]->current(g.first + n);
            }
        }
    }
}

void ChipModel::watch(Cycle now, Cycles limit) const {
    if (now > activity_.last_change() + limit && activity_.outstanding() != 0) stuck(now, "no progress");
}

void ChipModel::stuck(Cycle now, const char* what) const {
    throw ModelError(
        fmt::format("{} in timestep {} at cycle {}: {} pieces of work left, last progress at cycle {}; {}",
                    what, controller_->step(), now, activity_.outstanding(), activity_.last_change(),
                    wiring_.network().describe_stuck(5)));
}

}  // namespace loom::chip
