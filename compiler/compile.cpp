// SPDX-License-Identifier: Apache-2.0
#include "compiler/compile.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <set>

#include "arch/core_kind.hpp"
#include "arch/core_kinds.hpp"
#include "base/error.hpp"
#include "compiler/passes/choose_kinds.hpp"
#include "compiler/passes/emit.hpp"
#include "compiler/passes/lowered_neurons.hpp"
#include "compiler/passes/measure_loss.hpp"
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

/// What a row can get in one timestep: pooled inputs meet on one axon.
void check_row_inputs(const Mapping& m, std::uint32_t p, const arch::CoreSpec& core,
                      const InputFormat& input) {
    const auto limit = core.type().row_inputs(core);
    if (!limit || m.on_host[p]) return;
    const Projection& projection = m.graph.projections[p];
    std::vector<std::uint32_t> ways(m.lowered[p].n_axons, m.lowered[p].identity ? 1 : 0);
    for (const std::uint32_t axon : m.lowered[p].axons_of.items) ++ways[axon];
    double most = ways.empty() ? 0 : *std::max_element(ways.begin(), ways.end());
    if (m.graph.populations[projection.source].is_input && input.analogue)
        most *= std::ldexp(input.max_abs, input.exponent);
    const double need = std::ceil(std::log2(most + 1));
    if (need > static_cast<double>(limit->bits)) {
        throw MappingError(limit->resource,
                           fmt::format("layer '{}'", m.graph.populations[projection.target].name), need,
                           static_cast<double>(limit->bits));
    }
}

/// Lowers all projections; a population has the shape of one convolution only, others become rows.
void lower_all(Mapping& m, double dt, const arch::ChipSpec& chip) {
    std::vector<const arch::LinearShape*> shape_of(m.graph.populations.size(), nullptr);
    m.lowered.reserve(m.graph.projections.size());
    for (const Projection& p : m.graph.projections) {
        const arch::CoreSpec& core = chip.kind(m.kind_of[p.target]);
        m.lowered.push_back(lower_projection(m.graph, p, dt, core.type().keeps_kernels(core)));
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
        throw MappingError(
            "payload bits of a graded spike",
            fmt::format("input '{}'; `input.bits: {}` rounds its values", g.populations[g.input].name, bits),
            std::ceil(std::log2(need + 1)), static_cast<double>(bits));
    }
}

std::string weight_bits(const arch::ChipSpec& chip) {
    std::set<std::uint64_t> bits;
    for (std::size_t k = 0; k < chip.n_kinds(); ++k)
        bits.insert(chip.kind(k).type().weight_format(chip.kind(k)).bits);
    return fmt::format("{}", fmt::join(bits, ", "));
}

/// The passes in order, each with what it has to say.
class Compilation {
  public:
    Compilation(Mapping& m, const Profile& profile, const arch::ChipSpec& chip, const MapSpec& map,
                const InputFormat& input, const CheckProgress& progress)
        : m_(m),
          profile_(profile),
          chip_(chip),
          map_(map),
          input_(input),
          progress_(progress),
          dt_(profile.dt_seconds()),
          fixed_(chip.kind(0).soma.arithmetic == arch::Arithmetic::Fixed),  // of all kinds
          timer_(m.passes) {}

    void run() {
        graph();
        kinds();
        delays();
        lowering();
        inputs();
        formats();
        slices();
        placement();
        program();
        check();
    }

  private:
    const std::string& name(std::uint32_t population) const { return m_.graph.populations[population].name; }

    void graph() {
        m_.graph = build_graph(*m_.model, dt_);
        timer_.done("graph", fmt::format("{} populations, {} projections", m_.graph.populations.size(),
                                         m_.graph.projections.size()));
    }

    void kinds() {
        choose_kinds(m_, chip_, map_, input_, dt_);
        if (!chip_.cores.empty())
            timer_.done("kinds of cores", describe_kinds(m_, chip_), dump_kinds(m_, chip_));
    }

    void delays() {
        std::uint64_t max_delay = chip_.kind(0).dendrite.max_delay;
        for (std::size_t k = 1; k < chip_.n_kinds(); ++k)
            max_delay = std::min(max_delay, chip_.kind(k).dendrite.max_delay);
        balance_delays(m_.graph, max_delay);
        timer_.done("delays", fmt::format("pipeline of {} timesteps", m_.graph.max_skew),
                    dump_graph(m_.graph));
    }

    void lowering() {
        lower_all(m_, dt_, chip_);
        neurons_.resize(m_.graph.populations.size());
        for (std::uint32_t i = 0; i < neurons_.size(); ++i) {
            if (!m_.graph.populations[i].is_input)
                neurons_[i] = lower_neurons(m_.graph, m_.graph.populations[i], profile_);
        }
        std::string dump;
        for (std::size_t p = 0; p < m_.lowered.size(); ++p) {
            const LoweredProjection& l = m_.lowered[p];
            dump += fmt::format("  {} -> {}: {}, {} axons{}, {} MAC of the same ANN\n",
                                name(m_.graph.projections[p].source), name(m_.graph.projections[p].target),
                                form_name(l.form), l.n_axons, l.identity ? "" : " (pooled)", l.ann_macs);
        }
        timer_.done("lowering", "linear nodes folded into rows and kernels", std::move(dump));
    }

    /// Who takes which input, and whether he can.
    void inputs() {
        into_.resize(m_.graph.populations.size());
        for (std::uint32_t p = 0; p < m_.graph.projections.size(); ++p) {
            const Projection& g = m_.graph.projections[p];
            const bool from_input = m_.graph.populations[g.source].is_input;
            const arch::CoreSpec& core = chip_.kind(m_.kind_of[g.target]);
            if (from_input) check_input(m_.graph, core, input_);
            m_.on_host.push_back(from_input && input_.analogue && core.axon_in.payload_bits == 0);
            check_row_inputs(m_, p, core, input_);
            if (fixed_ && !from_input && !neurons_[g.source].rule.fires) {
                throw UnsupportedError(fmt::format(
                    "layer '{}' of type {} sends analogue values to '{}'; fixed-point cores send spikes only",
                    name(g.source), m_.model->nodes[m_.graph.populations[g.source].node].type(),
                    name(g.target)));
            }
            into_[g.target].push_back(p);
            m_.inputs.push_back({m_.lowered[p].lowest, m_.lowered[p].highest,
                                 from_input && input_.analogue ? input_.exponent : 0, 0, name_of(g)});
        }
    }

    /// "net.nir: node 'fc1'": where a projection has its weights from.
    std::string name_of(const Projection& p) const {
        std::vector<std::string> nodes;
        for (const std::uint32_t n : p.chain) nodes.push_back(m_.model->nodes[n].name);
        return nodes.empty() ? fmt::format("{}: the connection '{}' -> '{}'", m_.model->file, name(p.source),
                                           name(p.target))
                             : fmt::format("{}: node '{}'", m_.model->file, fmt::join(nodes, "', '"));
    }

    void formats() {
        m_.formats.resize(m_.graph.populations.size());
        m_.losses.resize(m_.graph.populations.size());
        std::string dump;
        for (std::uint32_t i = 0; fixed_ && i < neurons_.size(); ++i) {
            if (m_.graph.populations[i].is_input) continue;
            dump += format(i);
            measure(i);
        }
        timer_.done("quantisation",
                    fixed_ ? fmt::format("{}-bit weights", weight_bits(chip_)) : "none: float64",
                    std::move(dump));
    }

    /// Of one population; returns a line about it.
    std::string format(std::uint32_t i) {
        std::vector<WeightedInput> inputs;
        for (const auto p : into_[i]) inputs.push_back(m_.inputs[p]);
        m_.formats[i] =
            quantise(name(i), inputs, neurons_[i], chip_.kind(m_.kind_of[i]), map_.weight_exponent);
        std::string line = fmt::format("  {}: accumulator LSB 2^{}, membrane LSB 2^{}, weights", name(i),
                                       -m_.formats[i].accumulator, -m_.formats[i].membrane);
        for (std::size_t k = 0; k < into_[i].size(); ++k) {
            m_.inputs[into_[i][k]] = inputs[k];
            line += fmt::format(" 2^{}", -inputs[k].weight_exponent);
        }
        return line + '\n';
    }

    /// What a population's numbers lose in its format.
    void measure(std::uint32_t i) {
        for (const std::uint32_t p : into_[i]) {
            if (!m_.on_host[p]) m_.losses[i].weights += weight_loss(m_.lowered[p], m_.inputs[p].weight_exponent);
        }
        m_.losses[i].parameters = parameter_losses(neurons_[i], m_.formats[i], chip_.kind(m_.kind_of[i]).soma);
    }

    void slices() {
        m_.partition = partition(m_.graph, m_.lowered, m_.on_host, chip_, m_.kind_of,
                                 {map_.min_slices, map_.duplicate, map_.row_parts});
        const auto& all = m_.partition.slices;
        std::string dump;
        for (const Slice& s : all) {
            dump += fmt::format("  {}: c {}..{} y {}..{} x {}..{} on logical core {}", name(s.population),
                                s.c0, s.c1, s.y0, s.y1, s.x0, s.x1, s.core);
            for (const RowSpan& r : s.rows)
                dump += fmt::format(", rows {}..{} of {}", r.first, r.last,
                                    form_name(m_.lowered[r.projection].form));
            if (!s.has_neurons) dump += fmt::format(", sums to logical core {}", all[s.owner].core);
            dump += '\n';
        }
        const auto senders =
            std::count_if(all.begin(), all.end(), [](const Slice& s) { return !s.has_neurons; });
        timer_.done("partition",
                    fmt::format("{} slices on {} cores{}", all.size(), m_.partition.n_cores,
                                senders == 0 ? "" : fmt::format(", {} of them partial sums only", senders)),
                    std::move(dump));
    }

    void placement() {
        m_.placement =
            place(map_.place, map_.seed, traffic_of(m_.graph, m_.lowered, m_.on_host, m_.partition),
                  m_.partition.kind_of_core, chip_);
        timer_.done("placement", fmt::format("{}: {} entry-hops (sequential {})", map_.place,
                                             m_.placement.cost, m_.placement.sequential_cost));
    }

    void program() {
        emit_program(m_, neurons_, chip_, input_, map_.duplicate, dt_);
        timer_.done("routing tables",
                    fmt::format("{} fan-out entries of the input", m_.program.input_fanout.entries.size()));
    }

    void check() {
        if (!map_.check) return;
        const CheckedConnections n = check_connections(m_, profile_, chip_, map_.check_limit, progress_);
        const std::string sample =
            n.stride == 1 ? std::string()
                          : fmt::format(" (those of 1 in {} source elements, map.check_limit)", n.stride);
        timer_.done("check", fmt::format("{} connections delivered exactly once{}, all capacities hold",
                                         n.connections, sample));
    }

    Mapping& m_;
    const Profile& profile_;
    const arch::ChipSpec& chip_;
    const MapSpec& map_;
    const InputFormat& input_;
    const CheckProgress& progress_;
    double dt_;
    bool fixed_;
    PassTimer timer_;
    std::vector<LoweredNeurons> neurons_;           ///< [populations]
    std::vector<std::vector<std::uint32_t>> into_;  ///< [populations] projections
};

}  // namespace

Mapping compile(std::shared_ptr<const NirModel> model, const Profile& profile, const arch::ChipSpec& chip,
                const MapSpec& map, const InputFormat& input, const CheckProgress& progress) {
    check_profile(profile);
    Mapping m;
    m.model = std::move(model);
    Compilation(m, profile, chip, map, input, progress).run();
    return m;
}

}  // namespace loom::compiler
