// SPDX-License-Identifier: Apache-2.0
#include "cores/cim/cells.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "cores/cim/array.hpp"
#include "cores/cim/random.hpp"
#include "base/error.hpp"
#include "base/portable_math.hpp"

namespace loom::cores {
namespace {

double polynomial(const std::vector<double>& c, double x) {
    double sum = 0;
    for (std::size_t i = c.size(); i-- > 0;) sum = sum * x + c[i];
    return sum;
}

/// Target levels of one weight, columns_per_weight of them (in each of two rows, for pairs of rows).
void encode(std::int64_t w, const arch::CimSpec& s, const CimShape& shape, std::uint8_t* out) {
    const std::uint64_t cb = s.array.cell_bits, mask = (std::uint64_t{1} << cb) - 1;
    const std::uint64_t bits = s.weights.weight_bits;
    switch (s.weights.encoding) {
        case arch::CimEncoding::Differential: {
            const auto magnitude = static_cast<std::uint64_t>(w < 0 ? -w : w);
            for (std::uint64_t i = 0; i < shape.slices; ++i) {
                out[2 * i + (w < 0 ? 1 : 0)] = static_cast<std::uint8_t>((magnitude >> (cb * i)) & mask);
                out[2 * i + (w < 0 ? 0 : 1)] = 0;
            }
            return;
        }
        case arch::CimEncoding::DifferentialRows: {
            const auto magnitude = static_cast<std::uint64_t>(w < 0 ? -w : w);
            for (std::uint64_t i = 0; i < shape.slices; ++i) {
                out[i + (w < 0 ? shape.columns : 0)] =
                    static_cast<std::uint8_t>((magnitude >> (cb * i)) & mask);
                out[i + (w < 0 ? 0 : shape.columns)] = 0;
            }
            return;
        }
        case arch::CimEncoding::Offset: {
            const auto shifted = static_cast<std::uint64_t>(w + (std::int64_t{1} << (bits - 1)));
            for (std::uint64_t i = 0; i < shape.slices; ++i) {
                out[i] = static_cast<std::uint8_t>((shifted >> (cb * i)) & mask);
            }
            return;
        }
        case arch::CimEncoding::TwosComplement: {
            const auto low = static_cast<std::uint64_t>(w) & ((std::uint64_t{1} << (bits - 1)) - 1);
            for (std::uint64_t i = 0; i + 1 < shape.slices; ++i) {
                out[i] = static_cast<std::uint8_t>((low >> (cb * i)) & mask);
            }
            out[shape.slices - 1] = w < 0 ? 1 : 0;
            return;
        }
    }
}

}  // namespace

CimCells::CimCells(const arch::CimSpec& s, const CimShape& shape, std::uint64_t seed, std::uint32_t core)
    : spec_(&s),
      rows_(shape.cell_rows),
      columns_(shape.columns),
      seed_(seed),
      core_(core),
      age_(s.device.age * 1e-12),
      top_level_((std::uint64_t{1} << s.array.cell_bits) - 1) {
    const auto& d = s.device;
    const arch::CimType type = s.array.type;
    charge_ = type == arch::CimType::Dram || s.array.readout == arch::CimReadout::Charge;
    conductances_ = !charge_ && type != arch::CimType::SramDigital;
    if (conductances_) {
        base_ = d.Gmin;
        unit_ = (d.Gmax - d.Gmin) / static_cast<double>(top_level_);
    }
    noisy_ = d.sigma > 0 || !d.sigma_poly.empty() || d.p_sa0 > 0 || d.p_sa1 > 0 || d.drift != 0 ||
             d.drift_sigma > 0 || d.relax_mean != 0;
}

std::vector<std::uint8_t> CimCells::levels_of(const CimWeights& w) const {
    const CimShape shape = cim_shape(*spec_, w.rows, w.outputs, 0);
    if (shape.cell_rows != rows_ || shape.columns != columns_ || w.values.size() != w.rows * w.outputs) {
        throw InputError(fmt::format("weights: expected {} rows in {} columns, got [{}, {}]", rows_, columns_,
                                     w.rows, w.outputs));
    }
    const std::int64_t top = (std::int64_t{1} << (spec_->weights.weight_bits - 1)) - 1;
    const std::int64_t low = spec_->weights.encoding == arch::CimEncoding::Differential ||
                                     spec_->weights.encoding == arch::CimEncoding::DifferentialRows
                                 ? -top
                                 : -top - 1;
    std::vector<std::uint8_t> levels(rows_ * columns_);
    for (std::size_t i = 0; i < w.values.size(); ++i) {
        const std::int64_t value = w.values[i];
        if (value < low || value > top) {
            throw InputError(fmt::format("weights[{}, {}]: {} is beyond {} ... {} (weights.weight_bits {})",
                                         i / w.outputs, i % w.outputs, value, low, top,
                                         spec_->weights.weight_bits));
        }
        const std::size_t row = i / w.outputs * (shape.row_pairs ? 2 : 1), column = i % w.outputs;
        encode(value, *spec_, shape, &levels[row * columns_ + column * shape.columns_per_weight]);
    }
    return levels;
}

bool CimCells::is_stuck(std::size_t row, std::size_t column) const {
    const auto& d = spec_->device;
    if (d.p_sa0 == 0 && d.p_sa1 == 0) return false;
    const double u = CounterRng(seed_, cim_stream(CimDraw::Stuck)).uniform(cim_cell(row, column), core_);
    return u < d.p_sa0 || u >= 1.0 - d.p_sa1;
}

double CimCells::programmed(std::size_t row, std::size_t column) const {
    const auto& d = spec_->device;
    const double target = this->target(levels_[row * columns_ + column]);
    const auto normal = [&] {
        return CounterRng(seed_, cim_stream(CimDraw::Programming)).normal(cim_cell(row, column), core_);
    };
    if (d.p_sa0 > 0 || d.p_sa1 > 0) {
        const double u = CounterRng(seed_, cim_stream(CimDraw::Stuck)).uniform(cim_cell(row, column), core_);
        if (u < d.p_sa0) return base_;
        if (u >= 1.0 - d.p_sa1) return base_ + unit_ * static_cast<double>(top_level_);
    }
    if (d.sigma_law == arch::CimSigmaLaw::Lognormal) {
        return d.sigma > 0 ? target * portable_exp(d.sigma * normal() - d.sigma * d.sigma / 2) : target;
    }
    return target + std::max(0.0, polynomial(d.sigma_poly, target / d.Gmax)) * normal();
}

double CimCells::aged(double start, std::size_t row, std::size_t column) const {
    const auto& d = spec_->device;
    if (is_stuck(row, column)) return start;
    double g = start;
    const double log_age = age_ > 1 ? portable_log(age_) : 0;
    if (log_age > 0 && d.sigma_law == arch::CimSigmaLaw::Polynomial) {
        // the spread widens along the draw that programming had: sigma(age) N, kept a trajectory
        const double x = target(levels_[row * columns_ + column]) / d.Gmax;
        const double first = std::max(0.0, polynomial(d.sigma_poly, x));
        const double later =
            std::max(0.0, polynomial(d.sigma_poly, x) + polynomial(d.relax_poly, x) * log_age);
        g += (later - first) *
                 CounterRng(seed_, cim_stream(CimDraw::Programming)).normal(cim_cell(row, column), core_) +
             d.relax_mean * log_age;
    }
    if (age_ > 0 && (d.drift != 0 || d.drift_sigma > 0)) {
        const double t0 = d.drift_t0 * 1e-12;
        double nu = d.drift;
        if (d.drift_sigma > 0) {
            nu += d.drift_sigma *
                  CounterRng(seed_, cim_stream(CimDraw::DriftExponent)).normal(cim_cell(row, column), core_);
        }
        g *= portable_pow((age_ + t0) / t0, -std::max(0.0, nu));
    }
    return std::max(0.0, g);
}

void CimCells::program(std::vector<std::uint8_t> levels) {
    levels_ = std::move(levels);
    written_ = false;
    start_.clear();
    if (noisy_) {
        start_.resize(levels_.size());
        for (std::size_t r = 0; r < rows_; ++r) {
            for (std::size_t c = 0; c < columns_; ++c) start_[r * columns_ + c] = programmed(r, c);
        }
    }
    refresh();
}

void CimCells::set_written(std::vector<std::uint8_t> levels, std::vector<double> conductances) {
    levels_ = std::move(levels);
    start_ = std::move(conductances);
    bool all_exact = !noisy_;
    for (std::size_t i = 0; i < start_.size() && all_exact; ++i) {
        all_exact = std::abs(start_[i] - target(levels_[i])) <= 1e-9 * unit_;
    }
    if (all_exact) start_.clear();
    refresh();
}

void CimCells::set_age(double seconds) {
    age_ = seconds;
    refresh();
}

void CimCells::refresh() {
    exact_ = start_.empty();
    row_sum_.assign(rows_, 0);
    now_.resize(exact_ ? 0 : start_.size());
    for (std::size_t r = 0; r < rows_; ++r) {
        double sum = 0;
        for (std::size_t c = 0; c < columns_; ++c) {
            const std::size_t i = r * columns_ + c;
            if (!exact_) now_[i] = aged(start_[i], r, c);
            sum += exact_ ? target(levels_[i]) : now_[i];
        }
        row_sum_[r] = static_cast<std::uint64_t>(sum * (conductances_ ? 1000.0 : 1.0) + 0.5);
    }
}

double CimCells::at(std::size_t row, std::size_t column) const {
    const std::size_t i = row * columns_ + column;
    return exact_ ? target(levels_[i]) : now_[i];
}

}  // namespace loom::cores
