// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <numeric>
#include <tuple>

#include "compiler/passes/slices.hpp"
#include "sim/arch/cim_layout.hpp"
#include "sim/arch/core_kinds.hpp"
#include "sim/base/error.hpp"

namespace loom::compiler {
namespace {

using Form = LoweredProjection::Form;

struct Limit {
    std::uint64_t Need::*member;
    const char* resource;
    std::uint64_t have;
};

std::vector<Limit> core_limits(const arch::CoreSpec& core) {
    const Limit weights =
        core.in_memory() ? Limit{&Need::arrays, "arrays of a core", core.cim->arrays}
                         : Limit{&Need::synapse_bits, "synapse memory of a core (bits)", core.synapse.memory};
    return {{&Need::neurons, "neurons of a core", core.soma.max_neurons},
            {&Need::axons, "input axons of a core", core.axon_in.max_axons},
            weights,
            {&Need::fanout, "output fan-out entries of a core", core.axon_out.max_fanout_entries}};
}

/// The first limit that is exceeded, or nullptr.
const Limit* exceeded(const std::vector<Limit>& limits, const Need& need) {
    for (const Limit& l : limits) {
        if (need.*l.member > l.have) return &l;
    }
    return nullptr;
}

class Partitioner {
  public:
    Partitioner(const Graph& graph, const std::vector<LoweredProjection>& lowered,
                const std::vector<bool>& on_host, const arch::ChipSpec& chip,
                const std::vector<std::uint32_t>& kind_of, std::uint64_t min_slices, std::uint64_t duplicate)
        : g_(graph),
          lowered_(lowered),
          on_host_(on_host),
          chip_(chip),
          kind_of_(kind_of),
          duplicate_(duplicate),
          cores_(arch::cores_of_kinds(chip)) {
        for (std::size_t k = 0; k < chip.n_kinds(); ++k) limits_.push_back(core_limits(chip.kind(k)));
        const std::size_t n = graph.populations.size();
        into_.resize(n);
        out_of_.resize(n);
        for (std::uint32_t p = 0; p < graph.projections.size(); ++p) {
            if (on_host[p]) continue;
            into_[graph.projections[p].target].push_back(p);
            out_of_[graph.projections[p].source].push_back(p);
        }
        extents_.resize(n);
        for (std::uint32_t i = 0; i < n; ++i) extents_[i] = extent_of(i);
        for (const Population& p : graph.populations) {
            min_slices_.push_back(std::min<std::uint64_t>(min_slices, p.count));
        }
        chosen_.resize(n);
    }

    Partition run() {
        for (std::uint32_t i = 0; i < g_.populations.size(); ++i) {
            if (!g_.populations[i].is_input) cut(i);
        }
        while (split_for_fanout()) {
        }
        for (std::uint32_t i = 0; i < chosen_.size(); ++i) {
            for (const Slice& s : chosen_[i]) result_.slices.push_back(s);
        }
        pack();
        return std::move(result_);
    }

  private:
    Extent extent_of(std::uint32_t population) const {
        for (const std::uint32_t p : into_[population]) {
            const auto& l = lowered_[p];
            if (l.form != Form::Conv) continue;
            return {static_cast<std::uint32_t>(l.conv.out_c), static_cast<std::uint32_t>(l.conv.out_h),
                    static_cast<std::uint32_t>(l.conv.out_w)};
        }
        return {g_.populations[population].count, 1, 1};
    }

    const arch::CoreSpec& core_of(std::uint32_t population) const { return chip_.kind(kind_of_[population]); }
    const std::vector<Limit>& limits_of(std::uint32_t population) const {
        return limits_[kind_of_[population]];
    }
    [[noreturn]] void refuse(std::uint32_t population, const char* resource, const std::string& where,
                             std::uint64_t need, std::uint64_t have) const {
        throw MappingError(arch::of_kind(chip_, kind_of_[population], resource), where,
                           static_cast<double>(need), static_cast<double>(have));
    }

    Need static_need(const Slice& s) const {
        Need need;
        need.neurons = s.count();
        const arch::CoreSpec& core = core_of(s.population);
        const std::uint64_t wb = core.synapse.weight_bits, ib = core.synapse.index_bits;
        for (const std::uint32_t p : into_[s.population]) {
            const LoweredProjection& l = lowered_[p];
            if (core.in_memory()) {
                const arch::MatrixSize m = slice_matrix(l, s);
                need.axons += l.form == Form::Conv ? conv_window(l.conv, s).axons() : m.rows;
                need.arrays +=
                    arch::cim_layout(*core.cim, m.rows, m.outputs).arrays() * matrix_copies(l, s, duplicate_);
            } else if (l.form == Form::Dense) {
                need.axons += l.n_axons;
                need.synapse_bits += std::uint64_t{l.n_axons} * s.count() * wb;
            } else if (l.form == Form::Conv) {
                const ConvWindow w = conv_window(l.conv, s);
                need.axons += w.axons();
                for (std::uint32_t ci = w.c0; ci < w.c1; ++ci) {
                    need.synapse_bits +=
                        reached_channels(l.conv, s, ci).count * l.conv.kernel_h * l.conv.kernel_w * wb;
                }
            } else {
                for (std::uint32_t a = 0; a < l.n_axons; ++a) {
                    std::uint64_t entries = 0;
                    for (std::uint32_t i = l.targets.first[a]; i < l.targets.first[a + 1]; ++i) {
                        entries += s.contains(l.targets.items[i]) ? 1u : 0u;
                    }
                    need.axons += entries != 0 ? 1 : 0;
                    need.synapse_bits += entries * (wb + ib);
                }
            }
        }
        return need;
    }

    std::vector<Slice> boxes(std::uint32_t population, std::uint32_t nc, std::uint32_t ny,
                             std::uint32_t nx) const {
        const Extent& e = extents_[population];
        const auto edge = [](std::uint32_t size, std::uint32_t parts, std::uint32_t i) {
            return static_cast<std::uint32_t>(std::uint64_t{size} * i / parts);
        };
        std::vector<Slice> out;
        for (std::uint32_t c = 0; c < nc; ++c) {
            for (std::uint32_t y = 0; y < ny; ++y) {
                for (std::uint32_t x = 0; x < nx; ++x) {
                    Slice s;
                    s.population = population;
                    s.extent = e;
                    s.c0 = edge(e.c, nc, c);
                    s.c1 = edge(e.c, nc, c + 1);
                    s.y0 = edge(e.y, ny, y);
                    s.y1 = edge(e.y, ny, y + 1);
                    s.x0 = edge(e.x, nx, x);
                    s.x1 = edge(e.x, nx, x + 1);
                    out.push_back(s);
                }
            }
        }
        return out;
    }

    /// Fewest slices that fit a core each; among equals the one with the fewest axons in total.
    void cut(std::uint32_t population) {
        const Extent& e = extents_[population];
        const std::uint64_t most = core_of(population).soma.max_neurons, have = cores_[kind_of_[population]];
        const std::uint64_t floor_slices =
            std::max<std::uint64_t>(min_slices_[population], (e.count() + most - 1) / most);
        const std::vector<Limit>& limits = limits_of(population);
        const std::string one_neuron =
            fmt::format("one neuron of layer '{}'", g_.populations[population].name);
        const Limit* binding = &limits[0];
        std::uint64_t need = e.count();
        for (std::uint64_t total = floor_slices; total <= e.count(); ++total) {
            std::uint64_t best_axons = ~std::uint64_t{0};
            std::vector<Slice> best;
            for (std::uint32_t nc = 1; nc <= std::min<std::uint64_t>(total, e.c); ++nc) {
                if (total % nc != 0) continue;
                const std::uint64_t rest = total / nc;
                for (std::uint32_t ny = 1; ny <= std::min<std::uint64_t>(rest, e.y); ++ny) {
                    if (rest % ny != 0 || rest / ny > e.x) continue;
                    auto candidate = boxes(population, nc, ny, static_cast<std::uint32_t>(rest / ny));
                    std::uint64_t axons = 0;
                    bool fits = true;
                    for (const Slice& s : candidate) {
                        const Need n = static_need(s);
                        axons += n.axons;
                        if (const Limit* l = exceeded(limits, n)) {
                            fits = false;
                            binding = l;
                            need = n.*l->member;
                            break;
                        }
                    }
                    if (fits && axons < best_axons) {
                        best_axons = axons;
                        best = std::move(candidate);
                    }
                }
            }
            if (!best.empty()) {
                chosen_[population] = std::move(best);
                return;
            }
            if (total > 4 * have + 64) {  // cannot fit the chip however it is cut
                Slice one = boxes(population, e.c, e.y, e.x)[e.count() / 2];
                const Need least = static_need(one);
                if (const Limit* l = exceeded(limits, least))
                    refuse(population, l->resource, one_neuron, least.*l->member, l->have);
                refuse(population, "cores", fmt::format("layer '{}'", g_.populations[population].name), total,
                       have);
            }
        }
        refuse(population, binding->resource, one_neuron, need, binding->have);
    }

    /// Fan-out entries of every slice. True when a source had to be cut finer.
    bool split_for_fanout() {
        for (std::uint32_t source = 0; source < chosen_.size(); ++source) {
            if (g_.populations[source].is_input) continue;
            const Extent& e = extents_[source];
            std::vector<std::uint32_t> entries(e.count(), 0);
            for (const std::uint32_t p : out_of_[source]) {
                for (const Slice& t : chosen_[g_.projections[p].target]) {
                    const AxonMap map(lowered_[p], t);
                    for (std::uint32_t i = 0; i < e.count(); ++i) {
                        map.for_each(i, [&](std::uint32_t) { ++entries[i]; });
                    }
                }
            }
            fanout_of_[source] = entries;
            std::uint64_t worst = 0;
            for (const Slice& s : chosen_[source]) {
                std::uint64_t n = 0;
                s.for_each([&](std::uint32_t element, std::uint32_t) { n += entries[element]; });
                worst = std::max(worst, n);
            }
            const std::uint64_t have = core_of(source).axon_out.max_fanout_entries;
            if (worst <= have) continue;
            const std::uint64_t one = *std::max_element(entries.begin(), entries.end());
            if (one > have || chosen_[source].size() >= e.count()) {
                refuse(source, "output fan-out entries of a core",
                       fmt::format("one neuron of layer '{}'", g_.populations[source].name),
                       std::max(one, worst), have);
            }
            const std::uint64_t total = std::accumulate(entries.begin(), entries.end(), std::uint64_t{0});
            min_slices_[source] =
                std::max<std::uint64_t>(chosen_[source].size() + 1, (total + have - 1) / have);
            cut(source);
            return true;
        }
        return false;
    }

    /// A core for each slice, or, when there are more slices than cores, first fit.
    void pack() {
        auto& slices = result_.slices;
        result_.of.resize(g_.populations.size());
        result_.needs.resize(slices.size());
        for (std::uint32_t i = 0; i < slices.size(); ++i) {
            Need& n = result_.needs[i];
            n = static_need(slices[i]);
            slices[i].for_each([&](std::uint32_t element, std::uint32_t) {
                n.fanout +=
                    fanout_of_[slices[i].population].empty() ? 0 : fanout_of_[slices[i].population][element];
            });
            result_.of[slices[i].population].push_back(i);
        }
        std::vector<Need> used;
        std::vector<std::uint64_t> wanted(cores_.size(), 0), taken(cores_.size(), 0);
        for (const Slice& s : slices) ++wanted[kind_of_[s.population]];
        for (std::uint32_t i = 0; i < slices.size(); ++i) {
            const std::uint32_t kind = kind_of_[slices[i].population];
            const bool one_each = wanted[kind] <= cores_[kind];
            auto core = static_cast<std::uint32_t>(one_each ? used.size() : 0);
            for (; core < used.size(); ++core) {
                if (result_.kind_of_core[core] != kind) continue;
                Need sum = used[core];
                sum += result_.needs[i];
                if (exceeded(limits_[kind], sum) == nullptr) break;
            }
            if (core == used.size()) {
                used.emplace_back();
                result_.kind_of_core.push_back(kind);
                ++taken[kind];
            }
            slices[i].core = core;
            slices[i].neuron_first = static_cast<std::uint32_t>(used[core].neurons);
            used[core] += result_.needs[i];
        }
        result_.n_cores = static_cast<std::uint32_t>(used.size());
        for (std::size_t k = 0; k < cores_.size(); ++k) {
            if (taken[k] <= cores_[k]) continue;
            throw MappingError(arch::of_kind(chip_, k, "cores"), "the network", static_cast<double>(taken[k]),
                               static_cast<double>(cores_[k]));
        }
    }

    const Graph& g_;
    const std::vector<LoweredProjection>& lowered_;
    const std::vector<bool>& on_host_;
    const arch::ChipSpec& chip_;
    const std::vector<std::uint32_t>& kind_of_;
    std::uint64_t duplicate_;
    std::vector<std::uint64_t> cores_;        ///< [kinds]
    std::vector<std::vector<Limit>> limits_;  ///< [kinds]
    std::vector<std::vector<std::uint32_t>> into_, out_of_;
    std::vector<std::uint64_t> min_slices_;
    std::vector<std::vector<Slice>> chosen_;
    std::map<std::uint32_t, std::vector<std::uint32_t>> fanout_of_;
    std::vector<Extent> extents_;
    Partition result_;
};

}  // namespace

arch::MatrixSize slice_matrix(const LoweredProjection& l, const Slice& s) {
    if (l.form == Form::Conv) {
        const ConvWindow w = conv_window(l.conv, s);
        return {l.conv.kernel_h * l.conv.kernel_w * (w.c1 - w.c0), s.c1 - s.c0,
                std::uint64_t{s.y1 - s.y0} * (s.x1 - s.x0)};
    }
    return {l.form == Form::Dense ? l.n_axons : AxonMap(l, s).count(), s.count(), 1};
}

std::uint64_t matrix_copies(const LoweredProjection& l, const Slice& s, std::uint64_t duplicate) {
    return std::min(duplicate, slice_matrix(l, s).positions);
}

ConvWindow conv_window(const ConvShape& s, const Slice& slice) {
    const auto range = [](std::uint32_t o0, std::uint32_t o1, std::size_t stride, std::size_t dilation,
                          std::size_t kernel, std::int64_t pad, std::size_t in) {
        const auto low = static_cast<std::int64_t>(o0 * stride) - pad;
        const auto high = static_cast<std::int64_t>((o1 - 1) * stride + (kernel - 1) * dilation) - pad + 1;
        const auto a = std::clamp<std::int64_t>(low, 0, static_cast<std::int64_t>(in));
        const auto b = std::clamp<std::int64_t>(high, a, static_cast<std::int64_t>(in));
        return std::pair{static_cast<std::uint32_t>(a), static_cast<std::uint32_t>(b)};
    };
    ConvWindow w;
    std::tie(w.y0, w.y1) = range(slice.y0, slice.y1, s.stride_y, s.dilation_y, s.kernel_h, s.pad_y, s.in_h);
    std::tie(w.x0, w.x1) = range(slice.x0, slice.x1, s.stride_x, s.dilation_x, s.kernel_w, s.pad_x, s.in_w);
    w.c0 = static_cast<std::uint32_t>(slice.c0 / s.out_per_group() * s.in_per_group());
    w.c1 = static_cast<std::uint32_t>(((slice.c1 - 1) / s.out_per_group() + 1) * s.in_per_group());
    return w;
}

ChannelSpan reached_channels(const ConvShape& s, const Slice& slice, std::uint32_t ci) {
    const std::size_t group = ci / s.in_per_group();
    const auto first = std::max<std::size_t>(slice.c0, group * s.out_per_group());
    const auto last = std::min<std::size_t>(slice.c1, (group + 1) * s.out_per_group());
    if (first >= last) return {};
    return {static_cast<std::uint32_t>(first - slice.c0), static_cast<std::uint32_t>(last - first)};
}

AxonMap::AxonMap(const LoweredProjection& lowered, const Slice& slice) : lowered_(&lowered) {
    if (lowered.form == Form::Dense) {
        count_ = lowered.n_axons;
    } else if (lowered.form == Form::Conv) {
        window_ = conv_window(lowered.conv, slice);
        count_ = window_.axons();
    } else {
        dense_index_.assign(lowered.n_axons, kAbsent);
        for (std::uint32_t a = 0; a < lowered.n_axons; ++a) {
            bool reaches = false;
            for (std::uint32_t i = lowered.targets.first[a]; i < lowered.targets.first[a + 1] && !reaches;
                 ++i) {
                reaches = slice.contains(lowered.targets.items[i]);
            }
            if (!reaches) continue;
            dense_index_[a] = static_cast<std::uint32_t>(kept_.size());
            kept_.push_back(a);
        }
        count_ = static_cast<std::uint32_t>(kept_.size());
    }
}

Partition partition(const Graph& graph, const std::vector<LoweredProjection>& lowered,
                    const std::vector<bool>& on_host, const arch::ChipSpec& chip,
                    const std::vector<std::uint32_t>& kind_of, std::uint64_t min_slices,
                    std::uint64_t duplicate) {
    return Partitioner(graph, lowered, on_host, chip, kind_of, min_slices, duplicate).run();
}

}  // namespace loom::compiler
