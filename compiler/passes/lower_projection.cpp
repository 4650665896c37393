// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <set>

#include "compiler/passes/lowered.hpp"

namespace loom::compiler {
namespace {

bool uniform(std::span<const double> values) {
    return std::all_of(values.begin(), values.end(), [&](double d) { return d == values[0]; });
}

/// Factors of a node that passes every element on; empty for one that does more.
std::span<const double> factors(const NirNode& n) {
    return n.rule->linear.scale ? n.rule->linear.scale(n) : std::span<const double>{};
}

/// Some elements wait longer than others.
bool heterogeneous(const NirNode& n) {
    return n.rule->linear.delay && !uniform(n.rule->linear.delay(n));
}

/// The dense matrix that a node is, or nullptr.
const Tensor* matrix_of(const NirNode& n) {
    return n.rule->linear.matrix ? n.rule->linear.matrix(n) : nullptr;
}

struct Chain {
    const NirModel& model;
    const Projection& p;
    double dt;
    const NirNode& node(std::size_t i) const { return model.nodes[p.chain[i]]; }
    std::size_t size() const { return p.chain.size(); }
};

/// Per output element, the product of the factors behind the weights; empty when one of the nodes does more
/// than scale.
std::vector<double> scales_behind(const Chain& c, std::size_t from, std::size_t n_out) {
    std::vector<double> scale(n_out, 1.0);
    for (std::size_t i = from; i < c.size(); ++i) {
        const std::span<const double> s = factors(c.node(i));
        if (s.empty()) return {};
        for (std::size_t o = 0; o < n_out; ++o) scale[o] *= s.size() == 1 ? s[0] : s[o];
    }
    return scale;
}

void lower_dense(const Tensor& w, double factor, const std::vector<double>& scale, LoweredProjection& out) {
    const std::size_t n_out = w.shape[0], n_in = w.shape[1];
    out.form = LoweredProjection::Form::Dense;
    out.n_axons = static_cast<std::uint32_t>(n_in);
    out.dense = {&w, factor, scale};
    out.ann_macs = out.dense_flops = static_cast<double>(n_in * n_out);
}

/// False when the scales differ within a channel.
bool lower_conv(const NirNode& n, double factor, const std::vector<double>& scale, LoweredProjection& out) {
    const arch::LinearShape s = n.rule->conv->shape(n);
    const std::size_t plane = s.out_h * s.out_w, per = s.group_outputs();
    for (std::size_t o = 0; o < scale.size(); ++o) {
        if (scale[o] != scale[o / plane * plane]) return false;
    }
    out.form = LoweredProjection::Form::Conv;
    out.conv = s;
    out.n_axons = static_cast<std::uint32_t>(s.inputs());
    const auto& w = n.arrays.at("weight").data;
    const std::size_t taps = s.window.taps();
    out.weights.resize(s.in_c * taps * per);
    for (std::size_t ci = 0; ci < s.in_c; ++ci) {
        for (std::size_t k = 0; k < taps; ++k) {
            for (std::size_t c = 0; c < per; ++c) {
                const std::size_t co = ci / s.group_inputs() * per + c;
                out.weights[(ci * taps + k) * per + c] =
                    w[(co * s.group_inputs() + ci % s.group_inputs()) * taps + k] * factor *
                    scale[co * plane];
            }
        }
    }
    out.ann_macs = static_cast<double>(s.synapses());
    out.dense_flops = static_cast<double>(s.out_c * plane * s.group_inputs() * taps);
    return true;
}

void lower_sparse(const Chain& c, std::uint32_t n_source, LoweredProjection& out) {
    out.form = LoweredProjection::Form::Sparse;
    out.n_axons = n_source;
    out.weights.clear();
    for (std::uint32_t i = 0; i < n_source; ++i) {
        for (const auto& [t, v] : apply_chain(c.model, c.p.chain, 0, {{i, 1.0}}, c.p.mask_delay, c.dt)) {
            if (v == 0.0) continue;
            out.targets.items.push_back(t);
            out.weights.push_back(v);
        }
        out.targets.first.push_back(static_cast<std::uint32_t>(out.targets.items.size()));
    }
    out.ann_macs = out.dense_flops = static_cast<double>(out.weights.size());
}

/// Number of the first node of the chain that is neither a factor nor a pool; `factor` becomes what is in
/// front of it. Two pools in a row could reach an element twice: the second one counts as the node sought.
std::size_t first_weights(const Chain& c, double& factor) {
    int pools = 0;
    for (std::size_t i = 0; i < c.size(); ++i) {
        const NirNode& n = c.node(i);
        if (n.rule->pool) {
            if (++pools > 1) return i;
            if (n.rule->pool->mean) factor /= static_cast<double>(n.rule->pool->window(n).taps());
        } else {
            const std::span<const double> s = factors(n);
            if (s.empty() || !uniform(s)) return i;
            factor *= s[0];
        }
    }
    return c.size();
}

/// Source elements -> elements in front of node `main`; pools and reshapes only.
void fan_out(const Chain& c, std::size_t main, std::uint32_t n_source, LoweredProjection& out) {
    const bool any_pool =
        std::any_of(c.p.chain.begin(), c.p.chain.begin() + static_cast<std::ptrdiff_t>(main),
                    [&](std::uint32_t i) { return c.model.nodes[i].rule->pool.has_value(); });
    if (!any_pool) return;
    out.identity = false;
    SparseVector now, next;
    for (std::uint32_t i = 0; i < n_source; ++i) {
        now.assign(1, {i, 1.0});
        for (std::size_t k = 0; k < main; ++k) {
            apply_node(c.node(k), now, next);
            now.swap(next);
        }
        for (const auto& [element, value] : now) out.axons_of.items.push_back(element);
        out.axons_of.first.push_back(static_cast<std::uint32_t>(out.axons_of.items.size()));
    }
}

}  // namespace

const char* form_name(LoweredProjection::Form form) {
    switch (form) {
        case LoweredProjection::Form::Dense:
            return "dense";
        case LoweredProjection::Form::Conv:
            return "conv";
        case LoweredProjection::Form::Sparse:
            return "sparse";
    }
    return "";
}

void LoweredProjection::DenseWeights::for_each_target(
    const std::function<void(std::size_t, std::span<const double>)>& f) const {
    const std::size_t n_in = matrix->shape[1];
    std::vector<double> out(n_in);
    for (std::size_t o = 0; o < matrix->shape[0]; ++o) {
        const std::span<const double> row =
            matrix->file != nullptr ? matrix->file->row(o)
                                    : std::span<const double>(matrix->data).subspan(o * n_in, n_in);
        for (std::size_t i = 0; i < n_in; ++i) out[i] = row[i] * factor * scale[o];
        f(o, out);
    }
}

namespace {
/// Lowest and highest of all weights.
void measure(LoweredProjection& l) {
    bool first = true;
    const auto take = [&](std::span<const double> values) {
        for (const double w : values) {
            l.lowest = first ? w : std::min(l.lowest, w);
            l.highest = first ? w : std::max(l.highest, w);
            first = false;
        }
    };
    if (l.form == LoweredProjection::Form::Dense) {
        l.dense.for_each_target([&](std::size_t, std::span<const double> row) { take(row); });
    } else {
        take(l.weights);
    }
}
}  // namespace

LoweredProjection lower_projection(const Graph& graph, const Projection& projection, double dt,
                                   bool conv_hardware) {
    const Chain c{*graph.model, projection, dt};
    const std::uint32_t n_source = graph.populations[projection.source].count;
    const std::uint32_t n_target = graph.populations[projection.target].count;
    LoweredProjection out;
    double factor = 1.0;
    const std::size_t main = first_weights(c, factor);
    const bool any_delay_mask = std::any_of(projection.chain.begin(), projection.chain.end(),
                                            [&](std::uint32_t i) { return heterogeneous(c.model.nodes[i]); });
    if (main < c.size() && !any_delay_mask) {
        const NirNode& n = c.node(main);
        const std::vector<double> scale = scales_behind(c, main + 1, n_target);
        const Tensor* matrix = matrix_of(n);
        bool done = false;
        if (!scale.empty() && matrix != nullptr && matrix->shape[0] == n_target) {
            lower_dense(*matrix, factor, scale, out);
            done = true;
        } else if (!scale.empty() && n.rule->conv && conv_hardware) {
            done = lower_conv(n, factor, scale, out);
        }
        if (done) {
            fan_out(c, main, n_source, out);
            measure(out);
            return out;
        }
    }
    out = {};
    lower_sparse(c, n_source, out);
    measure(out);
    return out;
}

}  // namespace loom::compiler
