// SPDX-License-Identifier: Apache-2.0
#include "training/learn/neurons/lif.hpp"

#include <algorithm>
#include <utility>

#include "base/error.hpp"
#include "training/learn/axpy.hpp"
#include "training/learn/matrix.hpp"

namespace loom::learn {
namespace {

std::vector<float> expanded(const PerNeuron& p, std::size_t n) {
    std::vector<float> v(n);
    for (std::size_t i = 0; i < n; ++i) v[i] = p[i];
    return v;
}

std::span<const float> row_of(const std::vector<float>& all, std::size_t b, std::size_t n) {
    return {all.data() + b * n, n};
}

template <Reset R>
void update_row(const NeuronConstants& c, const float* __restrict before, const float* __restrict spiked,
                const float* __restrict current, float* __restrict u, std::size_t n) {
    const float *leak = c.leak.data(), *gain = c.gain.data(), *drift = c.drift.data();
    const float *threshold = c.threshold.data(), *reset = c.reset_value.data();
    for (std::size_t i = 0; i < n; ++i) {
        float v = before[i];
        if constexpr (R == Reset::Value) v = spiked[i] != 0 ? reset[i] : v;
        if constexpr (R == Reset::Subtract) v = spiked[i] != 0 ? v - threshold[i] : v;
        float kept = leak[i] * v;
        if constexpr (R == Reset::SubtractAfterLeak) kept = spiked[i] != 0 ? kept - threshold[i] : kept;
        u[i] = kept + gain[i] * current[i] + drift[i];
    }
}

}  // namespace

/// Rows of one sample while errors go back.
struct Lif::Scratch {
    explicit Scratch(std::size_t n) : x(n), h(n, 1.0F), z(n), v(n), grad_current(n), none(n) {}
    std::vector<float> x, h, z, v, grad_current, none;
};

Lif::Lif(const Shape& shape, LifSpec spec, std::shared_ptr<const Surrogate> surrogate)
    : spec_(std::move(spec)), surrogate_(std::move(surrogate)), active_(surrogate_.get()) {
    in = out = shape;
    const std::size_t n = shape.count();
    constants_ = {expanded(spec_.leak, n), expanded(spec_.gain, n), expanded(spec_.drift, n),
                  expanded(spec_.threshold, n), expanded(spec_.reset_value, n)};
}

void Lif::add(std::unique_ptr<NeuronPart> part) {
    const bool needs_spikes =
        part->varies_threshold() || part->recurrence() != nullptr || part->surrogate() != nullptr;
    if (needs_spikes && !spec_.fires) throw InternalError("neurons " + name + ": this part needs spikes");
    part->attach(out, constants_, parameters_);
    matrix_rows_.resize(parameters_.size(), part->matrix_rows());
    records_currents_ |= part->changes_currents() || part->wants_currents();
    records_thresholds_ |= part->varies_threshold();
    if (part->surrogate() != nullptr) active_ = part->surrogate();
    parts_.push_back(std::move(part));
}

std::span<const float> Lif::membrane_before(std::size_t t, std::size_t b) const {
    return t > 0 ? u_.at(t - 1, b) : row_of(first_u_, b, out.count());
}

std::span<const float> Lif::spikes_before(const Signal& spikes, std::size_t t, std::size_t b) const {
    return t > 0 && spec_.fires ? spikes.at(t - 1, b) : row_of(first_s_, b, out.count());
}

void Lif::start(const Pass& pass) {
    const std::size_t n = out.count();
    progress_ = pass.progress;
    if (pass.first == 0) {
        last_u_.assign(pass.batch * n, 0.0F);
        last_s_.assign(pass.batch * n, 0.0F);
    }
    first_u_ = last_u_;
    first_s_ = last_s_;
    u_.resize(pass.steps, pass.batch, n);
    if (records_currents_) currents_.resize(pass.steps, pass.batch, n);
    if (records_thresholds_) thresholds_.resize(pass.steps, pass.batch, n);
    for (const auto& part : parts_) part->begin(pass, constants_);
}

void Lif::finish(const Pass& pass, const Signal& out_signal) {
    for (std::size_t b = 0; b < pass.batch; ++b) {
        const auto to = static_cast<std::ptrdiff_t>(b * out.count());
        std::ranges::copy(u_.at(pass.steps - 1, b), last_u_.begin() + to);
        if (spec_.fires) std::ranges::copy(out_signal.at(pass.steps - 1, b), last_s_.begin() + to);
    }
}

void Lif::update_membranes(std::span<const float> before, std::span<const float> spikes,
                           std::span<const float> current, std::span<float> u) const {
    const auto update = spec_.reset == Reset::Value      ? update_row<Reset::Value>
                        : spec_.reset == Reset::Subtract ? update_row<Reset::Subtract>
                                                         : update_row<Reset::SubtractAfterLeak>;
    update(constants_, before.data(), spikes.data(), current.data(), u.data(), u.size());
}

void Lif::fire(std::span<const float> u, std::span<const float> threshold, std::span<float> s) const {
    if (!spec_.fires)
        std::ranges::copy(u, s.begin());
    else if (spec_.at_threshold)
        for (std::size_t i = 0; i < u.size(); ++i) s[i] = u[i] - threshold[i] >= 0 ? 1.0F : 0.0F;
    else
        for (std::size_t i = 0; i < u.size(); ++i) s[i] = u[i] - threshold[i] > 0 ? 1.0F : 0.0F;
}

void Lif::forward(const Pass& pass, const Signal& in_signal, Signal& out_signal) {
    start(pass);
    for (std::size_t t = 0; t < pass.steps; ++t)
        for (std::size_t b = 0; b < pass.batch; ++b) {
            const auto spikes = spikes_before(out_signal, t, b);
            std::span<const float> current = in_signal.at(t, b), threshold = constants_.threshold;
            if (records_currents_) {
                std::ranges::copy(current, currents_.at(t, b).begin());
                current = currents_.at(t, b);
            }
            if (records_thresholds_) {
                std::ranges::copy(threshold, thresholds_.at(t, b).begin());
                threshold = thresholds_.at(t, b);
            }
            const NeuronRow row{t, b, spikes, records_currents_ ? currents_.at(t, b) : std::span<float>{},
                                records_thresholds_ ? thresholds_.at(t, b) : std::span<float>{}};
            for (const auto& part : parts_) part->forward(row);
            const auto u = u_.at(t, b);
            update_membranes(membrane_before(t, b), spikes, current, u);
            round_row(pass, Role::Membrane, *this, t, b, u);
            fire(u, threshold, out_signal.at(t, b));
        }
    finish(pass, out_signal);
}

void Lif::above_threshold(std::size_t t, std::size_t b, std::span<float> x) const {
    const auto u = u_.at(t, b);
    const std::span<const float> threshold =
        records_thresholds_ ? thresholds_.at(t, b) : constants_.threshold;
    for (std::size_t i = 0; i < u.size(); ++i) x[i] = u[i] - threshold[i];
}

void Lif::derivative(std::size_t t, std::size_t b, std::span<float> h) const {
    x_.resize(h.size());
    above_threshold(t, b, x_);
    active_->derivative(x_, h, progress_);
}

void Lif::describe_neurons(arch::NeuronWork& work) const {
    work.fires = spec_.fires;
    work.hard_reset = spec_.reset == Reset::Value;
    work.leaks = std::ranges::any_of(constants_.leak, [](float l) { return l != 1; });
    const SurrogateCost c = active_->cost();
    work.lut = c.lut, work.compare = c.compare, work.multiply = c.multiply;
    work.add = c.add, work.shift = c.shift, work.divide = c.divide;
    for (const auto& part : parts_) part->describe(work);
}

const Recurrence* Lif::recurrence() const {
    for (const auto& part : parts_)
        if (part->recurrence() != nullptr) return part->recurrence();
    return nullptr;
}

std::optional<float> Lif::current_decay() const {
    for (const auto& part : parts_)
        if (const auto decay = part->current_decay()) return decay;
    return std::nullopt;
}

const AdaptationSpec* Lif::adaptation() const {
    for (const auto& part : parts_)
        if (const AdaptationSpec* a = part->adaptation()) return a;
    return nullptr;
}

/// z += dL/ds through the reset, from dL/du of t + 1.
void Lif::reset_error(std::span<const float> u, std::span<const float> later, std::span<float> z) const {
    const float *leak = constants_.leak.data(), *threshold = constants_.threshold.data();
    for (std::size_t i = 0; i < z.size(); ++i) {
        if (spec_.reset == Reset::Value)
            z[i] += leak[i] * (constants_.reset_value[i] - u[i]) * later[i];
        else
            z[i] -= (spec_.reset == Reset::Subtract ? leak[i] * threshold[i] : threshold[i]) * later[i];
    }
}

/// g = z h + what the membrane passes on to t + 1.
void Lif::membrane_error(const NeuronErrorRow& row, std::span<const float> s, std::span<const float> later,
                         std::span<float> g) const {
    const float* leak = constants_.leak.data();
    const std::size_t n = g.size();
    const bool cuts = spec_.fires && spec_.reset == Reset::Value;
    if (cuts)
        for (std::size_t i = 0; i < n; ++i) {
            const float kept = s[i] != 0 ? 0.0F : leak[i] * later[i];
            g[i] = row.z[i] * row.h[i] + kept;
        }
    else
        for (std::size_t i = 0; i < n; ++i) g[i] = row.z[i] * row.h[i] + leak[i] * later[i];
}

/// Membranes of t - 1 after their reset: what the leak multiplies.
void Lif::after_reset(std::size_t t, std::size_t b, std::span<const float> s, std::span<float> v) const {
    const auto u = membrane_before(t, b);
    for (std::size_t i = 0; i < v.size(); ++i) {
        const bool spiked = s[i] != 0;
        v[i] = u[i];
        if (spiked && spec_.reset == Reset::Value) v[i] = constants_.reset_value[i];
        if (spiked && spec_.reset == Reset::Subtract) v[i] = u[i] - constants_.threshold[i];
    }
}

void Lif::backward_row(const Pass& pass, NeuronErrorRow& row, const Signal& out_signal, Scratch& scratch) {
    const std::size_t t = row.t, b = row.b;
    const std::span<const float> s = out_signal.at(t, b);
    const std::span<const float> later = row.joined ? std::as_const(g_).at(t + 1, b) : scratch.none;
    row.spikes_before = spikes_before(out_signal, t, b);
    if (!parts_.empty()) {
        after_reset(t, b, row.spikes_before, scratch.v);
        row.membrane_before = scratch.v;
    }
    if (records_currents_) row.current = std::as_const(currents_).at(t, b);
    if (spec_.fires) {
        above_threshold(t, b, scratch.x);
        active_->derivative(scratch.x, scratch.h, progress_);
    }
    if (!pass.rules.detach_reset && spec_.fires && row.joined) reset_error(u_.at(t, b), later, row.z);
    for (const auto& part : parts_) part->spike_error(row);
    const auto g = g_.at(t, b);
    membrane_error(row, s, later, g);
    if (extra_gradient.count() == g.size()) learn::add(g.data(), extra_gradient.at(t, b).data(), g.size());
    round_row(pass, Role::Error, *this, t, b, g);
    row.g = g;
    for (std::size_t i = 0; i < g.size(); ++i) scratch.grad_current[i] = constants_.gain[i] * g[i];
    for (std::size_t p = parts_.size(); p-- > 0;) parts_[p]->backward(row);
}

void Lif::backward(const Pass& pass, const Signal&, const Signal& out_signal, const Signal& grad_out,
                   Signal* grad_in) {
    const std::size_t n = out.count();
    g_.resize(pass.steps, pass.batch, n);
    Scratch scratch(n);
    for (const auto& part : parts_) part->begin_backward(pass);
    for (std::size_t t = pass.steps; t-- > 0;) {
        const bool joined = t + 1 < pass.steps && pass.rules.joined(pass.first + t);
        for (std::size_t b = 0; b < pass.batch; ++b) {
            std::ranges::copy(grad_out.at(t, b), scratch.z.begin());
            NeuronErrorRow row{
                t, b, joined, {}, {}, {}, scratch.x, scratch.h, scratch.z, {}, scratch.grad_current};
            backward_row(pass, row, out_signal, scratch);
            if (grad_in != nullptr) learn::add(grad_in->at(t, b).data(), scratch.grad_current.data(), n);
        }
    }
    for (const auto& part : parts_) part->end_backward();
}

std::vector<float> Lif::exported(std::size_t p, bool gradient) {
    const std::vector<float> values = Layer::exported(p, gradient);
    const std::size_t rows = matrix_rows_[p];
    return rows == 0 ? values : transpose(values, rows, rows);
}

std::vector<std::size_t> Lif::file_shape(std::size_t p) {
    const std::size_t rows = matrix_rows_[p];
    return rows == 0 ? Layer::file_shape(p) : std::vector{rows, rows};
}

void Lif::import(std::size_t p, std::span<const float> values) {
    const std::size_t rows = matrix_rows_[p];
    if (rows == 0) return Layer::import(p, values);
    Layer::import(p, transpose(values, rows, rows));
}

}  // namespace loom::learn
