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
        const arch::LinearShape& s = c->shape;
        const std::size_t ci = axon % s.in_c;
        const std::uint32_t first = c->co_first[ci], count = c->co_count[ci];
        const std::size_t weights = c->weight_at[ci];
        if (count == 0) return;
        s.each_output(axon / s.in_c, [&](std::size_t position, std::size_t tap) {
            f(static_cast<std::uint32_t>(position * s.out_c) + first, weights + tap * count, count);
        });
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
