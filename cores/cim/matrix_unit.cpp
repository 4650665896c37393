// SPDX-License-Identifier: Apache-2.0
#include "cores/cim/matrix_unit.hpp"

#include <algorithm>
#include <bit>

#include "cores/near_memory/synapse_rows.hpp"
#include "sim/base/counter_math.hpp"
#include "sim/base/rng.hpp"

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
                       const CimContext& context)
    : spec_(spec),
      group_(group),
      size_(arch::matrix_of(group, neurons)),
      event_row_(spec.array.type == arch::CimType::SramDigital &&
                 spec.array.digital == arch::CimDigital::EventRow),
      windows_(size_.positions),
      ready_(size_.positions, 0) {
    CimContext c = context;
    for (std::uint32_t i = 0; i < std::max(group.copies, 1u); ++i, ++c.core) {
        arrays_.emplace_back(spec_, matrix(), c);
        if (spec_.adc.fs == arch::CimFullScale::Calibrated)
            arrays_.back().calibrate(calibration_vectors(size_.rows, c.seed));
    }
    free_.assign(arrays_.size(), 0);
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
        const std::uint32_t taps = c->kernel_h * c->kernel_w;
        for (std::uint32_t ci = 0; ci < c->in_c; ++ci) {
            for (std::uint32_t k = 0; k < taps; ++k) {
                for (std::uint32_t o = 0; o < c->co_count[ci]; ++o) {
                    put(std::size_t{k} * c->in_c + ci, c->co_first[ci] + o,
                        std::size_t{c->weight_at[ci]} + std::size_t{k} * c->co_count[ci] + o);
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

/// Puts an axon into the windows that contain it. Ascending axons give ascending rows in each window.
void MatrixUnit::place(std::uint32_t axon, std::int64_t value) {
    const auto* c = std::get_if<arch::ConvRows>(&group_.rows);
    if (c == nullptr) {
        windows_[0].push_back({axon, value});
        return;
    }
    const std::uint32_t ci = axon % c->in_c;
    for_each_run(group_, axon, [&](std::uint32_t first, std::size_t at, std::uint32_t n) {
        const auto k = static_cast<std::uint32_t>((at - c->weight_at[ci]) / n);
        windows_[first / c->tile_c].push_back({k * c->in_c + ci, value});
    });
}

Cycle MatrixUnit::read(std::span<const std::pair<std::uint32_t, std::int64_t>> inputs, Cycle now,
                       std::uint64_t first_key, std::int64_t* sums) {
    for (const auto& [axon, value] : inputs) place(axon, value);
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
    if (event_row_) {
        Cycle swept = now;
        for (CimArray& a : arrays_) {
            for (std::size_t p = 0; p < (size_.positions + arrays_.size() - 1) / arrays_.size(); ++p)
                swept = std::max(swept, a.sweep(now));
        }
        std::fill(ready_.begin(), ready_.end(),
                  std::max(swept, *std::max_element(ready_.begin(), ready_.end())));
    }
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
}

void MatrixUnit::count_refusal() {
    for (CimArray& a : arrays_) a.count_refusal();
}

void MatrixUnit::collect(CoreCounters& to) {
    for (CimArray& a : arrays_) {
        to.cim = sum_of(to.cim, a.counters());
        a.clear_counters();
    }
    to.cim.shift_adds += further_bits_ * size_.outputs;
    further_bits_ = 0;
}

}  // namespace loom::cores
