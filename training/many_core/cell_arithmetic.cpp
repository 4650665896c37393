// SPDX-License-Identifier: Apache-2.0
#include "training/many_core/cell_arithmetic.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

#include "base/error.hpp"
#include "base/rng.hpp"
#include "training/learn/matrix.hpp"
#include "training/many_core/geometry.hpp"

namespace loom::training {
namespace {

constexpr std::uint32_t kReadStream = 0x72656164;

/// What pulses left is what is read: programming, ageing and stuck cells are PulseUpdate's or not modelled.
arch::CimCoreSpec without_programming(arch::CimCoreSpec s) {
    s.device.sigma = s.device.p_sa0 = s.device.p_sa1 = 0;
    s.device.sigma_poly.clear();
    s.device.relax_poly.clear();
    s.device.relax_mean = s.device.drift = s.device.drift_sigma = s.device.age = 0;
    return s;
}

std::uint64_t magnitude(std::int64_t v) {
    return static_cast<std::uint64_t>(v < 0 ? -v : v);
}

/// What is not finite has no planes; the training stops for it.
void diverged(std::span<float> to) {
    std::ranges::fill(to, std::numeric_limits<float>::quiet_NaN());
}

void collect(cores::CimArray& array, const learn::Pass& pass, learn::CodeCounts& to) {
    if (pass.training) {
        to.codes += array.counters().conversions;
        to.clipped += array.counters().clips;
    }
    array.clear_counters();
}

}  // namespace

std::uint64_t Planes::digit(float value) const {
    return static_cast<std::uint64_t>(std::ldexp(std::abs(static_cast<double>(value)), -exponent) + 0.5);
}

Planes Planes::of(std::span<const float> values, std::uint64_t bits) {
    float most = 0;
    for (const float v : values) most = std::max(most, std::abs(v));
    Planes p;
    if (most == 0) return p;
    std::frexp(static_cast<double>(most), &p.exponent);
    p.exponent -= static_cast<int>(bits);
    if (p.digit(most) >> bits != 0) ++p.exponent;
    return p;
}

CellArithmetic::CellArithmetic(const arch::CimCoreSpec& spec, const arch::SparsityRules& sparsity,
                               const arch::LinearShape& shape, learn::CellPairs cells, std::uint32_t layer,
                               std::uint64_t seed)
    : spec_(without_programming(spec)),
      shape_(shape),
      cells_(cells),
      layer_(layer),
      seed_(seed),
      rows_(shape.weights() / shape.out_c),
      outputs_(shape.out_c),
      unit_(spec.training.w_range / static_cast<double>((std::uint64_t{1} << spec.array.cell_bits) - 1)),
      noisy_(spec.device.read_noise > 0 || spec.device.rtn_amplitude > 0),
      forward_(forward_array(spec_, sparsity, rows_, outputs_, {.seed = seed, .core = 2 * layer})),
      backward_(backward_array(spec_, sparsity, rows_, outputs_, {.seed = seed, .core = 2 * layer + 1})),
      windows_(shape.out_h * shape.out_w) {
    if (spec.adc.fs == arch::CimFullScale::Calibrated)
        throw ConfigError(
            "core.cim.adc.fs: weights that are trained have no sums to calibrate with; lossless or fixed, or "
            "core.cim.training.arithmetic: float32");
}

/// The conductances of now into both arrays.
void CellArithmetic::load() {
    if (loaded_) return;
    loaded_ = true;
    const double low = spec_.device.Gmin, range = spec_.device.Gmax - low;
    const std::size_t n = rows_ * outputs_;
    std::vector<double> pairs(2 * n), transposed(2 * n);
    for (std::size_t r = 0; r < rows_; ++r)
        for (std::size_t k = 0; k < outputs_; ++k)
            for (const std::size_t side : {0U, 1U}) {
                const std::size_t i = r * outputs_ + k;
                const double g = static_cast<double>((side == 0 ? *cells_.up : *cells_.down)[i]);
                pairs[2 * i + side] = low + g * range;
                transposed[(2 * k + side) * rows_ + r] = low + g * range;
            }
    backward_.set_conductances(spec_.training.transposable ? std::move(transposed) : pairs);
    forward_.set_conductances(std::move(pairs));
    weights_.clear();
}

/// Noise of this sample's reads.
void CellArithmetic::draw_for(cores::CimArray& array, const learn::Pass& pass, std::size_t sample,
                              bool backward) {
    if (!noisy_) return;
    const auto number = static_cast<std::uint32_t>(pass.first_sample + sample);
    const std::uint32_t what = 4 * layer_ + (backward ? 2U : 0U) + (pass.training ? 1U : 0U);
    const auto words = CounterRng(seed_, kReadStream).block(pass.iteration, number, what);
    array.reseed_reads(std::uint64_t{words[0]} << 32 | words[1]);
}

/// The active lines at once; codes times `factor` are added to the total.
void CellArithmetic::read(cores::CimArray& array, std::uint64_t step, double factor) {
    array.evaluate(active_, step);
    const std::span<const double> values = array.values();
    for (std::size_t i = 0; i < values.size(); ++i) total_[i] += values[i] * factor;
}

// ---- forward ----------------------------------------------------------------------------------------

void CellArithmetic::forward(const learn::Pass& pass, const learn::Signal& in, learn::Signal& out) {
    load();
    std::vector<float> once(in.constant ? out.count() : 0);
    for (std::size_t b = 0; b < pass.batch; ++b) {
        draw_for(forward_, pass, b, false);
        if (!in.constant) {
            for (std::size_t t = 0; t < pass.steps; ++t)
                forward_row(pass.first + t, in.at(t, b), out.at(t, b));
            continue;
        }
        std::ranges::fill(once, 0.0F);
        forward_row(pass.first, in.at(0, b), once);
        for (std::size_t t = 0; t < pass.steps; ++t)
            learn::add(out.at(t, b).data(), once.data(), once.size());
    }
    collect(forward_, pass, forward_codes);
}

void CellArithmetic::forward_row(std::uint64_t t, std::span<const float> x, std::span<float> y) {
    if (!learn::all_finite(x)) return diverged(y);
    const Planes planes = Planes::of(x, spec_.input_bits);
    for (std::size_t i = 0; i < x.size(); ++i) {
        if (x[i] == 0) continue;
        const auto digit = static_cast<std::int64_t>(planes.digit(x[i]));
        if (digit == 0) continue;
        const std::size_t c = i % shape_.in_c;
        each_output(shape_, i / shape_.in_c, [&](std::size_t position, std::size_t tap) {
            windows_[position].push_back(
                {static_cast<std::uint32_t>(tap * shape_.in_c + c), x[i] < 0 ? -digit : digit});
        });
    }
    const double unit = std::ldexp(unit_, planes.exponent);
    for (std::size_t p = 0; p < windows_.size(); ++p) {
        if (windows_[p].empty()) continue;
        total_.assign(outputs_, 0);
        read_window(windows_[p], (t * windows_.size() + p) * 2 * spec_.input_bits);
        windows_[p].clear();
        float* to = y.data() + p * outputs_;
        for (std::size_t k = 0; k < outputs_; ++k) to[k] += static_cast<float>(total_[k] * unit);
    }
}

/// The planes of a window that occur, those of negative inputs apart.
void CellArithmetic::read_window(std::span<const Input> window, std::uint64_t first_step) {
    std::uint64_t planes[2] = {0, 0};
    for (const Input& i : window) planes[i.digit < 0 ? 1 : 0] |= magnitude(i.digit);
    for (const bool negative : {false, true})
        for (std::uint64_t left = planes[negative ? 1 : 0]; left != 0; left &= left - 1) {
            const int bit = std::countr_zero(left);
            active_.clear();
            for (const Input& i : window)
                if ((i.digit < 0) == negative && (magnitude(i.digit) >> bit & 1) != 0)
                    active_.push_back(i.row);
            const std::uint64_t number = static_cast<std::uint64_t>(bit) + (negative ? spec_.input_bits : 0);
            read(forward_, first_step + number, std::ldexp(negative ? -1.0 : 1.0, bit));
        }
}

// ---- backward ---------------------------------------------------------------------------------------

void CellArithmetic::backward(const learn::Pass& pass, const learn::Signal& grad_out,
                              learn::Signal& grad_in) {
    load();
    for (std::size_t b = 0; b < pass.batch; ++b) {
        draw_for(backward_, pass, b, true);
        for (std::size_t t = 0; t < pass.steps; ++t)
            if (std::ranges::any_of(grad_out.at(t, b), [](float v) { return v != 0; }))
                backward_row(pass.first + t, grad_out.at(t, b), grad_in.at(t, b));
    }
    collect(backward_, pass, backward_codes);
}

void CellArithmetic::backward_row(std::uint64_t t, std::span<const float> g, std::span<float> to) {
    if (!learn::all_finite(g)) return diverged(to);
    if (!spec_.training.transposable) {
        read_weights(t);
        multiply(g, to);
        return;
    }
    const Planes planes = Planes::of(g, spec_.training.error_bits);
    const double unit = std::ldexp(unit_, planes.exponent);
    for (std::size_t q = 0; q < windows_.size(); ++q) {
        const std::span<const float> errors = g.subspan(q * outputs_, outputs_);
        if (std::ranges::all_of(errors, [](float v) { return v == 0; })) continue;
        total_.assign(rows_, 0);
        read_errors(errors, planes, (t * windows_.size() + q) * 2 * spec_.training.error_bits);
        each_input(shape_, q, [&](std::size_t p, std::size_t tap) {
            float* sum = to.data() + p * shape_.in_c;
            const double* from = total_.data() + tap * shape_.in_c;
            for (std::size_t c = 0; c < shape_.in_c; ++c) sum[c] += static_cast<float>(from[c] * unit);
        });
    }
}

/// Cells that add, then cells that subtract, plane by plane.
void CellArithmetic::read_errors(std::span<const float> g, const Planes& planes, std::uint64_t first_step) {
    const std::uint64_t bits = spec_.training.error_bits;
    digits_.resize(g.size());
    for (std::size_t k = 0; k < g.size(); ++k) digits_[k] = planes.digit(g[k]);
    for (const std::uint32_t subtract : {0U, 1U})
        for (std::uint64_t bit = 0; bit < bits; ++bit) {
            active_.clear();
            for (std::uint32_t k = 0; k < g.size(); ++k)
                if ((digits_[k] >> bit & 1) != 0)
                    active_.push_back(2 * k + ((g[k] < 0 ? 1U : 0U) ^ subtract));
            if (active_.empty()) continue;
            const double factor = std::ldexp(subtract != 0 ? -1.0 : 1.0, static_cast<int>(bit));
            read(backward_, first_step + subtract * bits + bit, factor);
        }
}

/// Every row alone through the columns' converters. Without noise each read gives what the first one gave.
void CellArithmetic::read_weights(std::uint64_t t) {
    if (!noisy_ && !weights_.empty()) {
        backward_codes.codes += weights_codes_.codes;
        backward_codes.clipped += weights_codes_.clipped;
        return;
    }
    const std::uint64_t codes = backward_.counters().conversions, clipped = backward_.counters().clips;
    weights_.resize(rows_ * outputs_);
    for (std::uint32_t r = 0; r < rows_; ++r) {
        active_.assign(1, r);
        total_.assign(outputs_, 0);
        read(backward_, t * rows_ + r, unit_);
        const std::size_t tap = r / shape_.in_c, c = r % shape_.in_c;
        for (std::size_t k = 0; k < outputs_; ++k)
            weights_[(tap * outputs_ + k) * shape_.in_c + c] = static_cast<float>(total_[k]);
    }
    weights_codes_ = {backward_.counters().conversions - codes, backward_.counters().clips - clipped};
}

void CellArithmetic::multiply(std::span<const float> g, std::span<float> to) const {
    for (std::size_t q = 0; q < windows_.size(); ++q)
        each_input(shape_, q, [&](std::size_t p, std::size_t tap) {
            for (std::size_t k = 0; k < outputs_; ++k)
                if (const float error = g[q * outputs_ + k]; error != 0)
                    learn::axpy(to.data() + p * shape_.in_c,
                                weights_.data() + (tap * outputs_ + k) * shape_.in_c, error, shape_.in_c);
        });
}

void read_through_converters(learn::Network& network, const learn::PulseUpdate& cells,
                             const arch::CimCoreSpec& spec, const arch::SparsityRules& sparsity,
                             std::uint64_t seed) {
    for (learn::Network::Node& node : network.nodes()) {
        auto* layer = dynamic_cast<learn::LinearLayer*>(node.layer.get());
        const learn::CellPairs pairs = layer == nullptr ? learn::CellPairs{} : cells.cells(network, *layer);
        if (pairs)
            layer->arithmetic = std::make_unique<CellArithmetic>(spec, sparsity, layer->linear_shape(), pairs,
                                                                 layer->index, seed);
    }
}

}  // namespace loom::training
