// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <vector>

#include "arch/chip_spec.hpp"
#include "arch/program.hpp"

namespace loom::cores {

/// What one row takes from the pipeline.
struct RowCost {
    std::uint64_t synapses = 0;  ///< targets reached
    std::uint64_t words = 0;     ///< memory words read
    std::uint64_t groups = 0;    ///< accesses of a group of `lanes` accumulators
};

/// The runs of contiguous targets of an axon: f(first neuron of the slice, first weight, length).
template <class F>
void for_each_run(const arch::AxonGroup& group, std::uint32_t axon, F f) {
    if (const auto* d = std::get_if<arch::DenseRows>(&group.rows)) {
        f(0u, std::size_t{axon} * d->columns, d->columns);
        return;
    }
    if (const auto* c = std::get_if<arch::ConvRows>(&group.rows)) {
        const std::uint32_t ci = axon % c->in_c, at = axon / c->in_c;
        if (c->co_count[ci] == 0) return;
        const std::int64_t x = at % c->in_w + c->in_x0, y = at / c->in_w + c->in_y0;
        for (std::uint32_t ky = 0; ky < c->kernel_h; ++ky) {
            const std::int64_t ny = y + c->pad_y - std::int64_t{ky} * c->dilation_y;
            if (ny < 0 || ny % c->stride_y != 0) continue;
            const std::int64_t ty = ny / c->stride_y - c->tile_y0;
            if (ty < 0 || ty >= c->tile_h) continue;
            for (std::uint32_t kx = 0; kx < c->kernel_w; ++kx) {
                const std::int64_t nx = x + c->pad_x - std::int64_t{kx} * c->dilation_x;
                if (nx < 0 || nx % c->stride_x != 0) continue;
                const std::int64_t tx = nx / c->stride_x - c->tile_x0;
                if (tx < 0 || tx >= c->tile_w) continue;
                f(static_cast<std::uint32_t>(ty * c->tile_w + tx) * c->tile_c + c->co_first[ci],
                  std::size_t{c->weight_at[ci]} + std::size_t{ky * c->kernel_w + kx} * c->co_count[ci],
                  c->co_count[ci]);
            }
        }
    }
}

RowCost row_cost(const arch::AxonGroup& group, std::uint32_t axon, const arch::CoreSpec& spec);

/// acc[target] += weight * factor over the row. `acc` points at the slice's first neuron.
template <class Acc>
void add_row(const arch::AxonGroup& group, std::uint32_t axon, Acc factor, Acc* acc) {
    std::visit(
        [&](const auto& weights) {
            const auto* w = weights.data();
            if (const auto* s = std::get_if<arch::SparseRows>(&group.rows)) {
                for (std::uint32_t i = s->row[axon]; i < s->row[axon + 1]; ++i) {
                    acc[s->target[i]] += static_cast<Acc>(w[i]) * factor;
                }
                return;
            }
            for_each_run(group, axon, [&](std::uint32_t first, std::size_t at, std::uint32_t n) {
                Acc* __restrict out = acc + first;
                const auto* __restrict in = w + at;
                if (factor == Acc{1}) {
                    for (std::uint32_t i = 0; i < n; ++i) out[i] += static_cast<Acc>(in[i]);
                } else {
                    for (std::uint32_t i = 0; i < n; ++i) out[i] += static_cast<Acc>(in[i]) * factor;
                }
            });
        },
        group.weights->values);
}

}  // namespace loom::cores
