// SPDX-License-Identifier: Apache-2.0
#include "training/many_core/cim_arithmetic.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.hpp"

namespace loom::training {
namespace {

void check(const arch::ChipSpec& chip) {
    const arch::CoreSpec& core = chip.kind(0);
    const auto refuse = [](const char* key, const std::string& problem) {
        throw ConfigError(fmt::format("core.cim.{}: {}", key, problem));
    };
    if (!chip.cores.empty()) throw ConfigError("cores: training takes chips whose cores are all alike");
    const auto* cells = core.own<arch::CimCoreSpec>();
    if (cells == nullptr) throw ConfigError("core.kind: training in arrays needs cores of kind cim");
    const arch::CimCoreSpec& s = *cells;
    if (s.array.type != arch::CimType::Rram1t1r && s.array.type != arch::CimType::RramXbar &&
        s.array.type != arch::CimType::Pcm)
        refuse("array.type", "updates in place need rram_1t1r, rram_xbar or pcm");
    if (s.weights.encoding != arch::CimEncoding::Differential)
        refuse("weights.encoding", "updates in place need pairs of cells (differential)");
    if (s.weights.sub_position != arch::CimSubtraction::Digital)
        refuse("weights.sub_position",
               "the cells of a pair are converted one by one when errors are read (digital)");
    if (s.weights.weight_bits - 1 > s.array.cell_bits)
        refuse(
            "weights.weight_bits",
            fmt::format(
                "updates in place need one analogue cell per sign: at most array.cell_bits + 1 = {} (got {})",
                s.array.cell_bits + 1, s.weights.weight_bits));
    if (s.array.cols % 2 != 0) refuse("array.cols", "must be even for column pairs");
    cores::check_cim(s, "core.cim.");
}

}  // namespace

CimArithmetic::CimArithmetic(const arch::ChipSpec& chip) {
    check(chip);
    core_ = chip.kind(0);
    room_.cores = chip.n_cores();
    room_.memory_bits = core_.synapse.memory;
    room_.max_neurons = core_.soma.max_neurons;
    cim_ = &core_.section<arch::CimCoreSpec>();
    room_.cim = cim_;
}

void CimArithmetic::begin(const TrainingView& view) {
    const arch::TrainingWork& work = *view.work;
    for (const arch::LinearWork& l : work.linear)
        if (l.cells.conductance.size() != 2 * l.shape.weights() ||
            l.cells.pulses.size() != 2 * l.shape.weights())
            throw UnsupportedError("training in arrays: " + l.name +
                                   " has no cells; weights are updated in place only (pulses)");
    counters_.items.resize(work.items.size());
    counters_.most_pulses.resize(work.linear.size());
    parts_.clear();
    for (const Block& block : view.placement.blocks) {
        std::vector<Part>& parts = parts_.emplace_back();
        for (const std::uint32_t f : view.placement.populations[block.population].feeds)
            parts.push_back({f, CimMatrix(view, block, view.placement.feeds[f]), {}});
        for (Part& p : parts) p.arrived.resize(work.steps * work.batch);
    }
}

CimArithmetic::Part& CimArithmetic::part(std::uint32_t block, std::uint32_t feed) {
    return *std::ranges::find(parts_[block], feed, &Part::feed);
}

Cycles CimArithmetic::take_spike(TrainingView& view, std::uint32_t b, std::uint32_t f, std::size_t element,
                                 std::size_t pair, bool zero) {
    const Feed& feed = view.placement.feeds[f];
    const arch::LinearWork& l = view.linear(feed);
    const std::size_t position = element / l.shape.in_c;
    const std::uint64_t n =
        l.shape.taps(position / l.shape.in_w, position % l.shape.in_w) * view.placement.blocks[b].channels();
    PhaseRecord& r = view.of_linear(feed.linear);
    r.counts.spike_write += feed.values ? cim_->input_bits : 1;
    if (zero) {  // its bit is not set: no row is driven, whatever is asked of zeros
        r.counts.gated += n;
        return 1;
    }
    r.counts[feed.values ? &TrainingCounters::array_mac : &TrainingCounters::array_ac] += n;
    // The bits of an analogue input are not known: all of them are driven.
    const std::uint64_t value = feed.values ? (std::uint64_t{1} << cim_->input_bits) - 1 : 1;
    part(b, f).arrived[pair].push_back({static_cast<std::uint32_t>(element), value});
    return 1;
}

/// Arrivals of a timestep, one entry per element, ascending; several spikes on a row add up. A row has
/// `input_bits` planes: what does not fit (values of several integrators, more spikes than codes) drives all
/// of them.
void CimArithmetic::take_inputs(std::vector<CimMatrix::Input>& arrived) {
    std::ranges::sort(arrived, {}, &CimMatrix::Input::element);
    inputs_.clear();
    for (const CimMatrix::Input& i : arrived) {
        if (!inputs_.empty() && inputs_.back().element == i.element)
            inputs_.back().value += i.value;
        else
            inputs_.push_back(i);
    }
    arrived.clear();
    const std::uint64_t all = (std::uint64_t{1} << cim_->input_bits) - 1;
    for (CimMatrix::Input& i : inputs_) i.value = std::min(i.value, all);
}

void CimArithmetic::sums(TrainingView& view, std::uint32_t b, std::size_t pair, std::vector<CoreSums>& sums) {
    const Block& block = view.placement.blocks[b];
    ready_.assign(block.last_position, 0);
    bool first = true;
    for (Part& p : parts_[b]) {
        const std::uint32_t linear = view.placement.feeds[p.feed].linear;
        take_inputs(p.arrived[pair]);
        p.matrix.forward(inputs_, ready_, counters(view, linear));
        // sums of further matrices are added to those of the first
        if (!first && !inputs_.empty()) counters(view, linear).tree_adds += block.neurons();
        first = false;
    }
    for (const Cycle ready : ready_) sums.push_back({ready, block.channels()});
}

Cycles CimArithmetic::errors_back(TrainingView& view, std::uint32_t b, std::uint32_t f, std::size_t t) {
    return part(b, f).matrix.backward(view, t, counters(view, view.placement.feeds[f].linear));
}

CoreJob CimArithmetic::update(TrainingView& view, std::uint32_t b, std::uint32_t f) {
    const Block& block = view.placement.blocks[b];
    const std::uint32_t linear = view.placement.feeds[f].linear;
    const arch::LinearWork& l = view.work->linear[linear];
    cores::CimCounters& c = counters(view, linear);
    const std::uint64_t before = c.write_pulses;
    const Cycles pulsing = part(b, f).matrix.update(c);
    view.of_linear(linear).counts.pulses += c.write_pulses - before;
    counters_.most_pulses[linear] = std::max(counters_.most_pulses[linear], l.cells.most_pulses);
    if (block.first_channel == 0) c.worn_cells += l.cells.worn;
    const std::uint64_t weights = weights_of(l, block);
    return {.ready = 0, .cycles = view.on_lanes(count_optimiser(view, linear, weights)), .tail = pulsing};
}

}  // namespace loom::training
