// SPDX-License-Identifier: Apache-2.0
#include "compiler/ir/linear_ops.hpp"

#include <fmt/format.h>

#include <cmath>
#include <map>

#include "base/error.hpp"

namespace loom::compiler {
namespace {

std::size_t at(const NirNode& n, const char* key, std::size_t i) {
    const auto& t = n.arrays.at(key);
    return static_cast<std::size_t>(t.data.at(i < t.data.size() ? i : t.data.size() - 1));
}

void merge(std::map<std::uint32_t, double>& sums, SparseVector& out) {
    out.assign(sums.begin(), sums.end());
}

void apply_conv(const NirNode& node, const SparseVector& in, SparseVector& out) {
    const ConvShape s = conv_shape(node);
    const auto& w = node.arrays.at("weight").data;
    std::map<std::uint32_t, double> sums;
    for (const auto& [element, value] : in) {
        const std::size_t ci = element / (s.in_h * s.in_w);
        const auto y = static_cast<std::int64_t>(element / s.in_w % s.in_h);
        const auto x = static_cast<std::int64_t>(element % s.in_w);
        const std::size_t g = ci / s.in_per_group();
        for (std::size_t ky = 0; ky < s.kernel_h; ++ky) {
            const std::int64_t ny = y + s.pad_y - static_cast<std::int64_t>(ky * s.dilation_y);
            if (ny < 0 || ny % static_cast<std::int64_t>(s.stride_y) != 0) continue;
            const auto oy = static_cast<std::size_t>(ny) / s.stride_y;
            if (oy >= s.out_h) continue;
            for (std::size_t kx = 0; kx < s.kernel_w; ++kx) {
                const std::int64_t nx = x + s.pad_x - static_cast<std::int64_t>(kx * s.dilation_x);
                if (nx < 0 || nx % static_cast<std::int64_t>(s.stride_x) != 0) continue;
                const auto ox = static_cast<std::size_t>(nx) / s.stride_x;
                if (ox >= s.out_w) continue;
                for (std::size_t c = 0; c < s.out_per_group(); ++c) {
                    const std::size_t co = g * s.out_per_group() + c;
                    const double weight =
                        w[((co * s.in_per_group() + ci % s.in_per_group()) * s.kernel_h + ky) * s.kernel_w +
                          kx];
                    sums[static_cast<std::uint32_t>((co * s.out_h + oy) * s.out_w + ox)] += value * weight;
                }
            }
        }
    }
    merge(sums, out);
}

void apply_pool(const NirNode& node, const SparseVector& in, SparseVector& out, bool average) {
    const auto& is = node.input_shape;
    const auto& os = node.output_shape;
    const std::size_t kh = at(node, "kernel_size", 0), kw = at(node, "kernel_size", 1);
    const auto sy = static_cast<std::int64_t>(at(node, "stride", 0));
    const auto sx = static_cast<std::int64_t>(at(node, "stride", 1));
    const auto py = static_cast<std::int64_t>(at(node, "padding", 0));
    const auto px = static_cast<std::int64_t>(at(node, "padding", 1));
    const double scale = average ? 1.0 / static_cast<double>(kh * kw) : 1.0;
    std::map<std::uint32_t, double> sums;
    for (const auto& [element, value] : in) {
        const std::size_t c = element / (is[1] * is[2]);
        const auto y = static_cast<std::int64_t>(element / is[2] % is[1]);
        const auto x = static_cast<std::int64_t>(element % is[2]);
        for (std::size_t ky = 0; ky < kh; ++ky) {
            const std::int64_t ny = y + py - static_cast<std::int64_t>(ky);
            if (ny < 0 || ny % sy != 0 || static_cast<std::size_t>(ny / sy) >= os[1]) continue;
            for (std::size_t kx = 0; kx < kw; ++kx) {
                const std::int64_t nx = x + px - static_cast<std::int64_t>(kx);
                if (nx < 0 || nx % sx != 0 || static_cast<std::size_t>(nx / sx) >= os[2]) continue;
                sums[static_cast<std::uint32_t>((c * os[1] + static_cast<std::size_t>(ny / sy)) * os[2] +
                                                static_cast<std::size_t>(nx / sx))] += value * scale;
            }
        }
    }
    merge(sums, out);
}

void apply_matrix(const NirNode& node, const SparseVector& in, SparseVector& out) {
    const auto& w = node.arrays.at("weight");
    const std::size_t n_in = w.shape.back(), n_out = w.shape[w.shape.size() - 2];
    std::map<std::uint32_t, double> sums;
    const bool batched = w.shape.size() > 2;
    for (const auto& [element, value] : in) {
        const std::size_t batch = element / n_in, i = element % n_in;
        const FileMatrix::Column m =
            w.file != nullptr
                ? w.file->column(i)
                : FileMatrix::Column{w.data.data() + (batched ? batch * n_in * n_out : 0) + i, n_in};
        for (std::size_t o = 0; o < n_out; ++o) {
            sums[static_cast<std::uint32_t>(batch * n_out + o)] += value * m.first[o * m.stride];
        }
    }
    merge(sums, out);
}

}  // namespace

bool has_state(const std::string& type) {
    return type == "IF" || type == "LIF" || type == "CubaLIF" || type == "LI" || type == "CubaLI" ||
           type == "I" || type == "Threshold";
}

bool is_linear(const std::string& type) {
    return type == "Affine" || type == "Linear" || type == "Conv1d" || type == "Conv2d" ||
           type == "SumPool2d" || type == "AvgPool2d" || type == "Flatten" || type == "Scale" ||
           type == "Delay";
}

ConvShape conv_shape(const NirNode& node) {
    ConvShape s;
    const auto& w = node.arrays.at("weight").shape;
    const bool two = node.type == "Conv2d";
    s.groups = at(node, "groups", 0);
    s.out_c = w[0];
    s.in_c = w[1] * s.groups;
    s.kernel_h = two ? w[2] : 1;
    s.kernel_w = two ? w[3] : w[2];
    s.in_h = two ? node.input_shape.at(1) : 1;
    s.in_w = two ? node.input_shape.at(2) : node.input_shape.at(1);
    s.out_h = two ? node.output_shape.at(1) : 1;
    s.out_w = two ? node.output_shape.at(2) : node.output_shape.at(1);
    s.stride_y = two ? at(node, "stride", 0) : 1;
    s.stride_x = at(node, "stride", two ? 1 : 0);
    s.dilation_y = two ? at(node, "dilation", 0) : 1;
    s.dilation_x = at(node, "dilation", two ? 1 : 0);
    const auto text = node.strings.find("padding");
    if (text != node.strings.end()) {
        if (text->second == "same") {  // the extra cell is on the far side
            s.pad_y = static_cast<std::int64_t>(s.dilation_y * (s.kernel_h - 1) / 2);
            s.pad_x = static_cast<std::int64_t>(s.dilation_x * (s.kernel_w - 1) / 2);
        }
    } else {
        s.pad_y = two ? static_cast<std::int64_t>(at(node, "padding", 0)) : 0;
        s.pad_x = static_cast<std::int64_t>(at(node, "padding", two ? 1 : 0));
    }
    return s;
}

void apply_node(const NirNode& node, const SparseVector& in, SparseVector& out, double mask_delay,
                double dt) {
    out.clear();
    if (node.type == "Affine" || node.type == "Linear") return apply_matrix(node, in, out);
    if (node.type == "Conv1d" || node.type == "Conv2d") return apply_conv(node, in, out);
    if (node.type == "SumPool2d") return apply_pool(node, in, out, false);
    if (node.type == "AvgPool2d") return apply_pool(node, in, out, true);
    if (node.type == "Flatten" || node.type == "Input" || node.type == "Output") {
        out = in;
        return;
    }
    if (node.type == "Scale") {
        const auto& s = node.arrays.at("scale").data;
        for (const auto& [i, v] : in) out.emplace_back(i, v * (s.size() == 1 ? s[0] : s.at(i)));
        return;
    }
    if (node.type == "Delay") {
        const auto& d = node.arrays.at("delay").data;
        for (const auto& [i, v] : in) {
            const double steps = std::nearbyint((d.size() == 1 ? d[0] : d.at(i)) / dt);
            if (mask_delay < 0 || steps == mask_delay) out.emplace_back(i, v);
        }
        return;
    }
    throw UnsupportedError(fmt::format("node '{}' of type {} between populations", node.name, node.type));
}

SparseVector apply_chain(const NirModel& model, const std::vector<std::uint32_t>& chain, std::size_t from,
                         SparseVector start, double mask_delay, double dt) {
    SparseVector next;
    for (std::size_t i = from; i < chain.size(); ++i) {
        apply_node(model.nodes[chain[i]], start, next, mask_delay, dt);
        start.swap(next);
    }
    return start;
}

}  // namespace loom::compiler
