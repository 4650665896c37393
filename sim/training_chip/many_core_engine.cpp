// SPDX-License-Identifier: Apache-2.0
#include "sim/training_chip/many_core_engine.hpp"

#include <algorithm>

#include "noc/catalogue.hpp"
#include "sim/base/counter_math.hpp"
#include "sim/base/error.hpp"

namespace loom::training {
namespace {

constexpr std::size_t kOutSlots = 4;

std::uint64_t& count(PhaseRecord& r, Event e) {
    return r.counts[static_cast<std::size_t>(e)];
}

}  // namespace

ManyCoreEngine::ManyCoreEngine(const arch::ChipSpec& chip, const arch::SparsityRules& sparsity)
    : chip_(chip), sparsity_(sparsity) {
    const arch::CoreSpec& core = chip_.kind(0);
    room_.cores = chip_.n_cores();
    room_.memory_bits = core.synapse.memory;
    room_.max_neurons = core.soma.max_neurons;
    record_.processing_elements = room_.cores * core.dendrite.lanes;
}

ManyCoreEngine::~ManyCoreEngine() = default;

Cycles ManyCoreEngine::on_lanes(std::uint64_t operations) const {
    const std::uint64_t lanes = chip_.kind(0).dendrite.lanes;
    return (operations + lanes - 1) / lanes * chip_.kind(0).dendrite.interval;
}

std::uint64_t ManyCoreEngine::words(std::uint64_t weights) const {
    const std::uint64_t word = chip_.kind(0).synapse.word;
    return (weights * room_.weight_bits + word - 1) / word;
}

void ManyCoreEngine::execute(const arch::TrainingWork& work) {
    build(work);
    for (sample_ = 0; sample_ < work.batch; ++sample_) {
        network_->reset();
        activity_.reset();
        forward(sample_);
        backward(sample_);
        weight_gradient(sample_);
    }
    weight_update();
    element_work();
    for (const noc::NocCounters& c : network_->counters()) noc_counters_ = sum_of(noc_counters_, c);
    record_.steps += 1;
    record_.samples += work.batch;
}

void ManyCoreEngine::build(const arch::TrainingWork& work) {
    work_ = &work;
    placement_ = place_training(work, room_);
    linear_items_.resize(work.linear.size());
    neuron_items_.resize(work.neurons.size());
    record_.layers.resize(work.items.size());
    for (std::uint32_t i = 0; i < work.items.size(); ++i) {
        const arch::WorkItem& item = work.items[i];
        if (item.kind == arch::WorkKind::Linear) {
            linear_items_[item.index] = i;
            record_.layers[i].name = work.linear[item.index].name;
        } else if (item.kind == arch::WorkKind::Neuron) {
            neuron_items_[item.index] = i;
            record_.layers[i].name = work.neurons[item.index].name;
        } else {
            record_.layers[i].name = work.elements[item.index].name;
        }
    }
    blocks_of_core_.assign(room_.cores, {});
    std::uint64_t peak = 0;
    std::vector<std::uint64_t> used(room_.cores);
    for (std::uint32_t b = 0; b < placement_.blocks.size(); ++b) {
        const Block& block = placement_.blocks[b];
        blocks_of_core_[block.core].push_back(b);
        peak = std::max(peak, used[block.core] += block.memory_bits);
    }
    record_.memory = {{"memory of the fullest core", room_.memory_bits, peak, 0}};
    connect_cores();
    prepare_destinations();
}

void ManyCoreEngine::connect_cores() {
    scheduler_ = std::make_unique<Scheduler>();
    scheduler_->shuffle(shuffle_);
    network_ = noc::make_network(chip_);
    const auto network_id = scheduler_->add(*network_);
    links_.clear();
    cores_.clear();
    start_ = 1;
    for (std::uint32_t e = 0; e <= room_.cores; ++e) {
        const bool host = e == room_.cores;
        Link<Packet>* in = nullptr;
        if (!host) {
            links_.push_back(std::make_unique<Link<Packet>>(network_->topology().local_latency,
                                                            chip_.kind(0).axon_in.fifo));
            in = links_.back().get();
        }
        links_.push_back(std::make_unique<Link<Packet>>(1, kOutSlots));
        Link<Packet>& out = *links_.back();
        auto core =
            std::make_unique<TrainingCore>(e, *scheduler_, activity_, *this, in, out,
                                           host ? chip_.io.interval : chip_.kind(0).axon_out.entry_interval);
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

void ManyCoreEngine::send(StepWork& step, std::uint32_t from, std::uint32_t set, std::uint32_t feed,
                          std::size_t element, std::size_t t, std::uint64_t payload_bits) {
    const std::uint64_t bits = chip_.kind(0).axon_out.packet_bits + payload_bits;
    Packet p;
    p.destination = way(from, set).to;
    p.source = EndpointId{from};
    p.axon = static_cast<std::uint32_t>(element);
    p.tag = static_cast<std::uint16_t>(feed);
    p.flits = static_cast<std::uint16_t>((bits + chip_.noc.flit_bits - 1) / chip_.noc.flit_bits);
    p.payload = static_cast<std::int64_t>(t);
    step.sends[from].push_back({p, way(from, set).copies});
}

void ManyCoreEngine::run_step(StepWork& step) {
    for (std::size_t c = 0; c < cores_.size(); ++c)
        cores_[c]->begin(start_, step.jobs[c], std::move(step.sends[c]));
    while (scheduler_->run_next()) {
    }
    if (activity_.outstanding() != 0)
        throw ModelError("training step is stuck; " + network_->describe_stuck(5));
    Cycle drained = start_;
    std::size_t last = 0;
    for (std::size_t c = 0; c + 1 < cores_.size(); ++c)
        if (cores_[c]->last_done() > drained) drained = cores_[c]->last_done(), last = c;
    const Cycle next = std::max(drained + chip_.timestep.latency, scheduler_->now() + 1);
    const std::uint64_t cycles = next - start_;
    const std::vector<std::uint32_t>& blocks = blocks_of_core_[last];
    const std::uint32_t population = blocks.empty() ? 0 : placement_.blocks[blocks[0]].population;
    of_linear(placement_.feeds[placement_.populations[population].feeds[0]].linear).cycles += cycles;
    record_.cycles += cycles;
    start_ = next;
}

void ManyCoreEngine::element_work() {
    for (std::uint32_t i = 0; i < work_->items.size(); ++i) {
        if (work_->items[i].kind != arch::WorkKind::Element) continue;
        const arch::ElementWork& e = work_->elements[work_->items[i].index];
        phase_ = Phase::Forward;
        count(of_item(i), Event::Add) += e.forward_add;
        count(of_item(i), Event::Multiply) += e.forward_multiply;
        count(of_item(i), Event::Divide) += e.forward_divide;
        count(of_item(i), Event::SquareRoot) += e.forward_sqrt;
        phase_ = Phase::Backward;
        count(of_item(i), Event::Add) += e.backward_add;
        count(of_item(i), Event::Multiply) += e.backward_multiply;
        count(of_item(i), Event::Divide) += e.backward_divide;
    }
}

}  // namespace loom::training
