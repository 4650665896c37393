// SPDX-License-Identifier: Apache-2.0
#include "training/many_core/many_core_engine.hpp"

#include <algorithm>
#include <numeric>

#include "noc/catalogue.hpp"
#include "base/counter_math.hpp"
#include "base/error.hpp"
#include "training/many_core/counter_list.hpp"
#include "training/many_core/near_memory_arithmetic.hpp"

namespace loom::training {
namespace {

constexpr std::size_t kOutSlots = 4;
constexpr std::uint64_t kValueFlits = 16;  ///< of a packet of several values

/// Cycles until the last of a core's jobs is done; the core takes them as they become ready.
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

ManyCoreEngine::ManyCoreEngine(const arch::ChipSpec& chip, const arch::SparsityRules& sparsity)
    : ManyCoreEngine(chip, sparsity, std::make_unique<NearMemoryArithmetic>(chip)) {}

ManyCoreEngine::ManyCoreEngine(const arch::ChipSpec& chip, const arch::SparsityRules& sparsity,
                               std::unique_ptr<CoreArithmetic> arithmetic)
    : arithmetic_(std::move(arithmetic)) {
    view_.chip = chip;
    view_.sparsity = sparsity;
    view_.room = arithmetic_->room();
    view_.record.processing_elements = view_.room.cores * view_.core().dendrite.lanes;
}

ManyCoreEngine::~ManyCoreEngine() = default;

noc::NocCounters ManyCoreEngine::network_counters() const {
    noc::NocCounters all{};
    for (const noc::NocCounters& c : noc_counters_) all = sum_of(all, c);
    return all;
}

void ManyCoreEngine::execute(const arch::TrainingWork& work) {
    build(work);
    const bool each_timestep = work.updates > 1 && !work.temporal;  // a round has all samples
    for (const Round& round : rounds()) {
        round_ = round;
        network_->reset();
        activity_.reset();
        prepare_arrivals();
        forward();
        backward();
        weight_gradient();
        if (each_timestep) weight_update();
    }
    for (std::size_t i = 0; !each_timestep && i < work.updates; ++i) weight_update();
    enter(Phase::Forward);
    view_.record.steps += 1;
    view_.record.samples += work.batch;
    save_counters();
}

std::vector<ManyCoreEngine::Round> ManyCoreEngine::rounds() const {
    std::vector<Round> all;
    const std::size_t steps = view_.work->temporal ? view_.work->steps : 1, samples = view_.placement.samples;
    for (std::size_t b = 0; b < view_.work->batch; b += samples)
        for (std::size_t t = 0; t < view_.work->steps; t += steps)
            all.push_back({t, t + steps, b, std::min(view_.work->batch, b + samples)});
    return all;
}

/// Books what the network did in the phase before.
void ManyCoreEngine::enter(Phase phase) {
    noc::NocCounters now{};
    for (const noc::NocCounters& c : network_->counters()) now = sum_of(now, c);
    noc::NocCounters& booked = noc_counters_[static_cast<std::size_t>(view_.phase)];
    booked = sum_of(booked, difference_of(now, noc_seen_));
    noc_seen_ = now;
    view_.phase = phase;
}

void ManyCoreEngine::build(const arch::TrainingWork& work) {
    view_.work = &work;
    view_.placement = place_training(work, view_.room);
    if (std::max(view_.placement.feeds.size(), work.items.size()) >= kValues)
        throw UnsupportedError("a network of " + std::to_string(work.items.size()) +
                               " layers; packets of training have tags for fewer than 32768");
    EngineRecord& record = view_.record;
    view_.linear_items.resize(work.linear.size());
    view_.neuron_items.resize(work.neurons.size());
    record.layers.resize(work.items.size());
    for (std::uint32_t i = 0; i < work.items.size(); ++i) {
        const arch::WorkItem& item = work.items[i];
        if (item.kind == arch::WorkKind::Linear) {
            view_.linear_items[item.index] = i;
            record.layers[i].name = work.linear[item.index].name;
        } else if (item.kind == arch::WorkKind::Neuron) {
            view_.neuron_items[item.index] = i;
            record.layers[i].name = work.neurons[item.index].name;
        } else {
            record.layers[i].name = work.elements[item.index].name;
        }
    }
    blocks_of_core_.assign(view_.room.cores, {});
    std::uint64_t peak = 0;
    std::vector<std::uint64_t> used(view_.room.cores);
    for (std::uint32_t b = 0; b < view_.placement.blocks.size(); ++b) {
        const Block& block = view_.placement.blocks[b];
        blocks_of_core_[block.core].push_back(b);
        peak = std::max(peak, used[block.core] += block.memory_bits);
    }
    record.memory = {{"memory of the fullest core", view_.room.memory_bits, peak, 0}};
    connect_cores();
    prepare_destinations();
    prepare_parameters();
    step_ = StepWork(cores_.size());
    spent_.assign(cores_.size() * work.items.size(), 0);
    arithmetic_->begin(view_);
}

void ManyCoreEngine::connect_cores() {
    scheduler_ = std::make_unique<Scheduler>();
    scheduler_->shuffle(shuffle_);
    network_ = noc::make_network(view_.chip);
    noc_seen_ = {};
    const auto network_id = scheduler_->add(*network_);
    links_.clear();
    cores_.clear();
    start_ = 1;
    for (std::uint32_t e = 0; e <= view_.room.cores; ++e) {
        const bool host = e == view_.room.cores;
        Link<Packet>* in = nullptr;
        if (!host) {
            links_.push_back(std::make_unique<Link<Packet>>(network_->topology().local_latency,
                                                            view_.core().axon_in.fifo));
            in = links_.back().get();
        }
        links_.push_back(std::make_unique<Link<Packet>>(1, kOutSlots));
        Link<Packet>& out = *links_.back();
        auto core = std::make_unique<TrainingCore>(
            e, *scheduler_, activity_, *this, in, out,
            host ? view_.chip.io.interval : view_.core().axon_out.entry_interval);
        const auto id = scheduler_->add(*core);
        core->set_component(id);
        if (in != nullptr) {
            in->connect_producer(*scheduler_, network_id, *network_, 2 * e + 1);
            in->connect_consumer(*scheduler_, id, *core, 0);
        }
        out.connect_producer(*scheduler_, id, *core, 1);
        out.connect_consumer(*scheduler_, network_id, *network_, 2 * e);
        network_->attach(EndpointId{e}, {&out, in});
        cores_.push_back(std::move(core));
    }
}

void ManyCoreEngine::add_job(std::uint32_t core, CoreJob job, std::uint32_t item) {
    job.item = item;
    step_.jobs[core].push_back(job);
}

void ManyCoreEngine::send(std::uint32_t from, std::uint32_t set, std::uint32_t tag, std::size_t element,
                          std::size_t payload, std::uint64_t payload_bits) {
    const Way& to = way(from, set);
    const std::uint64_t bits = view_.core().axon_out.packet_bits + payload_bits;
    Packet p;
    p.destination = to.to;
    p.source = EndpointId{from};
    p.axon = static_cast<std::uint32_t>(element);
    p.tag = static_cast<std::uint16_t>(tag);
    p.flits = static_cast<std::uint16_t>((bits + view_.chip.noc.flit_bits - 1) / view_.chip.noc.flit_bits);
    p.payload = static_cast<std::int64_t>(payload);
    step_.sends[from].push_back({p, to.copies});
}

void ManyCoreEngine::send_values(std::uint32_t from, std::uint32_t set, std::uint32_t tag,
                                 std::uint64_t values, std::size_t payload, std::uint64_t value_bits) {
    const std::uint64_t room = kValueFlits * view_.chip.noc.flit_bits,
                        address = view_.core().axon_out.packet_bits;
    const std::uint64_t fit = room > address + value_bits ? (room - address) / value_bits : 1;
    for (std::uint64_t first = 0; first < values; first += fit) {
        const std::uint64_t n = std::min(fit, values - first);
        send(from, set, tag, n, payload, n * value_bits);
    }
}

void ManyCoreEngine::run_step() {
    const std::size_t items = view_.work->items.size();
    std::ranges::fill(spent_, 0);
    for (std::size_t c = 0; c < cores_.size(); ++c)
        cores_[c]->begin(start_, run_jobs(step_.jobs[c], std::span(spent_).subspan(c * items, items)),
                         step_.sends[c], arithmetic_->takes_beside_job());
    while (scheduler_->run_next()) {
    }
    if (activity_.outstanding() != 0)
        throw ModelError("training step is stuck; " + network_->describe_stuck(5));
    Cycle drained = start_;
    std::size_t last = 0;
    for (std::size_t c = 0; c + 1 < cores_.size(); ++c)
        if (cores_[c]->last_done() > drained) drained = cores_[c]->last_done(), last = c;
    const Cycle next = std::max(drained + view_.chip.timestep.latency, scheduler_->now() + 1);
    const std::uint64_t cycles = next - start_;
    book(cycles, last);
    view_.record.cycles += cycles;
    start_ = next;
}

/// Shares a step's cycles over the items for which a core worked, as its work was; a core without work gives
/// them to the first matrix of its first block.
void ManyCoreEngine::book(std::uint64_t cycles, std::size_t core) {
    const std::size_t items = view_.work->items.size();
    const std::span<const Cycles> spent = std::span(spent_).subspan(core * items, items);
    const Cycles all = std::accumulate(spent.begin(), spent.end(), Cycles{0});
    if (all == 0) {
        const std::vector<std::uint32_t>& blocks = blocks_of_core_[core];
        const std::uint32_t population = blocks.empty() ? 0 : view_.placement.blocks[blocks[0]].population;
        const std::uint32_t feed = view_.placement.populations[population].feeds[0];
        view_.of_linear(view_.placement.feeds[feed].linear).cycles += cycles;
        return;
    }
    Cycles before = 0;
    for (std::uint32_t i = 0; i < items; ++i) {
        if (spent[i] == 0) continue;
        view_.of_item(i).cycles += part_of(cycles, before, spent[i], all);
        before += spent[i];
    }
}

void ManyCoreEngine::save_counters() {
    view_.record.own.clear();
    for (const noc::NocCounters& c : noc_counters_) put_counters(c, view_.record.own);
    arithmetic_->save(view_.record.own);
}

void ManyCoreEngine::resume(const EngineRecord& record) {
    if (record.steps == 0) return;
    view_.record = record;
    std::span<const std::uint64_t> own(record.own);
    for (noc::NocCounters& c : noc_counters_) take_counters(c, own);
    arithmetic_->restore(record.layers.size(), own);
}

}  // namespace loom::training
