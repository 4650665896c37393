// SPDX-License-Identifier: Apache-2.0
#include "training/accelerator/machine/machine.hpp"

namespace loom::training {

struct Machine::UnitParts {
    UnitParts(std::size_t slots) : commands(1, slots), done(1, slots) {}
    Link<Command> commands;
    Link<std::uint32_t> done;
    std::unique_ptr<Array> array;
    std::unique_ptr<Sequencer> sequencer;
    Scheduler::ComponentId array_id = 0, sequencer_id = 0;
};

template <class T>
Link<T>& Machine::link(std::vector<std::unique_ptr<Link<T>>>& pool, std::size_t slots) {
    pool.push_back(std::make_unique<Link<T>>(1, slots));
    return *pool.back();
}

Machine::~Machine() = default;

Machine::Machine(const arch::TrainingChip& chip, const std::vector<Unit>& units, std::size_t tokens,
                 SegmentObserver& observer, EngineRecord& record)
    : tokens_(scheduler_, tokens) {
    // Never full: a sequencer has at most prefetch + 2 tasks under way, each with one load and one store.
    const std::size_t slots = 2 * (chip.schedule.prefetch + 4);
    std::vector<Scheduler::ComponentId> read_ids, write_ids;
    for (const arch::TrainingBufferSpec& b : chip.buffers) {
        const Channel::Timing timing{b.port * b.banks, 0, 1};
        reads_.push_back(std::make_unique<Channel>(timing));
        writes_.push_back(std::make_unique<Channel>(timing));
        read_ids.push_back(scheduler_.add(*reads_.back()));
        write_ids.push_back(scheduler_.add(*writes_.back()));
    }
    dram_ = std::make_unique<Channel>(
        Channel::Timing{chip.dram.bytes_per_cycle, chip.dram.latency, chip.dram.burst});
    const auto dram_id = scheduler_.add(*dram_);

    for (const Unit& unit : units) {
        auto parts = std::make_unique<UnitParts>(slots);
        UnitParts& p = *parts;
        p.array = std::make_unique<Array>(record, unit.record, p.commands, p.done, 0);
        p.array_id = scheduler_.add(*p.array);
        Sequencer::Ports ports{&p.commands, &p.done, &link(requests_, slots), &link(answers_, slots), {},
                               {},          {}};
        for (std::size_t b = 0; b < chip.buffers.size(); ++b) {
            ports.reads.push_back(&link(requests_, slots));
            ports.writes.push_back(&link(requests_, slots));
            ports.write_answers.push_back(&link(answers_, slots));
        }
        p.sequencer = std::make_unique<Sequencer>(
            *unit.source, tokens_, observer, ports,
            Sequencer::Depth{chip.schedule.prefetch, chip.schedule.double_buffer});
        const auto id = p.sequencer_id = scheduler_.add(*p.sequencer);
        tokens_.add_waiter(id);
        const auto connect = [&](auto& l, auto from, Clocked& a, auto to, Clocked& b) {
            l.connect_producer(scheduler_, from, a);
            l.connect_consumer(scheduler_, to, b);
        };
        connect(p.commands, id, *p.sequencer, p.array_id, *p.array);
        connect(p.done, p.array_id, *p.array, id, *p.sequencer);
        connect(*ports.dram, id, *p.sequencer, dram_id, *dram_);
        connect(*ports.dram_answers, dram_id, *dram_, id, *p.sequencer);
        dram_->add_client(*ports.dram, *ports.dram_answers);
        for (std::size_t b = 0; b < chip.buffers.size(); ++b) {
            Link<Arrival>& operands = link(answers_, slots);
            connect(*ports.reads[b], id, *p.sequencer, read_ids[b], *reads_[b]);
            connect(operands, read_ids[b], *reads_[b], p.array_id, *p.array);
            reads_[b]->add_client(*ports.reads[b], operands);
            p.array->add_port(operands);
            connect(*ports.writes[b], id, *p.sequencer, write_ids[b], *writes_[b]);
            connect(*ports.write_answers[b], write_ids[b], *writes_[b], id, *p.sequencer);
            writes_[b]->add_client(*ports.writes[b], *ports.write_answers[b]);
        }
        scheduler_.wake(id, 0);
        units_.push_back(std::move(parts));
    }
}

Cycles Machine::run() {
    while (scheduler_.run_next()) {
    }
    Cycle end = 0;
    for (const auto& u : units_) {
        if (!u->sequencer->idle()) throw ModelError("training engine: tasks wait for each other");
        end = std::max(end, u->sequencer->last());
    }
    for (const auto& u : units_) u->array->drain(u->sequencer->last(), end);
    return end;
}

}  // namespace loom::training
