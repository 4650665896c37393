// SPDX-License-Identifier: Apache-2.0
#include "cores/cim/matrix_unit.hpp"

#include <algorithm>
#include <bit>

#include "base/counter_math.hpp"
#include "base/rng.hpp"
#include "cores/near_memory/synapse_rows.hpp"

namespace loom::cores {
namespace {

constexpr std::uint32_t kCalibrationStream = 0x63616c69;
constexpr std::uint32_t kCalibrationVectors = 64;
constexpr std::uint32_t kCalibrationDensity = 8;  // one row in so many is active

std::vector<std::vector<std::uint32_t>> calibration_vectors(std::uint64_t rows, std::uint64_t seed) {
    const CounterRng rng(seed, kCalibrationStream);
    std::vector<std::vector<std::uint32_t>> out(kCalibrationVectors);
    for (std::uint32_t v = 0; v < kCalibrationVectors; ++v) {
        for (std::uint32_t r = 0; r < rows; ++r) {
            if (rng.word(r, v) % kCalibrationDensity == 0) out[v].push_back(r);
        }
    }
    return out;
}

}  // namespace

MatrixUnit::MatrixUnit(const arch::CimCoreSpec& spec, const arch::AxonGroup& group, std::uint32_t neurons,
                       const CimContext& context, std::uint32_t depth)
    : spec_(spec),
      group_(group),
      size_(arch::matrix_of(group, neurons)),
      windows_(size_.positions),
      ready_(size_.positions, 0) {
    CimContext c = context;
    c.positions = size_.positions_of_copy(std::max(group.copies, 1u));
    for (std::uint32_t i = 0; i < std::max(group.copies, 1u); ++i, ++c.core) {
        arrays_.emplace_back(spec_, matrix(), c);
        if (spec_.adc.fs == arch::CimFullScale::Calibrated)
            arrays_.back().calibrate(calibration_vectors(size_.rows, c.seed));
    }
    free_.assign(arrays_.size(), 0);
    if (!event_row()) return;
    added_.assign(depth, std::vector<std::int64_t>(size_.outputs * size_.positions, 0));
    touched_.assign(depth, 0);
}

CimWeights MatrixUnit::matrix() const {
    CimWeights m;
    m.rows = size_.rows;
    m.outputs = size_.outputs;
    m.values.assign(m.rows * m.outputs, 0);
    const auto put = [&](std::size_t row, std::size_t column, std::size_t at) {
        m.values[row * m.outputs + column] = std::visit(
            [&](const auto& v) { return static_cast<std::int32_t>(v[at]); }, group_.weights->values);
    };
    if (const auto* s = std::get_if<arch::SparseRows>(&group_.rows)) {
        for (std::uint32_t r = 0; r < group_.count; ++r) {
            for (std::uint32_t i = s->row[r]; i < s->row[r + 1]; ++i) put(r, s->target[i], i);
        }
    } else if (const auto* c = std::get_if<arch::ConvRows>(&group_.rows)) {
        const std::size_t taps = c->shape.window.taps(), channels = c->shape.in_c;
        for (std::size_t ci = 0; ci < channels; ++ci) {
            for (std::size_t k = 0; k < taps; ++k) {
                for (std::uint32_t o = 0; o < c->co_count[ci]; ++o) {
                    put(k * channels + ci, c->co_first[ci] + o, c->weight_at[ci] + k * c->co_count[ci] + o);
                }
            }
        }
    } else {
        for (std::size_t r = 0; r < m.rows; ++r) {
            for (std::size_t o = 0; o < m.outputs; ++o) put(r, o, r * m.outputs + o);
        }
    }
    return m;
}

template <class F>
void MatrixUnit::for_each_window(std::uint32_t axon, F f) const {
    const auto* c = std::get_if<arch::ConvRows>(&group_.rows);
    if (c == nullptr) {
        f(std::size_t{0}, axon);
        return;
    }
    const auto channels = static_cast<std::uint32_t>(c->shape.in_c);
    const std::uint32_t ci = axon % channels;
    for_each_run(group_, axon, [&](std::uint32_t first, std::size_t at, std::uint32_t n) {
        const auto k = static_cast<std::uint32_t>((at - c->weight_at[ci]) / n);
        f(first / c->shape.out_c, k * channels + ci);
    });
}

CimArray::RowAdd MatrixUnit::add(std::uint32_t axon, std::int64_t payload, Step step, Cycle at) {
    CimArray::RowAdd all{at, at};
    std::int64_t* to = added_[step % added_.size()].data();
    touched_[step % added_.size()] = 1;
    const auto bits = static_cast<std::uint64_t>(payload < 0 ? -payload : payload);
    for_each_window(axon, [&](std::size_t position, std::uint32_t row) {
        CimArray& array = arrays_[position % arrays_.size()];
        for (std::uint64_t left = bits; left != 0; left &= left - 1) {
            const std::int64_t factor = (std::int64_t{1} << std::countr_zero(left)) * (payload < 0 ? -1 : 1);
            const CimArray::RowAdd one = array.add_row(row, at, factor, to + position * size_.outputs);
            all = {std::max(all.begin, one.begin), std::max(all.end, one.end)};
        }
    });
    return all;
}

bool MatrixUnit::sweep(Step step, Cycle now, std::int64_t* sums) {
    const std::size_t slot = step % added_.size();
    std::vector<std::int64_t>& added = added_[slot];
    if (sums != nullptr) {
        for (std::size_t p = 0; p < size_.positions; ++p) ready_[p] = arrays_[p % arrays_.size()].sweep(now);
        // the soma starts when all are swept
        std::fill(ready_.begin(), ready_.end(), *std::max_element(ready_.begin(), ready_.end()));
    }
    if (touched_[slot] == 0) return false;
    for (std::size_t i = 0; sums != nullptr && i < added.size(); ++i) {
        const std::int64_t kept = arrays_[i / size_.outputs % arrays_.size()].kept(added[i]);
        sums[i] += kept * (std::int64_t{1} << group_.shift);
    }
    std::fill(added.begin(), added.end(), 0);
    touched_[slot] = 0;
    return true;
}

Cycle MatrixUnit::read(std::span<const std::pair<std::uint32_t, std::int64_t>> inputs, Cycle now,
                       std::uint64_t first_key, std::int64_t* sums) {
    for (const auto& [axon, input] : inputs) {
        const std::int64_t value = input;
        for_each_window(axon, [&](std::size_t p, std::uint32_t row) { windows_[p].push_back({row, value}); });
    }
    Cycle issue = now;  // the windows are made one per cycle
    for (std::size_t p = 0; p < windows_.size(); ++p) {
        ready_[p] = issue;
        if (!windows_[p].empty()) {
            const auto [start, done] =
                read_position(p, issue, first_key + p * 2 * spec_.input_bits, sums + p * size_.outputs);
            ready_[p] = done;
            issue = start;
            windows_[p].clear();
        }
        ++issue;
    }
    Cycle end = issue;
    for (const Cycle f : free_) end = std::max(end, f);
    return end;
}

std::pair<Cycle, Cycle> MatrixUnit::read_position(std::size_t position, Cycle now, std::uint64_t key,
                                                  std::int64_t* sums) {
    const auto copy = static_cast<std::size_t>(std::min_element(free_.begin(), free_.end()) - free_.begin());
    const std::vector<Input>& window = windows_[position];
    std::uint64_t bits = 0, negative = 0;  // that occur
    for (const Input& i : window) {
        (i.value < 0 ? negative : bits) |= static_cast<std::uint64_t>(i.value < 0 ? -i.value : i.value);
    }
    const Cycle start = std::max(now, free_[copy]);
    Cycle done = start;
    std::uint64_t used = 0;
    for (const bool minus : {false, true}) {
        for (std::uint64_t left = minus ? negative : bits; left != 0; left &= left - 1) {
            const int bit = std::countr_zero(left);
            active_.clear();
            for (const Input& i : window) {
                const std::int64_t v = minus ? -i.value : i.value;
                if (v > 0 && (v >> bit & 1) != 0) active_.push_back(i.row);
            }
            const std::int64_t factor = (std::int64_t{1} << (bit + group_.shift)) * (minus ? -1 : 1);
            done = std::max(done, read_vector(copy, start, key + used, factor, sums));
            if (used++ != 0) ++further_bits_;
        }
    }
    return {start, done};
}

Cycle MatrixUnit::read_vector(std::size_t copy, Cycle now, std::uint64_t key, std::int64_t factor,
                              std::int64_t* sums) {
    CimArray& array = arrays_[copy];
    array.evaluate(active_, key);
    const CimTimes t = array.schedule(std::max(now, free_[copy]));
    free_[copy] = t.fetched;
    const auto values = array.integers();
    for (std::size_t j = 0; j < values.size(); ++j) sums[j] += values[j] * factor;
    return t.done;
}

Cycle MatrixUnit::program(Cycle now) {
    Cycle end = now;
    for (CimArray& a : arrays_) {
        a.erase();
        end = std::max(end, a.write(matrix(), now));
    }
    return end;
}

void MatrixUnit::reset_stages() {
    for (CimArray& a : arrays_) a.reset_stages();
    std::fill(free_.begin(), free_.end(), 0);
    for (auto& w : windows_) w.clear();
    for (auto& a : added_) std::fill(a.begin(), a.end(), 0);
    std::fill(touched_.begin(), touched_.end(), 0);
}

void MatrixUnit::count_refusal() {
    for (CimArray& a : arrays_) a.count_refusal();
}

void MatrixUnit::collect(CimCounters& to) {
    for (CimArray& a : arrays_) {
        to = sum_of(to, a.counters());
        a.clear_counters();
    }
    to.shift_adds += further_bits_ * size_.outputs;
    further_bits_ = 0;
}

}  // namespace loom::cores
