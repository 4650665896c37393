// SPDX-License-Identifier: Apache-2.0
// What `spikeloom map` prints: passes, cores, how full they are.
#include <fmt/format.h>

#include <algorithm>

#include "arch/core_kind.hpp"
#include "arch/core_kinds.hpp"
#include "compiler/compile.hpp"
#include "compiler/passes/choose_kinds.hpp"

namespace loom::compiler {
namespace {

/// A line per matrix in arrays.
std::string describe_arrays(const Mapping& m, const arch::CoreSpec& core, const arch::CoreImage& image) {
    std::string out;
    for (const auto& a : image.axons) {
        const auto usage = core.type().array_usage(core, image, a);
        if (!usage) continue;
        const arch::ArrayUsage& use = *usage;
        out += fmt::format("{:>24} {} -> {}: {} x {} in {} x {} arrays, {} of {} cells ({:.1f} %)", "",
                           m.program.projections[a.projection].name, m.program.layers[index(a.target)].name,
                           use.size.rows, use.size.outputs, use.row_blocks, use.column_blocks, use.cells,
                           use.cells_of_arrays,
                           100.0 * static_cast<double>(use.cells) / static_cast<double>(use.cells_of_arrays));
        if (use.size.positions > 1)
            out += fmt::format(", {} positions, {} cop{}", use.size.positions, use.copies,
                               use.copies == 1 ? "y" : "ies");
        out += '\n';
    }
    return out;
}

std::string percent(double share) {
    return fmt::format("{:.3g} %", 100 * share);
}

/// What becoming integers costs each layer; empty for float64.
std::string describe_losses(const Mapping& m) {
    std::string out;
    for (std::uint32_t i = 0; i < m.losses.size(); ++i) {
        const auto line = [&](const std::string& what, const arch::RoundingLoss& l) {
            if (l.values == 0) return;
            out += fmt::format("  {:<24} {:<12} {:>9} {:>9} {:>9} {:>9} {:>10} {:>10}\n",
                               m.graph.populations[i].name, what, l.values, l.zeroed, l.clipped, l.ties,
                               percent(l.sum_of_errors / static_cast<double>(l.values)), percent(l.largest_error));
        };
        line("weights", m.losses[i].weights);
        for (const auto& [name, loss] : m.losses[i].parameters) line(name, loss);
    }
    if (out.empty()) return out;
    return fmt::format("\nlost in rounding         {:<12} {:>11} {:>9} {:>9} {:>9} {:>10} {:>10}\n", "", "not 0",
                       "became 0", "clipped", "ties", "mean", "largest") +
           out;
}

}  // namespace

std::string describe(const Mapping& m, const arch::ChipSpec& chip) {
    std::string out;
    for (const PassReport& p : m.passes) {
        out += fmt::format("{:<16} {:>9.3f} ms  {}\n", p.name, p.seconds * 1e3, p.summary);
    }
    out += fmt::format("\n{:>6} {:>8} {:>6}  {:>14} {:>14} {:>20} {:>14}  layers\n", "core", "x,y", "local",
                       "neurons", "axons", "synapse KiB", "fan-out");
    const arch::NocShape shape = chip.noc.shape();
    const std::uint64_t per = shape.cores_per_router;
    for (const auto& c : m.program.cores) {
        const arch::CoreSpec& core = chip.kind(c.kind);
        const arch::WeightStore store = core.type().weight_store(core);
        const double kib = store.in_arrays ? 0.0 : 1.0 / 8192.0;  // of a memory's bits
        std::vector<std::string> layers;
        for (const auto& g : c.neurons) {
            layers.push_back(fmt::format("{}[{}]", m.program.layers[index(g.layer)].name, g.count));
        }
        for (const auto& g : c.psums_out) {
            const auto& entry = c.fanout.entries[c.fanout.row[g.row]];
            layers.push_back(fmt::format("{}[{} partial sums to core {}]",
                                         m.program.layers[index(g.layer)].name, g.count, index(entry.core)));
        }
        for (const auto& in : c.psums_in)
            layers.push_back(fmt::format("(+ partial sums of core {})", index(in.from)));
        const std::uint64_t e = index(c.endpoint), r = e / per;
        out +=
            fmt::format("{:>6} {:>8} {:>6}  {:>6} /{:>6} {:>6} /{:>6} {:>9.1f} /{:>9.1f} {:>6} /{:>6}  {}\n",
                        e, fmt::format("{},{}", shape.column(r), shape.row(r)), e % per, c.n_neurons, core.soma.max_neurons,
                        c.n_axons, core.axon_in.max_axons, static_cast<double>(c.store) * kib,
                        static_cast<double>(store.capacity) * kib, c.fanout.entries.size(),
                        core.axon_out.max_fanout_entries, fmt::join(layers, " "));
        if (!chip.cores.empty())
            out.insert(out.size() - 1, fmt::format("  ({})", arch::kind_name(chip, c.kind)));
        if (!store.in_arrays) continue;
        out.insert(out.size() - 1, fmt::format("  {} of {} arrays", c.store, store.capacity));
        out += describe_arrays(m, core, c);
    }
    out += fmt::format("{} of {} cores in use\n", m.program.cores.size(), shape.cores());
    if (chip.cores.empty()) return out + describe_losses(m);
    const auto have = arch::cores_of_kinds(chip);
    for (std::uint32_t k = 0; k < chip.n_kinds(); ++k) {
        const auto used = std::count_if(m.program.cores.begin(), m.program.cores.end(),
                                        [&](const auto& c) { return c.kind == k; });
        out += fmt::format("  {} of {} of kind {}\n", used, have[k], arch::kind_name(chip, k));
    }
    out += '\n' + dump_kinds(m, chip);
    return out + describe_losses(m);
}

}  // namespace loom::compiler
