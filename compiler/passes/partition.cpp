// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <map>
#include <numeric>
#include <set>

#include "arch/core_kinds.hpp"
#include "base/error.hpp"
#include "compiler/passes/slice_cutter.hpp"

namespace loom::compiler {
namespace {

/// Cuts all populations, finer where a core's fan-out table is too small, and puts slices together on cores.
class Partitioner {
  public:
    Partitioner(const Graph& graph, const std::vector<LoweredProjection>& lowered,
                const std::vector<bool>& on_host, const arch::ChipSpec& chip,
                const std::vector<std::uint32_t>& kind_of, const PartitionOptions& options)
        : g_(graph),
          lowered_(lowered),
          chip_(chip),
          kind_of_(kind_of),
          cutter_(graph, lowered, on_host, chip, kind_of, options),
          out_of_(graph.populations.size()),
          chosen_(graph.populations.size()) {
        for (std::uint32_t p = 0; p < graph.projections.size(); ++p) {
            if (!on_host[p]) out_of_[graph.projections[p].source].push_back(p);
        }
        for (const Population& p : graph.populations)
            min_slices_.push_back(std::min<std::uint64_t>(options.min_slices, p.count));
    }

    Partition run() {
        for (std::uint32_t i = 0; i < g_.populations.size(); ++i) {
            if (!g_.populations[i].is_input) chosen_[i] = cutter_.cut(i, min_slices_[i]);
        }
        while (split_for_fanout()) {
        }
        std::uint32_t owner = 0;
        for (const std::vector<Slice>& slices : chosen_) {
            for (const Slice& s : slices) {
                if (s.has_neurons) owner = static_cast<std::uint32_t>(result_.slices.size());
                result_.slices.push_back(s);
                if (!s.has_neurons) result_.slices.back().owner = owner;
            }
        }
        pack();
        return std::move(result_);
    }

  private:
    /// Fan-out entries of every slice. True when a source had to be cut finer.
    bool split_for_fanout() {
        for (std::uint32_t source = 0; source < chosen_.size(); ++source) {
            if (g_.populations[source].is_input) continue;
            const std::uint32_t count = g_.populations[source].count;
            std::vector<std::uint32_t> entries(count, 0);
            for (const std::uint32_t p : out_of_[source]) {
                for (const Slice& t : chosen_[g_.projections[p].target]) {
                    const AxonMap map(lowered_[p], t, p);
                    for (std::uint32_t i = 0; i < count; ++i) {
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
            const std::uint64_t have = cutter_.core_of(source).axon_out.max_fanout_entries;
            if (worst <= have) continue;
            const std::uint64_t one = *std::max_element(entries.begin(), entries.end());
            if (one > have || slices >= count) {
                throw cutter_.refusal(source, "output fan-out entries of a core",
                                      fmt::format("one neuron of layer '{}'", g_.populations[source].name),
                                      std::max(one, worst), have);
            }
            const std::uint64_t total = std::accumulate(entries.begin(), entries.end(), std::uint64_t{0});
            min_slices_[source] = std::max<std::uint64_t>(slices + 1, (total + have - 1) / have);
            chosen_[source] = cutter_.cut(source, min_slices_[source]);
            return true;
        }
        return false;
    }

    /// A core for each slice, or, when there are more slices than cores, first fit; parts of a slice are on
    /// different cores.
    void pack() {
        auto& slices = result_.slices;
        const std::vector<std::uint64_t>& cores = cutter_.cores();
        result_.of.resize(g_.populations.size());
        result_.parts_of.resize(g_.populations.size());
        result_.needs.resize(slices.size());
        for (std::uint32_t i = 0; i < slices.size(); ++i) {
            Need& n = result_.needs[i];
            n = cutter_.need(slices[i]);
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
        std::vector<std::uint64_t> wanted(cores.size(), 0), taken(cores.size(), 0);
        for (const Slice& s : slices) ++wanted[kind_of_[s.population]];
        for (std::uint32_t i = 0; i < slices.size(); ++i) {
            const std::uint32_t kind = kind_of_[slices[i].population];
            const std::uint32_t owner = slices[i].has_neurons ? i : slices[i].owner;
            const bool one_each = wanted[kind] <= cores[kind];
            auto core = static_cast<std::uint32_t>(one_each ? used.size() : 0);
            for (; core < used.size(); ++core) {
                if (result_.kind_of_core[core] != kind || parts[core].count(owner) != 0) continue;
                Need sum = used[core];
                sum += result_.needs[i];
                if (exceeded(cutter_.limits(kind), sum) == nullptr) break;
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
        for (std::size_t k = 0; k < cores.size(); ++k) {
            if (taken[k] <= cores[k]) continue;
            throw MappingError(arch::of_kind(chip_, k, "cores"), "the network", static_cast<double>(taken[k]),
                               static_cast<double>(cores[k]));
        }
    }

    const Graph& g_;
    const std::vector<LoweredProjection>& lowered_;
    const arch::ChipSpec& chip_;
    const std::vector<std::uint32_t>& kind_of_;
    SliceCutter cutter_;
    std::vector<std::vector<std::uint32_t>> out_of_;  ///< [populations] projections
    std::vector<std::uint64_t> min_slices_;           ///< [populations]
    std::vector<std::vector<Slice>> chosen_;          ///< [populations]
    std::map<std::uint32_t, std::vector<std::uint32_t>> fanout_of_;
    Partition result_;
};

/// How many cores of each kind are enough for a network that has too few, found by giving it as many as it
/// asks for. What it asks for depends on what it has: with few cores, layers are cut and packed in other
/// ways.
class EnoughCores {
  public:
    using Try = std::function<Partition(const std::vector<std::uint64_t>& cores)>;
    EnoughCores(const arch::ChipSpec& chip, Try attempt)
        : chip_(chip), have_(arch::cores_of_kinds(chip)), enough_(have_), try_(std::move(attempt)) {}

    /// Throws what is missing; `asked`: what was asked for at first.
    [[noreturn]] void fail(const MappingError& asked) {
        constexpr int kTries = 16;
        if (!grow(asked)) throw asked;
        for (int i = 0; i < kTries; ++i) {
            try {
                refine(try_(enough_));
                throw lacking("");
            } catch (const MappingError& e) {
                if (!grow(e)) throw;
            }
        }
        throw lacking(", at least");
    }

  private:
    /// False: it is not for want of cores.
    bool grow(const MappingError& e) {
        for (std::size_t k = 0; k < enough_.size(); ++k) {
            if (e.resource() != arch::of_kind(chip_, k, "cores") ||
                e.need() <= static_cast<double>(enough_[k]))
                continue;
            enough_[k] = static_cast<std::uint64_t>(e.need());
            return true;
        }
        return false;
    }

    /// Those that are left over are not needed, if it fits without them.
    void refine(const Partition& p) {
        std::vector<std::uint64_t> used(enough_.size(), 0);
        for (const std::uint32_t kind : p.kind_of_core) ++used[kind];
        for (std::size_t k = 0; k < used.size(); ++k) used[k] = std::max(used[k], have_[k]);
        if (used == enough_) return;
        try {
            try_(used);
            enough_ = used;
        } catch (const MappingError&) {  // it does not
        }
    }

    MappingError lacking(const std::string& how) const {
        std::string where = "the network" + how;
        std::size_t first = enough_.size();
        for (std::size_t k = enough_.size(); k-- > 0;)
            if (enough_[k] > have_[k]) first = k;
        for (std::size_t k = first + 1; k < enough_.size(); ++k)
            if (enough_[k] > have_[k])
                where += fmt::format("; {}: need {}, have {}", arch::of_kind(chip_, k, "cores"), enough_[k],
                                     have_[k]);
        return {arch::of_kind(chip_, first, "cores"), where, static_cast<double>(enough_[first]),
                static_cast<double>(have_[first])};
    }

    const arch::ChipSpec& chip_;
    std::vector<std::uint64_t> have_, enough_;  ///< [kinds]
    Try try_;
};

}  // namespace

Partition partition(const Graph& graph, const std::vector<LoweredProjection>& lowered,
                    const std::vector<bool>& on_host, const arch::ChipSpec& chip,
                    const std::vector<std::uint32_t>& kind_of, const PartitionOptions& options) {
    const auto attempt = [&](const std::vector<std::uint64_t>& cores) {
        PartitionOptions with = options;
        with.cores = cores;
        return Partitioner(graph, lowered, on_host, chip, kind_of, with).run();
    };
    try {
        return attempt(options.cores);
    } catch (const MappingError& e) {
        EnoughCores(chip, attempt).fail(e);
    }
}

}  // namespace loom::compiler
