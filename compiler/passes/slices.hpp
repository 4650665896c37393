// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <vector>

#include "arch/core_kind.hpp"
#include "arch/program.hpp"
#include "compiler/ir/graph.hpp"
#include "compiler/passes/lowered.hpp"

namespace loom::compiler {

/// A population's elements as [channel][y][x]; populations without a convolution are all channel.
struct Extent {
    std::uint32_t c = 1, y = 1, x = 1;
    std::uint32_t count() const { return c * y * x; }
};

/// Rows of one projection that a part of a slice has: axons (dense), axons that reach the slice (sparse), or
/// input channels of its window (conv), counted from 0.
struct RowSpan {
    static constexpr std::uint32_t kAll = 0xffffffffu;
    std::uint32_t projection = 0, first = 0, last = kAll;
    bool empty() const { return first >= last; }
};

/// Part of a population that lives on one core: a box of its elements. Neurons are ordered
/// [y][x][c] within it, so that the output channels of a kernel row are contiguous. When its rows do not fit
/// one core, further parts of the slice have some of the rows and send sums to the one with the neurons.
struct Slice {
    static constexpr std::uint32_t kSelf = 0xffffffffu;
    std::uint32_t population = 0;
    std::uint32_t c0 = 0, c1 = 0, y0 = 0, y1 = 0, x0 = 0, x1 = 0;
    std::uint32_t core = 0;          ///< logical core
    std::uint32_t neuron_first = 0;  ///< within the core
    Extent extent;                   ///< of the whole population
    std::vector<RowSpan> rows;       ///< one per projection that has any here; empty: all rows of all
    bool has_neurons = true;         ///< else its sums go to
    std::uint32_t owner = kSelf;     ///< this slice

    RowSpan span(std::uint32_t projection) const {
        for (const RowSpan& r : rows) {
            if (r.projection == projection) return r;
        }
        return rows.empty() ? RowSpan{projection, 0, RowSpan::kAll} : RowSpan{projection, 0, 0};
    }
    std::uint32_t count() const { return (c1 - c0) * (y1 - y0) * (x1 - x0); }
    /// f(element of the population, neuron within the slice)
    template <class F>
    void for_each(F f) const {
        std::uint32_t n = 0;
        for (std::uint32_t y = y0; y < y1; ++y) {
            for (std::uint32_t x = x0; x < x1; ++x) {
                for (std::uint32_t c = c0; c < c1; ++c) f((c * extent.y + y) * extent.x + x, n++);
            }
        }
    }
    bool contains(std::uint32_t element) const {
        const std::uint32_t x = element % extent.x, y = element / extent.x % extent.y;
        const std::uint32_t c = element / (extent.x * extent.y);
        return c >= c0 && c < c1 && y >= y0 && y < y1 && x >= x0 && x < x1;
    }
};

/// The part of a convolution's input that a slice sees: a box of [channel][y][x].
struct ConvWindow {
    std::uint32_t c0 = 0, c1 = 0, y0 = 0, y1 = 0, x0 = 0, x1 = 0;
    std::uint32_t axons() const { return (c1 - c0) * (y1 - y0) * (x1 - x0); }
};
ConvWindow conv_window(const arch::LinearShape& shape, const Slice& slice);
/// Output channels [first, first + count) relative to the slice that input channel ci reaches.
struct ChannelSpan {
    std::uint32_t first = 0, count = 0;
};
ChannelSpan reached_channels(const arch::LinearShape& shape, const Slice& slice, std::uint32_t ci);

/// What a slice takes from a core.
struct Need {
    std::uint64_t neurons = 0, axons = 0;
    std::uint64_t store = 0;  ///< weights, in the unit of the kind's store
    std::uint64_t fanout = 0;
    Need& operator+=(const Need& o) {
        neurons += o.neurons;
        axons += o.axons;
        store += o.store;
        fanout += o.fanout;
        return *this;
    }
};

struct Partition {
    std::vector<Slice> slices;
    std::vector<std::vector<std::uint32_t>> of;        ///< [populations] -> slices with neurons
    std::vector<std::vector<std::uint32_t>> parts_of;  ///< [populations] -> all slices
    std::vector<Need> needs;                           ///< [slices]
    std::uint32_t n_cores = 0;                         ///< logical cores in use
    std::vector<std::uint32_t> kind_of_core;           ///< [logical cores]
};

/// For one projection and one target slice: source element -> axons within the slice, in the order in
/// which emit lays them out. f(axon of the slice) is called for each axon the element feeds.
class AxonMap {
  public:
    AxonMap(const LoweredProjection& lowered, const Slice& slice, std::uint32_t projection);
    std::uint32_t count() const { return count_; }
    template <class F>
    void for_each(std::uint32_t source_element, F f) const {
        if (lowered_->identity) {
            visit(source_element, f);
            return;
        }
        const auto& rows = lowered_->axons_of;
        for (std::uint32_t i = rows.first[source_element]; i < rows.first[source_element + 1]; ++i) {
            visit(rows.items[i], f);
        }
    }
    /// Sparse: whole axons that reach this slice, ascending.
    const std::vector<std::uint32_t>& kept() const { return kept_; }
    const ConvWindow& window() const { return window_; }

  private:
    template <class F>
    void visit(std::uint32_t axon, F f) const {
        switch (lowered_->form) {
            case LoweredProjection::Form::Dense:
                if (axon >= first_ && axon - first_ < count_) f(axon - first_);
                return;
            case LoweredProjection::Form::Sparse:
                if (dense_index_[axon] != kAbsent) f(dense_index_[axon]);
                return;
            case LoweredProjection::Form::Conv: {
                const auto& s = lowered_->conv;
                const auto x = static_cast<std::uint32_t>(axon % s.in_w);
                const auto y = static_cast<std::uint32_t>(axon / s.in_w % s.in_h);
                const auto c = static_cast<std::uint32_t>(axon / (s.in_w * s.in_h));
                if (c < window_.c0 || c >= window_.c1 || y < window_.y0 || y >= window_.y1 ||
                    x < window_.x0 || x >= window_.x1) {
                    return;
                }
                f(((y - window_.y0) * (window_.x1 - window_.x0) + (x - window_.x0)) *
                      (window_.c1 - window_.c0) +
                  (c - window_.c0));
                return;
            }
        }
    }
    static constexpr std::uint32_t kAbsent = 0xffffffffu;
    const LoweredProjection* lowered_;
    std::uint32_t count_ = 0;
    std::uint32_t first_ = 0;  ///< dense
    ConvWindow window_;
    std::vector<std::uint32_t> kept_;
    std::vector<std::uint32_t> dense_index_;
};

/// The wishes of a run.
struct PartitionOptions {
    std::uint64_t min_slices = 1;           ///< of every layer that has as many neurons
    std::uint64_t duplicate = 1;            ///< copies of a convolution's kernel in arrays
    std::uint64_t row_parts = 1;            ///< parts of every slice in arrays that has as many rows
    std::vector<std::uint64_t> cores = {};  ///< of each kind; empty: those of the chip
};

/// on_host[p]: projection p takes nothing from a core. kind_of: kind of core of each population.
/// Throws MappingError (neurons, input axons, synapse memory, arrays, fan-out entries, cores); so many cores
/// as it says are enough.
Partition partition(const Graph& graph, const std::vector<LoweredProjection>& lowered,
                    const std::vector<bool>& on_host, const arch::ChipSpec& chip,
                    const std::vector<std::uint32_t>& kind_of, const PartitionOptions& options = {});

/// One projection into one slice: its axons there, and the matrix that its core holds.
struct SliceMatrix {
    std::uint64_t axons = 0;
    arch::StoredMatrix matrix;
};
/// copies: of the matrix in the store.
SliceMatrix slice_matrix(const LoweredProjection& lowered, const Slice& slice, std::uint32_t projection,
                         std::uint64_t copies);
/// Copies of the matrix when `duplicate` of every kernel are asked for.
std::uint64_t matrix_copies(const LoweredProjection& lowered, const Slice& slice, std::uint64_t duplicate);

}  // namespace loom::compiler
