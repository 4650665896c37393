// SPDX-License-Identifier: Apache-2.0
#include "training/accelerator/step_engine.hpp"

#include <algorithm>

#include "training/accelerator/machine/machine.hpp"
#include "training/accelerator/tiles.hpp"
#include "base/error.hpp"

namespace loom::training {
namespace {

/// The segments of one unit, cut into tiles as they are needed.
class UnitSource final : public TaskSource {
  public:
    UnitSource(const Setup& setup, const Arrays& arrays, const std::vector<Segment>& segments,
               std::uint8_t unit)
        : setup_(setup), arrays_(arrays), segments_(segments), unit_(unit) {}
    bool next(Task& task) override {
        while (at_ == tasks_.size()) {
            while (segment_ < segments_.size() && segments_[segment_].unit != unit_) ++segment_;
            if (segment_ == segments_.size()) return false;
            const Segment& s = segments_[segment_];
            make_tiles(setup_, arrays_.of(s.phase), s, tasks_);
            for (Task& t : tasks_) t.segment = static_cast<std::uint32_t>(segment_);
            ++segment_;
            at_ = 0;
        }
        task = tasks_[at_++];
        return true;
    }

  private:
    const Setup& setup_;
    const Arrays& arrays_;
    const std::vector<Segment>& segments_;
    std::uint8_t unit_;
    std::size_t segment_ = 0, at_ = 0;
    std::vector<Task> tasks_;
};

/// Bits in use over time, from the changes that segments make when they are over.
class MemoryLog final : public SegmentObserver {
  public:
    MemoryLog(const Residency& residency, std::size_t segments, Cycle start, std::vector<MemoryPoint>& points)
        : changes_(residency.changes),
          first_(segments + 1),
          used_(residency.use.size()),
          start_(start),
          points_(points) {
        for (const MemoryChange& c : changes_) ++first_[c.segment + 1];
        for (std::size_t i = 1; i < first_.size(); ++i) first_[i] += first_[i - 1];
    }
    void segment_over(std::uint32_t segment, Cycle now) override {
        for (std::size_t i = first_[segment]; i < first_[segment + 1]; ++i) {
            const MemoryChange& c = changes_[i];
            used_[c.buffer] += c.bits;
            const auto bits = static_cast<std::uint64_t>(std::max<std::int64_t>(0, used_[c.buffer]));
            if (!points_.empty() && points_.back().cycle == start_ + now && points_.back().buffer == c.buffer)
                points_.back().bits = bits;
            else
                points_.push_back({start_ + now, c.buffer, bits});
        }
    }

  private:
    const std::vector<MemoryChange>& changes_;  ///< in order of segments
    std::vector<std::size_t> first_;
    std::vector<std::int64_t> used_;
    Cycle start_;
    std::vector<MemoryPoint>& points_;
};

}  // namespace

StepEngine::StepEngine(arch::TrainingChip chip, UnitPlan plan)
    : chip_(std::move(chip)), units_(plan), buffers_(chip_) {
    arrays_ = {&chip_.array, chip_.backward_array ? &*chip_.backward_array : &chip_.array,
               chip_.update_array ? &*chip_.update_array : &chip_.array};
    if (units_ == UnitPlan::One) {
        record_.units.push_back({"array", chip_.array.elements(), 0, 0});
    } else {
        record_.units.push_back({"forward", arrays_.forward->elements(), 0, 0});
        record_.units.push_back({"backward", arrays_.backward->elements(), 0, 0});
        record_.units.push_back({"update", arrays_.update->elements(), 0, 0});
    }
    for (const UnitRecord& u : record_.units) record_.processing_elements += u.elements;
    for (const arch::TrainingBufferSpec& b : chip_.buffers)
        record_.memory.push_back({b.name, b.capacity, 0, 0});
}

void StepEngine::resume(const EngineRecord& record) {
    if (record.steps == 0) return;
    record_ = record;
    warm_ = true;
}

StepEngine::Plan StepEngine::plan(const Setup& setup, std::size_t block) const {
    Plan p;
    p.block = block;
    p.segments = order_segments(setup, units_, block, p.tokens);
    p.residency = allocate(setup, arrays_, p.segments, warm_);
    return p;
}

/// Cycles that a plan costs beyond arithmetic, roughly and whatever the data: DRAM at full bandwidth, start
/// and end of segments, and weights that come anew for every block (a quarter of them: most have no spike).
std::uint64_t StepEngine::overhead(const Setup& setup, const Plan& p) const {
    constexpr std::uint64_t kSegment = 16;
    const arch::TrainingBufferSpec& b = chip_.buffers[*buffers_.of(Tensor::Weights)];
    std::uint64_t weight_bits = 0;
    for (const Segment& s : p.segments)
        if (s.kind == Kind::LinearForward || s.kind == Kind::ErrorBackward)
            weight_bits += setup.parameters(s.item) * chip_.bits.weight;
    return p.residency.dram_bytes / chip_.dram.bytes_per_cycle + kSegment * p.segments.size() +
           weight_bits / (b.port * b.banks) / 4;
}

/// The block of least overhead; of equals the largest. Units side by side need some blocks to work on: a
/// quarter of the batch, if that moves at most half as much again over DRAM.
StepEngine::Plan StepEngine::choose(const Setup& setup) {
    const std::size_t batch = setup.work.batch;
    const std::size_t wish = static_cast<std::size_t>(chip_.schedule.batch_block);
    record_.blocks.clear();
    const auto consider = [&](std::size_t block, std::uint64_t& cycles) {
        Plan p = plan(setup, block);
        cycles = overhead(setup, p);
        record_.blocks.push_back({block, cycles, p.residency.dram_bytes});
        return p;
    };
    std::uint64_t least = 0;
    if (setup.statistics_steps() != 0 || wish != 0) {
        const bool whole = setup.statistics_steps() != 0;
        record_.block_reason = whole ? BlockReason::Statistics : BlockReason::Given;
        return consider(whole ? batch : std::min(wish, batch), least);
    }
    record_.block_reason = BlockReason::Overhead;
    Plan best = consider(batch, least);
    for (std::size_t block = 1; block < batch; block *= 2) {
        std::uint64_t cycles = 0;
        Plan p = consider(block, cycles);
        if (cycles >= least) continue;
        best = std::move(p);
        least = cycles;
    }
    if (units_ == UnitPlan::Three && best.block > batch / 4 && batch > 1) {
        Plan p = plan(setup, std::max<std::size_t>(1, batch / 4));
        if (p.residency.dram_bytes * 2 > best.residency.dram_bytes * 3) return best;
        record_.block_reason = BlockReason::Pipelined;
        if (std::ranges::find(record_.blocks, p.block, &BlockChoice::block) == record_.blocks.end())
            record_.blocks.push_back({p.block, overhead(setup, p), p.residency.dram_bytes});
        return p;
    }
    return best;
}

void StepEngine::name_layers(const arch::TrainingWork& work) {
    if (record_.layers.empty()) record_.layers.resize(work.items.size());
    if (record_.layers.size() != work.items.size())
        throw InternalError("training engine: another network than in the step before");
    for (std::size_t i = 0; i < work.items.size(); ++i) {
        const std::uint32_t at = work.items[i].index;
        record_.layers[i].name = work.items[i].kind == arch::WorkKind::Linear   ? work.linear[at].name
                                 : work.items[i].kind == arch::WorkKind::Neuron ? work.neurons[at].name
                                                                                : work.elements[at].name;
    }
}

void StepEngine::execute(const arch::TrainingWork& work) {
    if (work.steps == 0 || work.batch == 0)
        throw InternalError("training engine: no timesteps or no samples");
    name_layers(work);
    const Setup setup(chip_, buffers_, work);
    if (chip_.schedule.keep == arch::KeepRule::Recompute && setup.recurrent())
        throw ConfigError("schedule.keep: recompute goes layer by layer; a recurrent network cannot");
    if (setup.statistics_steps() > 1 && setup.recurrent())
        throw UnsupportedError("training engine: recurrent weights and a norm over timesteps in one network");
    const Plan p = choose(setup);
    record_.memory_over_time.clear();
    MemoryLog log(p.residency, p.segments.size(), record_.cycles, record_.memory_over_time);
    std::vector<std::unique_ptr<UnitSource>> sources;
    std::vector<Machine::Unit> units;
    for (std::size_t u = 0; u < record_.units.size(); ++u) {
        sources.push_back(
            std::make_unique<UnitSource>(setup, arrays_, p.segments, static_cast<std::uint8_t>(u)));
        units.push_back({sources.back().get(), u});
    }
    Machine machine(chip_, units, p.tokens, log, record_);
    machine.shuffle(shuffle_);
    record_.cycles += machine.run();
    record_.steps += 1;
    record_.samples += work.batch;
    record_.batch_block = p.block;
    for (std::size_t b = 0; b < record_.memory.size(); ++b) {
        const MemoryUse& use = p.residency.use[b];
        record_.memory[b].peak_bits = std::max(record_.memory[b].peak_bits, use.peak_bits);
        record_.memory[b].spilled_bits = std::max(record_.memory[b].spilled_bits, use.spilled_bits);
    }
    warm_ = true;
}

}  // namespace loom::training
