// SPDX-License-Identifier: Apache-2.0
#include "training/many_core/cim_matrix.hpp"

#include <algorithm>
#include <bit>

#include "base/counter_math.hpp"
#include "cores/cim/pulse_update.hpp"
#include "training/many_core/bits.hpp"
#include "training/many_core/cim_reads.hpp"
#include "training/many_core/geometry.hpp"

namespace loom::training {

using arch::ZeroRule;

CimMatrix::CimMatrix(const TrainingView& view, const Block& block, const Feed& feed)
    : spec_(&view.core().section<arch::CimCoreSpec>()),
      linear_(&view.linear(feed)),
      block_(&block),
      rows_(linear_->shape.weights() / linear_->shape.out_c),
      outputs_(block.channels()),
      forward_(forward_array(*spec_, view.sparsity, rows_, outputs_, {.period_ps = view.chip.clock.period})),
      backward_(
          backward_array(*spec_, view.sparsity, rows_, outputs_, {.period_ps = view.chip.clock.period})),
      windows_(linear_->shape.out_h * linear_->shape.out_w) {
    take_cells();
}

/// The block's columns of the matrix's cells, and the same for the transposed read.
void CimMatrix::take_cells() {
    const arch::CellWork& from = linear_->cells;
    const std::size_t columns = 2 * outputs_, all = 2 * linear_->shape.out_c;
    cells_.resize(rows_ * columns);
    pulses_.resize(rows_ * columns);
    std::vector<double> conductances(rows_ * columns), transposed(rows_ * columns);
    const double range = spec_->device.Gmax - spec_->device.Gmin;
    for (std::size_t r = 0; r < rows_; ++r)
        for (std::size_t c = 0; c < columns; ++c) {
            const std::size_t at = r * all + 2 * block_->first_channel + c;
            const double uS = spec_->device.Gmin + static_cast<double>(from.conductance[at]) * range;
            cells_[r * columns + c] = uS * 1000;
            pulses_[r * columns + c] = from.pulses[at];
            conductances[r * columns + c] = uS;
            transposed[c * rows_ + r] = uS;
        }
    backward_.set_conductances(spec_->training.transposable ? std::move(transposed) : conductances);
    forward_.set_conductances(std::move(conductances));
}

void CimMatrix::collect(cores::CimArray& array, cores::CimCounters& counters) {
    counters = sum_of(counters, array.counters());
    array.clear_counters();
}

Cycles CimMatrix::read(cores::CimArray& array, std::span<const std::uint32_t> active, Cycle now) {
    array.drive(active);
    const cores::CimTimes t = array.schedule(std::max(now, free_));
    free_ = t.fetched;
    return t.done;
}

void CimMatrix::forward(std::span<const Input> inputs, std::vector<Cycle>& ready,
                        cores::CimCounters& counters) {
    const arch::LinearShape& s = linear_->shape;
    for (const Input& i : inputs) {
        const std::size_t c = i.element % s.in_c;
        each_output(s, i.element / s.in_c, [&](std::size_t q, std::size_t tap) {
            windows_[q].push_back({static_cast<std::uint32_t>(tap * s.in_c + c), i.value});
        });
    }
    forward_.reset_stages();
    free_ = 0;
    std::uint64_t further = 0;  // vectors that are not the first of their position
    Cycle issue = 0;            // the windows are made one per cycle
    for (std::size_t p = 0; p < windows_.size(); ++p, ++issue) {
        ready[p] = std::max(ready[p], issue);
        if (windows_[p].empty()) continue;
        ready[p] = std::max(ready[p], read_position(p, issue, further));
        windows_[p].clear();
    }
    collect(forward_, counters);
    counters.shift_adds += further * outputs_;
}

/// The planes of a window. `issue` becomes the cycle in which it enters.
Cycles CimMatrix::read_position(std::size_t position, Cycle& issue, std::uint64_t& further) {
    const std::vector<Input>& window = windows_[position];
    std::uint64_t planes = 0;
    for (const Input& i : window) planes |= i.value;
    issue = std::max(issue, free_);
    Cycle done = issue;
    for (std::uint64_t left = planes; left != 0; left &= left - 1) {
        const int bit = std::countr_zero(left);
        active_.clear();
        for (const Input& i : window)
            if ((i.value >> bit & 1) != 0) active_.push_back(i.element);
        done = std::max(done, read(forward_, active_, issue));
    }
    further += static_cast<std::uint64_t>(std::popcount(planes)) - 1;
    return done;
}

/// Rows of the kernel matrix whose inputs at output position q want their error (all: where zeros are not
/// skipped).
void CimMatrix::find_wanted(const TrainingView& view, std::size_t q, std::span<const std::uint64_t> wanted) {
    const arch::LinearShape& s = linear_->shape;
    wanted_.clear();
    each_input(s, q, [&](std::size_t p, std::size_t tap) {
        if (view.sparsity.derivative == ZeroRule::Dense) {
            for (std::size_t c = 0; c < s.in_c; ++c)
                wanted_.push_back(static_cast<std::uint32_t>(tap * s.in_c + c));
            return;
        }
        each_one(wanted, p * s.in_c, (p + 1) * s.in_c, [&](std::size_t e) {
            wanted_.push_back(static_cast<std::uint32_t>(tap * s.in_c + e % s.in_c));
        });
    });
}

/// Channels of the block with an error at output position q (all: dense).
void CimMatrix::find_lines(const TrainingView& view, std::size_t q, std::span<const std::uint64_t> errors) {
    const std::size_t first = q * linear_->shape.out_c + block_->first_channel;
    lines_.clear();
    if (view.sparsity.errors == ZeroRule::Dense) {
        for (std::uint32_t c = 0; c < outputs_; ++c) lines_.push_back(c);
        return;
    }
    each_one(errors, first, first + outputs_,
             [&](std::size_t e) { lines_.push_back(static_cast<std::uint32_t>(e - first)); });
}

Cycles CimMatrix::backward(TrainingView& view, std::size_t t, cores::CimCounters& counters) {
    const arch::LinearShape& s = linear_->shape;
    const auto errors = linear_->error.row(t, view.sample);
    const auto wanted = linear_->wanted.row(t, view.sample);
    const bool transposable = spec_->training.transposable;
    const bool all_steps = view.sparsity.derivative != ZeroRule::Skip;
    PhaseRecord& r = view.of_linear(static_cast<std::uint32_t>(linear_ - view.work->linear.data()));
    backward_.reset_stages();
    free_ = 0;
    read_rows_.assign(rows_, false);
    Cycle issue = 0, end = 0;
    std::uint64_t products = 0;
    for (std::size_t q = 0; q < windows_.size(); ++q) {
        find_lines(view, q, errors);
        const std::uint64_t rows = view.sparsity.errors == ZeroRule::Skip ? lines_.size() : outputs_;
        if (rows == 0) continue;
        find_wanted(view, q, wanted);
        std::uint64_t all = 0;
        each_input(s, q, [&](std::size_t, std::size_t) { all += s.in_c; });
        const ZeroCost each = zero_cost(view.sparsity.derivative, wanted_.size(), all);
        const std::uint64_t working = lines_.size();
        r.counts[transposable ? &TrainingCounters::array_mac : &TrainingCounters::mac] +=
            working * each.operations;
        r.counts.gated += working * each.gated + (rows - working) * each.slots;
        r.counts.error_read += rows;
        products += rows * each.slots;
        if (!transposable) {
            for (const std::uint32_t w : wanted_) read_rows_[w] = true;
        } else if (all_steps || !wanted_.empty()) {
            end = std::max(end, read_transposed(view, issue, counters));
            ++issue;
        }
    }
    if (!transposable) end = read_rows() + view.on_lanes(products);
    collect(backward_, counters);
    return end;
}

/// Conversion steps that the wanted rows need: neighbours share a converter, arrays convert side by side.
std::uint64_t CimMatrix::conversion_steps() const {
    const std::uint64_t rows = spec_->array.rows, share = std::min(spec_->adc.adc_share, rows);
    std::uint64_t most = 0, now = 0, last = UINT64_MAX;
    for (const std::uint32_t w : wanted_) {
        const std::uint64_t converter =
            w / rows * rows + std::min<std::uint64_t>(w % rows / share, rows / share - 1);
        now = converter == last ? now + 1 : 1;
        last = converter;
        most = std::max(most, now);
    }
    return most;
}

/// One output position: + cells and - cells, plane by plane.
Cycles CimMatrix::read_transposed(const TrainingView& view, Cycle& issue, cores::CimCounters& counters) {
    const std::uint64_t all_steps =
        (std::min<std::uint64_t>(rows_, spec_->array.rows) + backward_.shape().adcs - 1) /
        backward_.shape().adcs;
    const bool skip = view.sparsity.derivative == ZeroRule::Skip;
    backward_.convert_only(wanted_.size(), skip ? conversion_steps() : all_steps);
    issue = std::max(issue, free_);
    Cycle done = issue;
    for (const std::uint32_t side : {0U, 1U}) {
        active_.clear();
        for (const std::uint32_t line : lines_) active_.push_back(2 * line + side);
        for (std::uint64_t plane = 0; plane < spec_->training.error_bits; ++plane)
            done = std::max(done, read(backward_, active_, issue));
    }
    counters.shift_adds += (2 * spec_->training.error_bits - 1) * wanted_.size();
    return done;
}

Cycles CimMatrix::read_rows() {
    active_.clear();
    for (std::uint32_t r = 0; r < rows_; ++r)
        if (read_rows_[r]) active_.push_back(r);
    return active_.empty() ? 0 : read(backward_, active_, 0);
}

Cycles CimMatrix::update(cores::CimCounters& counters) {
    return cores::update_in_place(*spec_, forward_.shape(), cells_, pulses_, counters);
}

}  // namespace loom::training
