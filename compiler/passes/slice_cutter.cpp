// SPDX-License-Identifier: Apache-2.0
#include "compiler/passes/slice_cutter.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "arch/core_kinds.hpp"
#include "arch/psum_packets.hpp"
#include "compiler/passes/row_parts.hpp"

namespace loom::compiler {
namespace {

using Form = LoweredProjection::Form;

std::vector<CoreLimit> core_limits(const arch::CoreSpec& core) {
    const arch::WeightStore store = core.type().weight_store(core);
    return {{&Need::neurons, "neurons of a core", core.soma.max_neurons},
            {&Need::axons, "input axons of a core", core.axon_in.max_axons},
            {&Need::store, store.resource, store.capacity},
            {&Need::fanout, "output fan-out entries of a core", core.axon_out.max_fanout_entries}};
}

/// As a convolution into it sees the population; else all channels.
Extent extent_of(const Population& population, const std::vector<LoweredProjection>& lowered,
                 const std::vector<std::uint32_t>& into) {
    for (const std::uint32_t p : into) {
        const auto& l = lowered[p];
        if (l.form != Form::Conv) continue;
        return {static_cast<std::uint32_t>(l.conv.out_c), static_cast<std::uint32_t>(l.conv.out_h),
                static_cast<std::uint32_t>(l.conv.out_w)};
    }
    return {population.count, 1, 1};
}

/// A population in nc x ny x nx boxes.
std::vector<Slice> boxes(std::uint32_t population, const Extent& e, std::uint32_t nc, std::uint32_t ny,
                         std::uint32_t nx) {
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

/// f(slices) for every way to cut a population into so many boxes.
template <class F>
void for_each_cut(std::uint32_t population, const Extent& e, std::uint64_t total, F f) {
    for (std::uint32_t nc = 1; nc <= std::min<std::uint64_t>(total, e.c); ++nc) {
        if (total % nc != 0) continue;
        const std::uint64_t rest = total / nc;
        for (std::uint32_t ny = 1; ny <= std::min<std::uint64_t>(rest, e.y); ++ny) {
            if (rest % ny != 0 || rest / ny > e.x) continue;
            f(boxes(population, e, nc, ny, static_cast<std::uint32_t>(rest / ny)));
        }
    }
}
}  // namespace

const CoreLimit* exceeded(const std::vector<CoreLimit>& limits, const Need& need) {
    for (const CoreLimit& l : limits) {
        if (need.*l.member > l.have) return &l;
    }
    return nullptr;
}

SliceCutter::SliceCutter(const Graph& graph, const std::vector<LoweredProjection>& lowered,
                         const std::vector<bool>& on_host, const arch::ChipSpec& chip,
                         const std::vector<std::uint32_t>& kind_of, const PartitionOptions& options)
    : g_(graph),
      lowered_(lowered),
      chip_(chip),
      kind_of_(kind_of),
      options_(options),
      cores_(options.cores.empty() ? arch::cores_of_kinds(chip) : options.cores),
      into_(graph.populations.size()) {
    for (std::size_t k = 0; k < chip.n_kinds(); ++k) {
        kinds_.push_back(&chip.kind(k).type());
        limits_.push_back(core_limits(chip.kind(k)));
    }
    for (std::uint32_t p = 0; p < graph.projections.size(); ++p) {
        if (!on_host[p]) into_[graph.projections[p].target].push_back(p);
    }
    for (std::uint32_t i = 0; i < graph.populations.size(); ++i)
        extents_.push_back(extent_of(graph.populations[i], lowered, into_[i]));
}

MappingError SliceCutter::refusal(std::uint32_t population, const std::string& resource,
                                  const std::string& where, std::uint64_t need, std::uint64_t have) const {
    return {arch::of_kind(chip_, kind_of_[population], resource), where, static_cast<double>(need),
            static_cast<double>(have)};
}

/// A timestep waits for all its partial sums: none may be lost.
void SliceCutter::check_network(std::uint32_t population) const {
    const bool drops = chip_.noc.shape().drops_packets;
    if (!drops && chip_.noc.faults.loss == 0) return;
    throw UnsupportedError(
        fmt::format("layer '{}': its rows do not fit one core, and partial sums between cores need a "
                    "network that loses "
                    "no packets ({})",
                    g_.populations[population].name,
                    drops ? "noc.router.kind is " + chip_.noc.router.kind : "noc.faults.loss is not 0"));
}

Need SliceCutter::need(const Slice& s) const {
    Need n;
    n.neurons = s.count();  // or registers of as many sums
    if (!s.has_neurons) n.fanout = arch::PsumPackets(chip_, kind_of_[s.population]).packets(s.count());
    const arch::CoreSpec& core = core_of(s.population);
    const arch::CoreKind& kind = kind_of(s.population);
    for (const std::uint32_t p : into_[s.population]) {
        const std::uint64_t copies =
            kind.copies_kernels() ? matrix_copies(lowered_[p], s, options_.duplicate) : 1;
        const SliceMatrix m = slice_matrix(lowered_[p], s, p, copies);
        n.axons += m.axons;
        n.store += kind.need(core, m.matrix);
    }
    return n;
}

std::uint64_t SliceCutter::fewest_slices(std::uint32_t population, std::uint64_t least) const {
    const std::uint64_t most = core_of(population).soma.max_neurons;
    return std::max<std::uint64_t>(least, (extents_[population].count() + most - 1) / most);
}

std::vector<Slice> SliceCutter::cut(std::uint32_t population, std::uint64_t least) const {
    const bool rows = partial_sums(population) && !into_[population].empty();
    const bool asked = rows && options_.row_parts > 1;
    if (asked) {
        Slices parts = cut_rows(population, least);
        if (!parts.empty()) return parts;
    }
    std::optional<MappingError> problem;
    Slices slices = cut_neurons(population, least, problem);
    const bool fits = !slices.empty() && slices.size() <= cores_[kind_of_[population]];
    if (!fits && rows && !asked) {
        Slices parts = cut_rows(population, least);
        if (!parts.empty()) return parts;
    }
    if (slices.empty()) throw *problem;
    return slices;
}

/// Where a message puts a resource that one neuron exceeds.
std::string SliceCutter::one_neuron(std::uint32_t population) const {
    const std::string why = kind_of(population).rows_stay_because(core_of(population));
    return fmt::format("one neuron of layer '{}'{}", g_.populations[population].name,
                       why.empty() ? "" : " (" + why + ")");
}

/// Even one neuron is too much for a core, or all of them are for the chip.
MappingError SliceCutter::does_not_fit(std::uint32_t population, std::uint64_t slices) const {
    const Extent& e = extents_[population];
    const std::string layer = fmt::format("layer '{}'", g_.populations[population].name);
    const Need least = need(boxes(population, e, e.c, e.y, e.x)[e.count() / 2]);
    if (const CoreLimit* l = exceeded(limits_of(population), least)) {
        std::string where = one_neuron(population);
        for (const CoreLimit& other : limits_of(population))
            if (&other != l && least.*other.member > other.have)
                where +=
                    fmt::format("; {}: need {}, have {}", other.resource, least.*other.member, other.have);
        return refusal(population, l->resource, where, least.*l->member, l->have);
    }
    return refusal(population, "cores", layer, slices, cores_[kind_of_[population]]);
}

/// Fewest slices that fit a core each; among equals the one with the fewest axons in total.
std::vector<Slice> SliceCutter::cut_neurons(std::uint32_t population, std::uint64_t least,
                                            std::optional<MappingError>& problem) const {
    const Extent& e = extents_[population];
    const std::uint64_t have = cores_[kind_of_[population]];
    const std::vector<CoreLimit>& limits = limits_of(population);
    const CoreLimit* binding = &limits[0];
    std::uint64_t needed = e.count();
    for (std::uint64_t total = fewest_slices(population, least); total <= e.count(); ++total) {
        std::uint64_t best_axons = ~std::uint64_t{0};
        Slices best;
        for_each_cut(population, e, total, [&](Slices candidate) {
            std::uint64_t axons = 0;
            for (const Slice& s : candidate) {
                const Need n = need(s);
                axons += n.axons;
                if (const CoreLimit* l = exceeded(limits, n)) {
                    binding = l;
                    needed = n.*l->member;
                    return;
                }
            }
            if (axons >= best_axons) return;
            best_axons = axons;
            best = std::move(candidate);
        });
        if (!best.empty()) return best;
        if (total > 4 * have + 64) {  // cannot fit the chip however it is cut
            problem = does_not_fit(population, total);
            return {};
        }
    }
    problem = refusal(population, binding->resource, one_neuron(population), needed, binding->have);
    return {};
}

/// Fewest cores when the rows of a slice may be on several; among equals the fewest slices without
/// neurons (they send in every timestep), then the fewest axons.
std::vector<Slice> SliceCutter::cut_rows(std::uint32_t population, std::uint64_t least) const {
    using Cost = std::array<std::uint64_t, 3>;
    const std::uint64_t have = cores_[kind_of_[population]];
    Cost best{have + 1, 0, 0};
    Slices chosen;
    const std::uint64_t last = std::min<std::uint64_t>(extents_[population].count(), have);
    for (std::uint64_t total = fewest_slices(population, least); total <= last && total <= best[0]; ++total) {
        for_each_cut(population, extents_[population], total, [&](const Slices& candidate) {
            Slices parts;
            Cost cost{};
            for (const Slice& s : candidate) {
                const Slices of = fewest_parts(s);
                if (of.empty()) return;
                parts.insert(parts.end(), of.begin(), of.end());
                cost[1] += of.size() - 1;
                if (parts.size() > best[0]) return;
            }
            for (const Slice& s : parts) cost[2] += need(s).axons;
            cost[0] = parts.size();
            if (cost >= best) return;
            best = cost;
            chosen = std::move(parts);
        });
    }
    if (!chosen.empty() && best[1] != 0) check_network(population);
    return chosen;
}

/// The slice in as few parts as fit a core each; none when there is no way.
std::vector<Slice> SliceCutter::fewest_parts(const Slice& s) const {
    const std::vector<CoreLimit>& limits = limits_of(s.population);
    const auto chunks =
        row_chunks(lowered_, into_[s.population], s, partial_sums(s.population)->rows, options_.row_parts);
    for (std::size_t n = std::min<std::size_t>(options_.row_parts, chunks.size()); n <= chunks.size(); ++n) {
        auto parts = row_parts(s, chunks, std::max<std::size_t>(n, 1));
        if (std::all_of(parts.begin(), parts.end(),
                        [&](const Slice& p) { return exceeded(limits, need(p)) == nullptr; }))
            return parts;
    }
    return {};
}

}  // namespace loom::compiler
