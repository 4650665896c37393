// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <numeric>
#include <optional>
#include <set>

#include "arch/cim_layout.hpp"
#include "arch/core_kinds.hpp"
#include "arch/psum_packets.hpp"
#include "base/error.hpp"
#include "compiler/passes/row_parts.hpp"

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
                const std::vector<std::uint32_t>& kind_of, const PartitionOptions& options)
        : g_(graph),
          lowered_(lowered),
          on_host_(on_host),
          chip_(chip),
          kind_of_(kind_of),
          options_(options),
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
            min_slices_.push_back(std::min<std::uint64_t>(options.min_slices, p.count));
        }
        chosen_.resize(n);
    }

    Partition run() {
        for (std::uint32_t i = 0; i < g_.populations.size(); ++i) {
            if (!g_.populations[i].is_input) cut(i);
        }
        while (split_for_fanout()) {
        }
        std::uint32_t owner = 0;
        for (std::uint32_t i = 0; i < chosen_.size(); ++i) {
            for (const Slice& s : chosen_[i]) {
                if (s.has_neurons) owner = static_cast<std::uint32_t>(result_.slices.size());
                result_.slices.push_back(s);
                if (s.has_neurons) continue;
                check_network(i);
                result_.slices.back().owner = owner;
            }
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
    MappingError refusal(std::uint32_t population, const char* resource, const std::string& where,
                         std::uint64_t need, std::uint64_t have) const {
        return {arch::of_kind(chip_, kind_of_[population], resource), where, static_cast<double>(need),
                static_cast<double>(have)};
    }

    /// A timestep waits for all its partial sums: none may be lost.
    void check_network(std::uint32_t population) const {
        const bool drops = chip_.noc.router.kind == "timeout";
        if (!drops && chip_.noc.faults.loss == 0) return;
        throw UnsupportedError(
            fmt::format("layer '{}': its rows do not fit one core, and partial sums between cores need a "
                        "network that loses "
                        "no packets ({})",
                        g_.populations[population].name,
                        drops ? "noc.router.kind is timeout" : "noc.faults.loss is not 0"));
    }

    Need static_need(const Slice& s) const {
        Need need;
        need.neurons = s.count();  // or registers of as many sums
        const arch::CoreSpec& core = core_of(s.population);
        if (!s.has_neurons) need.fanout = arch::PsumPackets(chip_, kind_of_[s.population]).packets(s.count());
        const std::uint64_t wb = core.synapse.weight_bits, ib = core.synapse.index_bits;
        for (const std::uint32_t p : into_[s.population]) {
            const LoweredProjection& l = lowered_[p];
            if (core.in_memory()) {
                const arch::MatrixSize m = slice_matrix(l, s, p);
                need.axons += l.form == Form::Conv ? AxonMap(l, s, p).count() : m.rows;
                const std::uint64_t copies = matrix_copies(l, s, options_.duplicate);
                need.arrays +=
                    arch::cim_layout(*core.cim, m.rows, m.outputs, m.positions_of_copy(copies)).arrays() *
                    copies;
            } else if (l.form == Form::Dense) {
                need.axons += l.n_axons;
                need.synapse_bits += std::uint64_t{l.n_axons} * s.count() * wb;
            } else if (l.form == Form::Conv) {
                const ConvWindow w = conv_window(l.conv, s);
                need.axons += w.axons();
                for (std::uint32_t ci = w.c0; ci < w.c1; ++ci) {
                    need.synapse_bits += reached_channels(l.conv, s, ci).count * l.conv.window.taps() * wb;
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

    /// f(slices) for every way to cut a population into so many boxes.
    template <class F>
    void for_each_cut(std::uint32_t population, std::uint64_t total, F f) const {
        const Extent& e = extents_[population];
        for (std::uint32_t nc = 1; nc <= std::min<std::uint64_t>(total, e.c); ++nc) {
            if (total % nc != 0) continue;
            const std::uint64_t rest = total / nc;
            for (std::uint32_t ny = 1; ny <= std::min<std::uint64_t>(rest, e.y); ++ny) {
                if (rest % ny != 0 || rest / ny > e.x) continue;
                f(boxes(population, nc, ny, static_cast<std::uint32_t>(rest / ny)));
            }
        }
    }
    std::uint64_t fewest_slices(std::uint32_t population) const {
        const std::uint64_t most = core_of(population).soma.max_neurons;
        return std::max<std::uint64_t>(min_slices_[population],
                                       (extents_[population].count() + most - 1) / most);
    }

    void cut(std::uint32_t population) {
        const bool rows = arch::sends_psums(core_of(population)) && !into_[population].empty();
        const bool asked = rows && options_.row_parts > 1;
        if (asked && cut_rows(population)) return;
        std::optional<MappingError> problem;
        const bool cut = cut_neurons(population, problem);
        const bool fits = cut && chosen_[population].size() <= cores_[kind_of_[population]];
        if (!fits && rows && !asked && cut_rows(population)) return;
        if (!cut) throw *problem;
    }

    /// Fewest slices that fit a core each; among equals the one with the fewest axons in total.
    bool cut_neurons(std::uint32_t population, std::optional<MappingError>& problem) {
        const Extent& e = extents_[population];
        const std::uint64_t have = cores_[kind_of_[population]];
        const std::vector<Limit>& limits = limits_of(population);
        std::string one_neuron = fmt::format("one neuron of layer '{}'", g_.populations[population].name);
        if (core_of(population).in_memory() && !arch::sends_psums(core_of(population)))
            one_neuron += " (sums of event-row arrays are membranes: its rows must be in one core)";
        const Limit* binding = &limits[0];
        std::uint64_t need = e.count();
        for (std::uint64_t total = fewest_slices(population); total <= e.count(); ++total) {
            std::uint64_t best_axons = ~std::uint64_t{0};
            std::vector<Slice> best;
            for_each_cut(population, total, [&](std::vector<Slice> candidate) {
                std::uint64_t axons = 0;
                for (const Slice& s : candidate) {
                    const Need n = static_need(s);
                    axons += n.axons;
                    if (const Limit* l = exceeded(limits, n)) {
                        binding = l;
                        need = n.*l->member;
                        return;
                    }
                }
                if (axons >= best_axons) return;
                best_axons = axons;
                best = std::move(candidate);
            });
            if (!best.empty()) {
                chosen_[population] = std::move(best);
                return true;
            }
            if (total > 4 * have + 64) {  // cannot fit the chip however it is cut
                Slice one = boxes(population, e.c, e.y, e.x)[e.count() / 2];
                const Need least = static_need(one);
                if (const Limit* l = exceeded(limits, least)) {
                    problem = refusal(population, l->resource, one_neuron, least.*l->member, l->have);
                } else {
                    problem =
                        refusal(population, "cores",
                                fmt::format("layer '{}'", g_.populations[population].name), total, have);
                }
                return false;
            }
        }
        problem = refusal(population, binding->resource, one_neuron, need, binding->have);
        return false;
    }

    /// Fewest cores when the rows of a slice may be on several; among equals the fewest slices without
    /// neurons (they send in every timestep), then the fewest axons.
    bool cut_rows(std::uint32_t population) {
        using Cost = std::array<std::uint64_t, 3>;
        const std::uint64_t have = cores_[kind_of_[population]];
        Cost best{have + 1, 0, 0};
        std::vector<Slice> chosen;
        const std::uint64_t last = std::min<std::uint64_t>(extents_[population].count(), have);
        for (std::uint64_t total = fewest_slices(population); total <= last && total <= best[0]; ++total) {
            for_each_cut(population, total, [&](const std::vector<Slice>& candidate) {
                std::vector<Slice> parts;
                Cost cost{};
                for (const Slice& s : candidate) {
                    const std::vector<Slice> of = fewest_parts(s);
                    if (of.empty()) return;
                    parts.insert(parts.end(), of.begin(), of.end());
                    cost[1] += of.size() - 1;
                    if (parts.size() > best[0]) return;
                }
                for (const Slice& s : parts) cost[2] += static_need(s).axons;
                cost[0] = parts.size();
                if (cost >= best) return;
                best = cost;
                chosen = std::move(parts);
            });
        }
        if (chosen.empty()) return false;
        chosen_[population] = std::move(chosen);
        return true;
    }

    /// The slice in as few parts as fit a core each; none when there is no way.
    std::vector<Slice> fewest_parts(const Slice& s) const {
        const arch::CoreSpec& core = core_of(s.population);
        const std::vector<Limit>& limits = limits_of(s.population);
        const auto chunks = row_chunks(
            lowered_, into_[s.population], s,
            core.cim->array.rows / arch::cim_layout(*core.cim, 1, 1).rows_per_weight, options_.row_parts);
        for (std::size_t n = std::min<std::size_t>(options_.row_parts, chunks.size()); n <= chunks.size();
             ++n) {
            auto parts = row_parts(s, chunks, std::max<std::size_t>(n, 1));
            if (std::all_of(parts.begin(), parts.end(),
                            [&](const Slice& p) { return exceeded(limits, static_need(p)) == nullptr; }))
                return parts;
        }
        return {};
    }

    /// Fan-out entries of every slice. True when a source had to be cut finer.
    bool split_for_fanout() {
        for (std::uint32_t source = 0; source < chosen_.size(); ++source) {
            if (g_.populations[source].is_input) continue;
            const Extent& e = extents_[source];
            std::vector<std::uint32_t> entries(e.count(), 0);
            for (const std::uint32_t p : out_of_[source]) {
                for (const Slice& t : chosen_[g_.projections[p].target]) {
                    const AxonMap map(lowered_[p], t, p);
                    for (std::uint32_t i = 0; i < e.count(); ++i) {
                        map.for_each(i, [&](std::uint32_t) { ++entries[i]; });
                    }
                }
            }
            fanout_of_[source] = entries;
            std::uint64_t worst = 0;
            std::uint64_t slices = 0;
            for (const Slice& s : chosen_[source]) {
                if (!s.has_neurons) continue;
                ++slices;
                std::uint64_t n = 0;
                s.for_each([&](std::uint32_t element, std::uint32_t) { n += entries[element]; });
                worst = std::max(worst, n);
            }
            const std::uint64_t have = core_of(source).axon_out.max_fanout_entries;
            if (worst <= have) continue;
            const std::uint64_t one = *std::max_element(entries.begin(), entries.end());
            if (one > have || slices >= e.count()) {
                throw refusal(source, "output fan-out entries of a core",
                              fmt::format("one neuron of layer '{}'", g_.populations[source].name),
                              std::max(one, worst), have);
            }
            const std::uint64_t total = std::accumulate(entries.begin(), entries.end(), std::uint64_t{0});
            min_slices_[source] = std::max<std::uint64_t>(slices + 1, (total + have - 1) / have);
            cut(source);
            return true;
        }
        return false;
    }

    /// A core for each slice, or, when there are more slices than cores, first fit; parts of a slice are on
    /// different cores.
    void pack() {
        auto& slices = result_.slices;
        result_.of.resize(g_.populations.size());
        result_.parts_of.resize(g_.populations.size());
        result_.needs.resize(slices.size());
        for (std::uint32_t i = 0; i < slices.size(); ++i) {
            Need& n = result_.needs[i];
            n = static_need(slices[i]);
            result_.parts_of[slices[i].population].push_back(i);
            if (!slices[i].has_neurons) continue;
            slices[i].for_each([&](std::uint32_t element, std::uint32_t) {
                n.fanout +=
                    fanout_of_[slices[i].population].empty() ? 0 : fanout_of_[slices[i].population][element];
            });
            result_.of[slices[i].population].push_back(i);
        }
        std::vector<Need> used;
        std::vector<std::uint32_t> neurons;          // [cores]
        std::vector<std::set<std::uint32_t>> parts;  // [cores] slices with neurons that have a part there
        std::vector<std::uint64_t> wanted(cores_.size(), 0), taken(cores_.size(), 0);
        for (const Slice& s : slices) ++wanted[kind_of_[s.population]];
        for (std::uint32_t i = 0; i < slices.size(); ++i) {
            const std::uint32_t kind = kind_of_[slices[i].population];
            const std::uint32_t owner = slices[i].has_neurons ? i : slices[i].owner;
            const bool one_each = wanted[kind] <= cores_[kind];
            auto core = static_cast<std::uint32_t>(one_each ? used.size() : 0);
            for (; core < used.size(); ++core) {
                if (result_.kind_of_core[core] != kind || parts[core].count(owner) != 0) continue;
                Need sum = used[core];
                sum += result_.needs[i];
                if (exceeded(limits_[kind], sum) == nullptr) break;
            }
            if (core == used.size()) {
                used.emplace_back();
                neurons.push_back(0);
                parts.emplace_back();
                result_.kind_of_core.push_back(kind);
                ++taken[kind];
            }
            slices[i].core = core;
            parts[core].insert(owner);
            used[core] += result_.needs[i];
            if (!slices[i].has_neurons) continue;
            slices[i].neuron_first = neurons[core];
            neurons[core] += slices[i].count();
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
    PartitionOptions options_;
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

Partition partition(const Graph& graph, const std::vector<LoweredProjection>& lowered,
                    const std::vector<bool>& on_host, const arch::ChipSpec& chip,
                    const std::vector<std::uint32_t>& kind_of, const PartitionOptions& options) {
    return Partitioner(graph, lowered, on_host, chip, kind_of, options).run();
}

}  // namespace loom::compiler
