// SPDX-License-Identifier: Apache-2.0
#include "compiler/passes/emit_rows.hpp"

#include <algorithm>

#include "arch/core_kind.hpp"
#include "compiler/passes/quantise.hpp"

namespace loom::compiler {
namespace {

/// n weights in the type that the arithmetic and width ask for.
std::shared_ptr<arch::WeightBlock> make_block(std::size_t n, bool fixed, unsigned weight_bits) {
    auto block = std::make_shared<arch::WeightBlock>();
    if (!fixed) {
        block->values = std::vector<double>(n);
    } else if (weight_bits <= 8) {
        block->values = std::vector<std::int8_t>(n);
    } else {
        block->values = std::vector<std::int16_t>(n);
    }
    return block;
}

/// The axis of a slice whose part of the input begins at `input` and whose tile begins at `output`.
void shift(arch::WindowAxis& axis, std::size_t input, std::size_t output) {
    const std::size_t first = output * axis.stride;  // a slice of padding alone has no input: never below
    axis.before = std::max(axis.before + input, first) - first;
}

/// The address generator of a slice of a convolution; where each input channel's weights lie.
arch::ConvRows address_generator(const arch::LinearShape& shape, const Slice& s, const ConvWindow& w) {
    arch::ConvRows rows;
    rows.shape = shape;
    rows.shape.in_h = w.y1 - w.y0, rows.shape.in_w = w.x1 - w.x0, rows.shape.in_c = w.c1 - w.c0;
    rows.shape.out_h = s.y1 - s.y0, rows.shape.out_w = s.x1 - s.x0, rows.shape.out_c = s.c1 - s.c0;
    shift(rows.shape.window.rows, w.y0, s.y0);
    shift(rows.shape.window.columns, w.x0, s.x0);
    const std::size_t taps = shape.window.taps();
    std::uint32_t at = 0;
    for (std::uint32_t ci = w.c0; ci < w.c1; ++ci) {
        const ChannelSpan span = reached_channels(shape, s, ci);
        rows.co_first.push_back(span.first);
        rows.co_count.push_back(span.count);
        rows.weight_at.push_back(at);
        at += static_cast<std::uint32_t>(taps) * span.count;
    }
    return rows;
}

}  // namespace

void RowEmitter::dense(std::uint32_t p, const std::vector<DenseTarget>& targets) const {
    std::vector<std::vector<std::uint32_t>> parts(
        m_.graph.populations[m_.graph.projections[p].target].count);  // of the slice that has the element
    std::vector<std::uint32_t> column(parts.size());
    std::vector<std::shared_ptr<arch::WeightBlock>> blocks;
    for (std::uint32_t i = 0; i < targets.size(); ++i) {
        targets[i].slice->for_each([&](std::uint32_t element, std::uint32_t n) {
            parts[element].push_back(i);
            column[element] = n;
        });
        const std::size_t rows = targets[i].rows.last - targets[i].rows.first;
        blocks.push_back(make_block(rows * targets[i].slice->count(), m_.program.fixed, weight_bits(p)));
    }
    m_.lowered[p].dense.for_each_target([&](std::size_t o, std::span<const double> row) {
        for (const std::uint32_t part : parts[o]) {
            const std::size_t n = targets[part].slice->count();
            const RowSpan rows = targets[part].rows;
            std::visit(
                [&](auto& values) {
                    using T = std::decay_t<decltype(values[0])>;
                    for (std::size_t i = rows.first; i < rows.last; ++i)
                        values[(i - rows.first) * n + column[o]] = static_cast<T>(stored(p, row[i]));
                },
                blocks[part]->values);
        }
    });
    for (std::size_t i = 0; i < targets.size(); ++i) {
        arch::AxonGroup& a = m_.program.cores[targets[i].image].axons[targets[i].group];
        a.rows = arch::DenseRows{targets[i].slice->count()};
        a.weights = blocks[i];
    }
}

void RowEmitter::sparse(arch::AxonGroup& a, std::uint32_t p, const Slice& s, const AxonMap& map) const {
    std::vector<std::uint32_t> local(m_.graph.populations[s.population].count, 0);
    s.for_each([&](std::uint32_t element, std::uint32_t n) { local[element] = n; });
    arch::SparseRows rows;
    rows.row = {0};
    std::vector<double> values;
    const auto& targets = m_.lowered[p].targets;
    for (const std::uint32_t axon : map.kept()) {
        for (std::uint32_t i = targets.first[axon]; i < targets.first[axon + 1]; ++i) {
            if (!s.contains(targets.items[i])) continue;
            rows.target.push_back(local[targets.items[i]]);
            values.push_back(weight(p, i));
        }
        rows.row.push_back(static_cast<std::uint32_t>(rows.target.size()));
    }
    a.rows = std::move(rows);
    a.weights = block(p, values);
}

void RowEmitter::conv(arch::AxonGroup& a, std::uint32_t p, const Slice& s, const AxonMap& map) {
    const arch::LinearShape& shape = m_.lowered[p].conv;
    const ConvWindow& w = map.window();
    const std::size_t taps = shape.window.taps(), per = shape.group_outputs();
    std::shared_ptr<const arch::WeightBlock>& shared = kernels_[{p, s.c0, s.c1, w.c0, w.c1}];
    if (shared == nullptr) {
        std::vector<double> values;
        for (std::uint32_t ci = w.c0; ci < w.c1; ++ci) {
            const ChannelSpan span = reached_channels(shape, s, ci);
            const std::size_t first = (s.c0 + span.first) % per;
            for (std::size_t k = 0; k < taps; ++k) {
                for (std::uint32_t c = 0; c < span.count; ++c) {
                    values.push_back(weight(p, (ci * taps + k) * per + first + c));
                }
            }
        }
        shared = block(p, values);
    }
    a.rows = address_generator(shape, s, w);
    a.weights = shared;
}

unsigned RowEmitter::weight_bits(std::uint32_t p) const {
    const arch::CoreSpec& core = chip_.kind(m_.kind_of[m_.graph.projections[p].target]);
    return static_cast<unsigned>(core.type().weight_format(core).bits);
}

std::shared_ptr<const arch::WeightBlock> RowEmitter::block(std::uint32_t p,
                                                           const std::vector<double>& values) const {
    const auto out = make_block(values.size(), m_.program.fixed, weight_bits(p));
    std::visit(
        [&](auto& v) {
            std::transform(values.begin(), values.end(), v.begin(),
                           [](double w) { return static_cast<std::decay_t<decltype(v[0])>>(w); });
        },
        out->values);
    return out;
}

double RowEmitter::stored(std::uint32_t p, double w) const {
    return m_.program.fixed ? static_cast<double>(to_integer_weight(w, m_.inputs[p].weight_exponent)) : w;
}

}  // namespace loom::compiler
