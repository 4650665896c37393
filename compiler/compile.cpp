// SPDX-License-Identifier: Apache-2.0
#include "compiler/compile.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <set>

#include "arch/cim_layout.hpp"
#include "arch/core_kinds.hpp"
#include "base/error.hpp"
#include "compiler/passes/choose_kinds.hpp"
#include "compiler/passes/emit.hpp"
#include "compiler/passes/lowered_neurons.hpp"
#include "compiler/passes/passes.hpp"

namespace loom::compiler {
namespace {

/// Times a pass and keeps what it has to say.
class PassTimer {
  public:
    explicit PassTimer(std::vector<PassReport>& passes) : passes_(passes) {}
    void done(const std::string& name, std::string summary, std::string dump = {}) {
        const auto now = std::chrono::steady_clock::now();
        passes_.push_back(
            {name, std::chrono::duration<double>(now - last_).count(), std::move(summary), std::move(dump)});
        last_ = std::chrono::steady_clock::now();
    }

  private:
    std::vector<PassReport>& passes_;
    std::chrono::steady_clock::time_point last_ = std::chrono::steady_clock::now();
};

std::string dump_graph(const Graph& g) {
    std::string out;
    for (const Population& p : g.populations) {
        out += fmt::format("  population {} {} [{}] skew {}{}\n", p.name, g.model->nodes[p.node].type(),
                           fmt::join(p.shape, "x"), p.skew, p.bias.empty() ? "" : ", biased");
    }
    for (const Projection& p : g.projections) {
        std::vector<std::string> chain;
        for (const auto n : p.chain) chain.push_back(g.model->nodes[n].name);
        out += fmt::format("  projection {} -> {} through [{}], delay {} (on the chip {})\n",
                           g.populations[p.source].name, g.populations[p.target].name, fmt::join(chain, ", "),
                           p.delay, p.chip_delay);
    }
    return out;
}

/// Arrays read a kernel once per output position; other cores need an address generator.
bool has_conv(const arch::CoreSpec& core) {
    return core.in_memory() || core.synapse.conv;
}

/// What an array row can get in one timestep: pooled inputs meet on one axon.
void check_row_inputs(const Mapping& m, std::uint32_t p, const arch::CoreSpec& core,
                      const InputFormat& input) {
    if (!core.in_memory() || m.on_host[p]) return;
    const Projection& projection = m.graph.projections[p];
    std::vector<std::uint32_t> ways(m.lowered[p].n_axons, m.lowered[p].identity ? 1 : 0);
    for (const std::uint32_t axon : m.lowered[p].axons_of.items) ++ways[axon];
    double most = ways.empty() ? 0 : *std::max_element(ways.begin(), ways.end());
    if (m.graph.populations[projection.source].is_input && input.analogue)
        most *= std::ldexp(input.max_abs, input.exponent);
    const double need = std::ceil(std::log2(most + 1));
    if (need > static_cast<double>(core.cim->input_bits)) {
        throw MappingError("input bits of an array row (cim.input_bits)",
                           fmt::format("layer '{}'", m.graph.populations[projection.target].name), need,
                           static_cast<double>(core.cim->input_bits));
    }
}

/// Lowers all projections; a population has the shape of one convolution only, others become rows.
void lower_all(Mapping& m, double dt, const arch::ChipSpec& chip) {
    std::vector<const arch::LinearShape*> shape_of(m.graph.populations.size(), nullptr);
    m.lowered.reserve(m.graph.projections.size());
    for (const Projection& p : m.graph.projections) {
        m.lowered.push_back(lower_projection(m.graph, p, dt, has_conv(chip.kind(m.kind_of[p.target]))));
        LoweredProjection& l = m.lowered.back();
        if (l.form != LoweredProjection::Form::Conv) continue;
        const arch::LinearShape*& first = shape_of[p.target];
        if (first == nullptr) {
            first = &l.conv;
        } else if (first->out_c != l.conv.out_c || first->out_h != l.conv.out_h ||
                   first->out_w != l.conv.out_w) {
            l = lower_projection(m.graph, p, dt, false);
        }
    }
}

void check_input(const Graph& g, const arch::CoreSpec& core, const InputFormat& input) {
    const std::uint64_t bits = core.axon_in.payload_bits;
    if (!input.analogue || bits == 0 || core.soma.arithmetic == arch::Arithmetic::Float64) return;
    const double need = std::ldexp(input.max_abs, input.exponent);
    if (need >= std::ldexp(1.0, static_cast<int>(bits))) {
        throw MappingError("payload bits of a graded spike",
                           fmt::format("input '{}'", g.populations[g.input].name),
                           std::ceil(std::log2(need + 1)), static_cast<double>(bits));
    }
}

std::string weight_bits(const arch::ChipSpec& chip) {
    std::set<std::uint64_t> bits;
    for (std::size_t k = 0; k < chip.n_kinds(); ++k) bits.insert(chip.kind(k).weight_bits());
    return fmt::format("{}", fmt::join(bits, ", "));
}

}  // namespace

Mapping compile(std::shared_ptr<const NirModel> model, const Profile& profile, const arch::ChipSpec& chip,
                const MapSpec& map, const InputFormat& input) {
    Mapping m;
    PassTimer timer(m.passes);
    check_profile(profile);
    const double dt = profile.dt_seconds();
    m.model = model;
    m.graph = build_graph(*model, dt);
    timer.done("graph", fmt::format("{} populations, {} projections", m.graph.populations.size(),
                                    m.graph.projections.size()));
    choose_kinds(m, chip, map, input, dt);
    if (!chip.cores.empty()) timer.done("kinds of cores", describe_kinds(m, chip), dump_kinds(m, chip));
    std::uint64_t max_delay = chip.kind(0).dendrite.max_delay;
    for (std::size_t k = 1; k < chip.n_kinds(); ++k)
        max_delay = std::min(max_delay, chip.kind(k).dendrite.max_delay);
    balance_delays(m.graph, max_delay);
    timer.done("delays", fmt::format("pipeline of {} timesteps", m.graph.max_skew), dump_graph(m.graph));

    lower_all(m, dt, chip);
    std::vector<LoweredNeurons> neurons(m.graph.populations.size());
    for (std::uint32_t i = 0; i < neurons.size(); ++i) {
        if (!m.graph.populations[i].is_input)
            neurons[i] = lower_neurons(m.graph, m.graph.populations[i], profile);
    }
    std::string dump;
    for (std::size_t p = 0; p < m.lowered.size(); ++p) {
        dump += fmt::format("  {} -> {}: {}, {} axons{}, {} MAC of the same ANN\n",
                            m.graph.populations[m.graph.projections[p].source].name,
                            m.graph.populations[m.graph.projections[p].target].name,
                            form_name(m.lowered[p].form), m.lowered[p].n_axons,
                            m.lowered[p].identity ? "" : " (pooled)", m.lowered[p].ann_macs);
    }
    timer.done("lowering", "linear nodes folded into rows and kernels", std::move(dump));

    const bool fixed = chip.kind(0).soma.arithmetic == arch::Arithmetic::Fixed;  // of all kinds
    std::vector<std::vector<std::uint32_t>> into(m.graph.populations.size());
    for (std::uint32_t p = 0; p < m.graph.projections.size(); ++p) {
        const Projection& g = m.graph.projections[p];
        const bool from_input = m.graph.populations[g.source].is_input;
        const arch::CoreSpec& core = chip.kind(m.kind_of[g.target]);
        if (from_input) check_input(m.graph, core, input);
        m.on_host.push_back(from_input && input.analogue && core.axon_in.payload_bits == 0);
        check_row_inputs(m, p, core, input);
        if (fixed && !from_input && !neurons[g.source].rule.fires) {
            throw UnsupportedError(fmt::format(
                "layer '{}' of type {} sends analogue values to '{}'; fixed-point cores send spikes only",
                m.graph.populations[g.source].name, model->nodes[m.graph.populations[g.source].node].type(),
                m.graph.populations[g.target].name));
        }
        into[g.target].push_back(p);
        m.inputs.push_back({m.lowered[p].lowest, m.lowered[p].highest,
                            from_input && input.analogue ? input.exponent : 0, 0});
    }
    m.formats.resize(m.graph.populations.size());
    dump.clear();
    if (fixed) {
        for (std::uint32_t i = 0; i < neurons.size(); ++i) {
            if (m.graph.populations[i].is_input) continue;
            std::vector<WeightedInput> inputs;
            for (const auto p : into[i]) inputs.push_back(m.inputs[p]);
            m.formats[i] = quantise(m.graph.populations[i].name, inputs, neurons[i], chip.kind(m.kind_of[i]),
                                    map.weight_exponent);
            dump +=
                fmt::format("  {}: accumulator LSB 2^{}, membrane LSB 2^{}, weights",
                            m.graph.populations[i].name, -m.formats[i].accumulator, -m.formats[i].membrane);
            for (std::size_t k = 0; k < into[i].size(); ++k) {
                m.inputs[into[i][k]] = inputs[k];
                dump += fmt::format(" 2^{}", -inputs[k].weight_exponent);
            }
            dump += '\n';
        }
    }
    timer.done("quantisation", fixed ? fmt::format("{}-bit weights", weight_bits(chip)) : "none: float64",
               std::move(dump));

    m.partition = partition(m.graph, m.lowered, m.on_host, chip, m.kind_of,
                            {map.min_slices, map.duplicate, map.row_parts});
    dump.clear();
    for (std::size_t i = 0; i < m.partition.slices.size(); ++i) {
        const Slice& s = m.partition.slices[i];
        dump +=
            fmt::format("  {}: c {}..{} y {}..{} x {}..{} on logical core {}",
                        m.graph.populations[s.population].name, s.c0, s.c1, s.y0, s.y1, s.x0, s.x1, s.core);
        for (const RowSpan& r : s.rows) {
            dump +=
                fmt::format(", rows {}..{} of {}", r.first, r.last, form_name(m.lowered[r.projection].form));
        }
        if (!s.has_neurons)
            dump += fmt::format(", sums to logical core {}", m.partition.slices[s.owner].core);
        dump += '\n';
    }
    const auto senders = std::count_if(m.partition.slices.begin(), m.partition.slices.end(),
                                       [](const Slice& s) { return !s.has_neurons; });
    timer.done("partition",
               fmt::format("{} slices on {} cores{}", m.partition.slices.size(), m.partition.n_cores,
                           senders == 0 ? "" : fmt::format(", {} of them partial sums only", senders)),
               std::move(dump));

    m.placement = place(map.place, map.seed, traffic_of(m.graph, m.lowered, m.on_host, m.partition),
                        m.partition.kind_of_core, chip);
    timer.done("placement", fmt::format("{}: {} entry-hops (sequential {})", map.place, m.placement.cost,
                                        m.placement.sequential_cost));
    emit_program(m, neurons, chip, input, map.duplicate, dt);
    timer.done("routing tables",
               fmt::format("{} fan-out entries of the input", m.program.input_fanout.entries.size()));
    if (map.check) {
        const std::uint64_t n = check_program(m, profile, chip);
        timer.done("check", fmt::format("{} connections delivered exactly once, all capacities hold", n));
    }
    return m;
}

namespace {

/// A line per matrix in arrays.
std::string describe_arrays(const Mapping& m, const arch::CoreSpec& core, const arch::CoreImage& image) {
    std::string out;
    for (const auto& a : image.axons) {
        const arch::ArrayUse use = arch::array_use(image, a, *core.cim);
        out += fmt::format("{:>24} {} -> {}: {} x {} in {} x {} arrays, {} of {} cells ({:.1f} %)", "",
                           m.program.projections[a.projection].name, m.program.layers[index(a.target)].name,
                           use.size.rows, use.size.outputs, use.layout.row_blocks, use.layout.column_blocks,
                           use.cells, use.cells_of_arrays,
                           100.0 * static_cast<double>(use.cells) / static_cast<double>(use.cells_of_arrays));
        if (use.size.positions > 1)
            out += fmt::format(", {} positions, {} cop{}", use.size.positions, use.copies,
                               use.copies == 1 ? "y" : "ies");
        out += '\n';
    }
    return out;
}

}  // namespace

std::string describe(const Mapping& m, const arch::ChipSpec& chip) {
    std::string out;
    for (const PassReport& p : m.passes) {
        out += fmt::format("{:<16} {:>9.3f} ms  {}\n", p.name, p.seconds * 1e3, p.summary);
    }
    out += fmt::format("\n{:>6} {:>8} {:>6}  {:>14} {:>14} {:>20} {:>14}  layers\n", "core", "x,y", "local",
                       "neurons", "axons", "synapse KiB", "fan-out");
    const std::uint64_t per = chip.noc.cores_at_a_router(), w = chip.noc.width();
    for (const auto& c : m.program.cores) {
        const arch::CoreSpec& core = chip.kind(c.kind);
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
                        e, fmt::format("{},{}", r % w, r / w), e % per, c.n_neurons, core.soma.max_neurons,
                        c.n_axons, core.axon_in.max_axons, static_cast<double>(c.synapse_bits) / 8192.0,
                        core.in_memory() ? 0.0 : static_cast<double>(core.synapse.memory) / 8192.0,
                        c.fanout.entries.size(), core.axon_out.max_fanout_entries, fmt::join(layers, " "));
        if (!chip.cores.empty())
            out.insert(out.size() - 1, fmt::format("  ({})", arch::kind_name(chip, c.kind)));
        if (!core.in_memory()) continue;
        out.insert(out.size() - 1, fmt::format("  {} of {} arrays", c.arrays, core.cim->arrays));
        out += describe_arrays(m, core, c);
    }
    out += fmt::format("{} of {} cores in use\n", m.program.cores.size(), chip.n_cores());
    if (chip.cores.empty()) return out;
    const auto have = arch::cores_of_kinds(chip);
    for (std::uint32_t k = 0; k < chip.n_kinds(); ++k) {
        const auto used = std::count_if(m.program.cores.begin(), m.program.cores.end(),
                                        [&](const auto& c) { return c.kind == k; });
        out += fmt::format("  {} of {} of kind {}\n", used, have[k], arch::kind_name(chip, k));
    }
    out += '\n' + dump_kinds(m, chip);
    return out;
}

}  // namespace loom::compiler
