// SPDX-License-Identifier: Apache-2.0
// Forward (inputs times weights) and backward (errors times transposed weights): the same loops. Rows of the
// array take positions, columns take neighbouring channels; every row walks the operands in its positions'
// windows. Groups of channels come one after the other: the columns of an array share their operands.
#include <algorithm>
#include <bit>

#include "training/accelerator/tiles.hpp"

namespace loom::training {
namespace {

using arch::ZeroRule;

struct MatrixPass {
    const Neighbours* neighbours;
    const Pixels* operand;          ///< bits: not zero
    std::size_t operand_positions;  ///< pixels of a sample
    std::size_t units;              ///< operands of a pixel when none is skipped (channels, or groups)
    std::size_t weight_rows;        ///< different weights among them for one column
    ZeroRule rule;
    const Pixels* wanted = nullptr;  ///< null: all outputs
    ZeroRule wanted_rule = ZeroRule::Dense;
    std::size_t channels, samples;
    TrainingEvent operation;
    std::size_t group = 1;
    bool tables = false, bias = false;
    bool only_nonzero_read = false;  ///< zero operands are not even fetched
    Tensor operand_tensor;
    TrainingEvent operand_event;
    std::uint64_t operand_bits, channels_read;  ///< of one operand; operands of a pixel
    bool bits_counted = false;                  ///< events count bits
    std::uint64_t conflict = 1;                 ///< accesses to the fullest bank, relative to no conflict
    bool writes = false;
    Tensor result_tensor = Tensor::Membranes;
    TrainingEvent result_event = &TrainingCounters::membrane_write;
    std::uint64_t result_bits = 0;
    bool channels_inside = true;
};

/// Work of some positions that an array takes together.
struct Tile {
    std::vector<std::uint32_t> cycles, operations, columns;  ///< by position: per column; columns wanted
    std::uint64_t operands = 0;                              ///< weight rows that any position needs
    std::uint64_t reads = 0;                                 ///< operands fetched
    std::uint64_t widest = 0, any_wanted = 0;
};

class Tiler {
  public:
    Tiler(const Setup& setup, const arch::TrainingArraySpec& array, const MatrixPass& pass)
        : setup_(setup),
          array_(array),
          p_(pass),
          positions_(pass.neighbours->positions()),
          total_(positions_ * pass.samples),
          fold_(std::max<std::size_t>(1, array.rows / std::max<std::size_t>(1, total_))),
          size_(fold_ > 1 ? total_ : array.rows * array.accumulators),
          touched_(pass.samples * pass.operand_positions, UINT32_MAX) {}

    void make(std::vector<Task>& tasks) {
        const std::size_t tiles = ceil_div(total_, size_);
        const std::size_t blocks = ceil_div(p_.channels, array_.columns);
        if (p_.channels_inside) {
            for (std::size_t i = 0; i < tiles; ++i) {
                const Tile t = tile(i);
                for (std::size_t j = 0; j < blocks; j += fold_) emit(t, i, j, tasks);
            }
        } else {
            std::vector<Tile> all;
            for (std::size_t i = 0; i < tiles; ++i) all.push_back(tile(i));
            for (std::size_t j = 0; j < blocks; j += fold_)
                for (std::size_t i = 0; i < tiles; ++i) emit(all[i], i, j, tasks);
        }
    }

  private:
    Tile tile(std::size_t number) {
        Tile t;
        const std::size_t first = number * size_, end = std::min(total_, first + size_);
        std::vector<std::uint64_t> any, wanted;
        std::uint64_t taps = 0;
        const std::size_t words = p_.operand->words_per_pixel();
        for (std::size_t at = first; at < end; ++at) {
            const std::size_t sample = at / positions_;
            std::uint32_t ones = 0, all = 0;
            for (const Neighbours::Entry& e : p_.neighbours->of(at % positions_)) {
                const std::size_t pixel = sample * p_.operand_positions + e.position;
                ones += p_.operand->ones(pixel);
                all += static_cast<std::uint32_t>(p_.units);
                if (any.size() < (e.tap + 1) * words) any.resize((e.tap + 1) * words);
                const auto bits = p_.operand->words(pixel);
                for (std::size_t w = 0; w < words; ++w) any[e.tap * words + w] |= bits[w];
                if (e.tap >= taps) taps = e.tap + 1;
                if (touched_[pixel] == number) continue;
                touched_[pixel] = static_cast<std::uint32_t>(number);
                t.reads += p_.only_nonzero_read ? p_.operand->ones(pixel) : p_.channels_read;
            }
            t.cycles.push_back(p_.rule == ZeroRule::Skip ? ones : all);
            t.operations.push_back(p_.rule == ZeroRule::Dense ? all : ones);
            std::uint32_t columns = static_cast<std::uint32_t>(p_.channels);
            if (p_.wanted != nullptr && p_.wanted_rule == ZeroRule::Skip) {
                columns = p_.wanted->ones(at);
                const auto bits = p_.wanted->words(at);
                wanted.resize(bits.size());
                for (std::size_t w = 0; w < bits.size(); ++w) wanted[w] |= bits[w];
            }
            t.columns.push_back(columns);
            t.widest = std::max<std::uint64_t>(t.widest, columns);
        }
        t.operands = taps * p_.weight_rows;
        if (p_.rule == ZeroRule::Skip) {
            t.operands = 0;
            for (const std::uint64_t w : any) t.operands += static_cast<std::uint64_t>(std::popcount(w));
        }
        t.any_wanted = t.widest;
        if (!wanted.empty()) {
            t.any_wanted = 0;
            for (const std::uint64_t w : wanted) t.any_wanted += static_cast<std::uint64_t>(std::popcount(w));
        }
        return t;
    }

    /// Channel blocks [block, block + fold) of a tile.
    void emit(const Tile& t, std::size_t number, std::size_t block, std::vector<Task>& tasks) {
        rows_.assign(array_.rows, 0);
        Task task;
        std::uint64_t outputs = 0, operations = 0;
        const std::size_t positions = t.cycles.size();
        for (std::size_t f = 0; f < fold_; ++f) {
            const std::size_t from = (block + f) * array_.columns;
            for (std::size_t i = 0; i < positions; ++i) {
                if (t.columns[i] <= from) continue;
                const std::uint64_t columns = std::min<std::uint64_t>(array_.columns, t.columns[i] - from);
                std::uint64_t useful = columns;
                if (p_.wanted != nullptr && p_.wanted_rule == ZeroRule::Gate)
                    useful = p_.wanted->ones(number * size_ + i, from, from + columns);
                std::uint64_t& row = rows_[fold_ > 1 ? f * positions + i : i % array_.rows];
                row += t.cycles[i] + (p_.bias ? 1 : 0);
                operations += t.operations[i] * useful;
                task.gated += t.cycles[i] * columns - t.operations[i] * useful;
                outputs += columns;
            }
        }
        if (outputs == 0) return;
        const std::uint64_t busiest = *std::max_element(rows_.begin(), rows_.end());
        if (busiest == 0 && !p_.writes) return;
        task.compute = busiest + array_.tile_cycles;
        task.busy = operations + (p_.bias ? outputs : 0);
        task.count(p_.operation, operations);
        task.count(&TrainingCounters::gated, task.gated);
        if (p_.bias) task.count(&TrainingCounters::add, outputs);
        const std::uint64_t weights = t.operands * share_of_columns(t, block);
        if (p_.tables) {
            // Tables come once for all rows, or entry by entry where that is less.
            const std::uint64_t words = std::min(weights << p_.group, operations);
            task.count(&TrainingCounters::lut_read, operations);
            if (setup_.buffers.of(Tensor::Tables))
                setup_.read(task, Tensor::Tables, &TrainingCounters::weight_read, words,
                            setup_.chip.bits.weight);
        } else {
            task.count(&TrainingCounters::pad_read, operations);
            task.count(&TrainingCounters::pad_write, weights * std::min(array_.rows, positions));
            setup_.read(task, Tensor::Weights, &TrainingCounters::weight_read, weights,
                        setup_.chip.bits.weight * p_.conflict);
        }
        read_operands(task, t.reads);
        if (p_.writes) setup_.write(task, p_.result_tensor, p_.result_event, outputs, p_.result_bits);
        tasks.push_back(task);
    }
    /// Columns for which a weight must come: those that any position of the tile wants.
    std::uint64_t share_of_columns(const Tile& t, std::size_t block) const {
        if (p_.wanted == nullptr || p_.wanted_rule != ZeroRule::Skip)
            return std::min<std::uint64_t>(fold_ * array_.columns, p_.channels - block * array_.columns);
        const std::uint64_t passes = ceil_div(ceil_div(t.widest, array_.columns), fold_);
        return share(t.any_wanted, block / fold_, passes);
    }
    void read_operands(Task& task, std::uint64_t n) const {
        const auto b = setup_.buffers.of(p_.operand_tensor);
        task.count(p_.operand_event, p_.bits_counted ? n * p_.operand_bits : n);
        if (b) task.read[*b] += n * p_.operand_bits;
    }

    const Setup& setup_;
    const arch::TrainingArraySpec& array_;
    const MatrixPass& p_;
    std::size_t positions_, total_, fold_, size_;
    std::vector<std::uint32_t> touched_;
    std::vector<std::uint64_t> rows_;
};

/// Weights of a column: `count` words `stride` words apart, against the same number side by side.
std::uint64_t bank_conflict(const arch::TrainingChip& chip, const BufferMap& buffers, std::uint64_t count,
                            std::uint64_t stride) {
    if (chip.schedule.weight_layout == arch::WeightLayout::Skewed) return 1;
    const arch::TrainingBufferSpec& b = chip.buffers[*buffers.of(Tensor::Weights)];
    std::vector<std::uint64_t> hits(b.banks);
    for (std::uint64_t i = 0; i < count; ++i) ++hits[i * stride * chip.bits.weight / b.port % b.banks];
    const std::uint64_t worst = *std::max_element(hits.begin(), hits.end());
    const std::uint64_t straight = ceil_div(count * chip.bits.weight, b.port * b.banks);
    const std::uint64_t words = ceil_div(chip.bits.weight, b.port);  // port accesses for one weight
    return std::max<std::uint64_t>(1, worst * words / std::max<std::uint64_t>(1, straight));
}

}  // namespace

void forward_tiles(const Setup& setup, const arch::TrainingArraySpec& array, const Segment& s,
                   std::vector<Task>& tasks) {
    const arch::LinearWork& w = setup.linear(s.item);
    if (setup.reused(w, s.t0)) return;
    const std::size_t group = setup.group(w);
    const auto signals = setup.signals(w);
    const std::size_t inputs = w.shape.in_h * w.shape.in_w;
    MatrixPass p;
    p.neighbours = &setup.forward[setup.work.items[s.item].index];
    p.operand_positions = inputs;
    p.weight_rows = ceil_div(w.shape.group_inputs(), group);
    p.units = p.weight_rows * signals.size();
    p.rule = setup.chip.sparsity.spikes;
    p.channels = w.shape.group_outputs();
    p.samples = s.samples();
    p.operation =
        setup.binary(w) && !setup.chip.multiplies_spikes ? &TrainingCounters::ac : &TrainingCounters::mac;
    p.group = group;
    p.tables = group > 1;
    p.bias = w.bias;
    p.operand_tensor = Tensor::Spikes;
    p.operand_event = &TrainingCounters::spike_read;
    p.operand_bits = setup.input_bits(w);
    p.channels_read = w.shape.group_inputs() * signals.size();
    p.bits_counted = true;
    p.writes = !setup.links[s.item].sums_stay;
    p.result_bits = setup.chip.bits.membrane;
    p.channels_inside = s.weights_inside;
    for (std::size_t g = 0; g < w.shape.groups; ++g) {
        const Pixels in(signals, s.t0, s.b0, s.b1, inputs, ChannelRange::inputs(w.shape, g), group);
        p.operand = &in;
        Tiler(setup, array, p).make(tasks);
    }
}

void error_tiles(const Setup& setup, const arch::TrainingArraySpec& array, const Segment& s,
                 std::vector<Task>& tasks) {
    const arch::LinearWork& w = setup.linear(s.item);
    const std::size_t inputs = w.shape.in_h * w.shape.in_w, outputs = w.shape.out_h * w.shape.out_w;
    MatrixPass p;
    p.neighbours = &setup.backward[setup.work.items[s.item].index];
    p.operand_positions = outputs;
    p.units = p.weight_rows = w.shape.group_outputs();
    p.rule = setup.chip.sparsity.errors;
    p.channels = w.shape.group_inputs();
    p.samples = s.samples();
    p.operation = &TrainingCounters::mac;
    p.only_nonzero_read = p.rule == ZeroRule::Skip;
    p.operand_tensor = Tensor::Errors;
    p.operand_event = &TrainingCounters::error_read;
    p.operand_bits = setup.chip.bits.error;
    p.channels_read = w.shape.group_outputs();
    p.conflict =
        bank_conflict(setup.chip, setup.buffers, std::min<std::uint64_t>(array.columns, p.channels), p.units);
    const std::uint32_t below = setup.work.items[s.item].sources[0];
    p.writes = below == UINT32_MAX || !setup.links[below].errors_stay;
    p.result_tensor = Tensor::Errors;
    p.result_event = &TrainingCounters::error_write;
    p.result_bits = setup.chip.bits.error;
    p.channels_inside = s.weights_inside;
    for (std::size_t n = 0; n < w.shape.groups; ++n) {
        const Pixels g({&w.error}, s.t0, s.b0, s.b1, outputs, ChannelRange::outputs(w.shape, n));
        p.operand = &g;
        std::optional<Pixels> wanted;
        if (!w.wanted.empty()) {
            wanted.emplace(std::vector{&w.wanted}, s.t0, s.b0, s.b1, inputs,
                           ChannelRange::inputs(w.shape, n));
            p.wanted = &*wanted;
            p.wanted_rule = setup.chip.sparsity.derivative;
        }
        Tiler(setup, array, p).make(tasks);
    }
}

}  // namespace loom::training
