// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <set>

#include "compiler/passes/lowered.hpp"

namespace loom::compiler {
namespace {

bool uniform(const Tensor& t) {
    return std::all_of(t.data.begin(), t.data.end(), [&](double d) { return d == t.data[0]; });
}

/// The factor of a node that only passes its input on, possibly scaled; nullopt-like NaN otherwise.
double pass_through(const NirNode& n) {
    if (n.type == "Flatten" || n.type == "Input" || n.type == "Output") return 1.0;
    if (n.type == "Delay" && uniform(n.arrays.at("delay"))) return 1.0;
    if (n.type == "Scale" && uniform(n.arrays.at("scale"))) return n.arrays.at("scale").data[0];
    return std::nan("");
}

bool is_pool(const NirNode& n) {
    return n.type == "SumPool2d" || n.type == "AvgPool2d";
}
bool is_conv(const NirNode& n) {
    return n.type == "Conv1d" || n.type == "Conv2d";
}
bool is_matrix(const NirNode& n) {
    return n.type == "Affine" || n.type == "Linear";
}

double conv_macs(const ConvShape& s) {
    const auto taps = [](std::size_t in, std::size_t out, std::size_t k, std::size_t stride,
                         std::size_t dilation, std::int64_t pad) {
        double n = 0;
        for (std::size_t o = 0; o < out; ++o) {
            for (std::size_t j = 0; j < k; ++j) {
                const auto i = static_cast<std::int64_t>(o * stride + j * dilation) - pad;
                n += i >= 0 && i < static_cast<std::int64_t>(in) ? 1 : 0;
            }
        }
        return n;
    };
    return taps(s.in_h, s.out_h, s.kernel_h, s.stride_y, s.dilation_y, s.pad_y) *
           taps(s.in_w, s.out_w, s.kernel_w, s.stride_x, s.dilation_x, s.pad_x) *
           static_cast<double>(s.out_c * s.in_per_group());
}

struct Chain {
    const NirModel& model;
    const Projection& p;
    double dt;
    const NirNode& node(std::size_t i) const { return model.nodes[p.chain[i]]; }
    std::size_t size() const { return p.chain.size(); }
};

/// Per output element, the product of the Scale nodes behind the weights; empty when one of the
/// nodes does more than that.
std::vector<double> scales_behind(const Chain& c, std::size_t from, std::size_t n_out) {
    std::vector<double> scale(n_out, 1.0);
    for (std::size_t i = from; i < c.size(); ++i) {
        const NirNode& n = c.node(i);
        if (n.type == "Scale") {
            const auto& s = n.arrays.at("scale").data;
            for (std::size_t o = 0; o < n_out; ++o) scale[o] *= s.size() == 1 ? s[0] : s.at(o);
        } else if (std::isnan(pass_through(n))) {
            return {};
        }
    }
    return scale;
}

void lower_dense(const NirNode& n, double factor, const std::vector<double>& scale, LoweredProjection& out) {
    const auto& w = n.arrays.at("weight");
    const std::size_t n_out = w.shape[0], n_in = w.shape[1];
    out.form = LoweredProjection::Form::Dense;
    out.n_axons = static_cast<std::uint32_t>(n_in);
    out.dense = {&w, factor, scale};
    out.ann_macs = out.dense_flops = static_cast<double>(n_in * n_out);
}

/// False when the scales differ within a channel.
bool lower_conv(const NirNode& n, double factor, const std::vector<double>& scale, LoweredProjection& out) {
    const ConvShape s = conv_shape(n);
    const std::size_t plane = s.out_h * s.out_w, per = s.out_per_group();
    for (std::size_t o = 0; o < scale.size(); ++o) {
        if (scale[o] != scale[o / plane * plane]) return false;
    }
    out.form = LoweredProjection::Form::Conv;
    out.conv = s;
    out.n_axons = static_cast<std::uint32_t>(s.in_c * s.in_h * s.in_w);
    const auto& w = n.arrays.at("weight").data;
    const std::size_t taps = s.kernel_h * s.kernel_w;
    out.weights.resize(s.in_c * taps * per);
    for (std::size_t ci = 0; ci < s.in_c; ++ci) {
        for (std::size_t k = 0; k < taps; ++k) {
            for (std::size_t c = 0; c < per; ++c) {
                const std::size_t co = ci / s.in_per_group() * per + c;
                out.weights[(ci * taps + k) * per + c] =
                    w[(co * s.in_per_group() + ci % s.in_per_group()) * taps + k] * factor *
                    scale[co * plane];
            }
        }
    }
    out.ann_macs = conv_macs(s);
    out.dense_flops = static_cast<double>(s.out_c * plane * s.in_per_group() * taps);
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

/// Source elements -> elements in front of node `main`; pools and reshapes only.
void fan_out(const Chain& c, std::size_t main, std::uint32_t n_source, LoweredProjection& out) {
    const bool any_pool =
        std::any_of(c.p.chain.begin(), c.p.chain.begin() + static_cast<std::ptrdiff_t>(main),
                    [&](std::uint32_t i) { return is_pool(c.model.nodes[i]); });
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
    std::size_t main = 0;
    int pools = 0;
    for (; main < c.size(); ++main) {
        const NirNode& n = c.node(main);
        const double f = pass_through(n);
        if (is_pool(n)) {
            // two pools in a row could reach an element twice: left to the sparse form
            if (++pools > 1) break;
            const auto& k = n.arrays.at("kernel_size").data;
            if (n.type == "AvgPool2d") factor /= k[0] * k[k.size() - 1];
        } else if (!std::isnan(f)) {
            factor *= f;
        } else {
            break;
        }
    }
    bool heterogeneous = false;
    for (std::size_t i = 0; i < c.size(); ++i) {
        heterogeneous |= c.node(i).type == "Delay" && !uniform(c.node(i).arrays.at("delay"));
    }
    if (main < c.size() && !heterogeneous) {
        const NirNode& n = c.node(main);
        const std::vector<double> scale = scales_behind(c, main + 1, n_target);
        bool done = false;
        if (!scale.empty() && is_matrix(n) && n.arrays.at("weight").shape.size() == 2 &&
            n.arrays.at("weight").shape[0] == n_target) {
            lower_dense(n, factor, scale, out);
            done = true;
        } else if (!scale.empty() && is_conv(n) && conv_hardware) {
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
