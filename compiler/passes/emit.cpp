// SPDX-License-Identifier: Apache-2.0
#include "compiler/passes/emit.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "arch/psum_packets.hpp"
#include "base/error.hpp"
#include "compiler/ir/linear_ops.hpp"
#include "compiler/passes/emit_neurons.hpp"
#include "compiler/passes/emit_rows.hpp"

namespace loom::compiler {
namespace {

using Form = LoweredProjection::Form;

class Emitter {
  public:
    Emitter(Mapping& m, const std::vector<LoweredNeurons>& neurons, const arch::ChipSpec& chip,
            const InputFormat& input, std::uint64_t duplicate, double dt)
        : m_(m),
          neurons_(neurons),
          chip_(chip),
          input_(input),
          duplicate_(duplicate),
          dt_(dt),
          prog_(m.program),
          rows_(m, chip) {
        prog_ = {};
        prog_.fixed = chip.kind(0).soma.arithmetic == arch::Arithmetic::Fixed;  // of all kinds
    }

    void run() {
        prog_.max_skew = m_.graph.max_skew;
        prog_.input = LayerId{static_cast<std::uint16_t>(m_.graph.input)};
        prog_.output = LayerId{static_cast<std::uint16_t>(m_.graph.output)};
        prog_.input_graded = input_.analogue && takes_graded_input();
        if (prog_.input_graded) prog_.input_lsb = std::ldexp(1.0, -input_.exponent);
        layers();
        projections();
        cores();
        partial_sums();
        axons();
        fanout();
    }

  private:
    const arch::CoreSpec& core_of(std::uint32_t population) const {
        return chip_.kind(m_.kind_of[population]);
    }
    bool takes_graded_input() const {
        bool any = false;
        for (const Projection& p : m_.graph.projections) {
            any |= p.source == m_.graph.input && core_of(p.target).axon_in.payload_bits > 0;
        }
        return any;
    }

    void layers() {
        for (std::uint32_t i = 0; i < m_.graph.populations.size(); ++i) {
            const Population& p = m_.graph.populations[i];
            arch::LayerInfo info;
            info.name = p.name;
            const NirNode& node = m_.graph.model->nodes[p.node];
            info.kind = node.rule->role == NodeRole::Output ? "Readout" : node.type();
            info.shape = p.shape;
            info.count = p.count;
            info.skew = p.skew;
            info.is_input = p.is_input;
            info.fires = p.is_input || neurons_[i].rule.fires;
            if (!p.is_input && prog_.fixed) {
                info.lsb = std::ldexp(1.0, -m_.formats[i].membrane);
                info.gain = neurons_[i].gain;
                info.loss = m_.losses[i];
            }
            prog_.layers.push_back(std::move(info));
        }
    }

    void projections() {
        for (std::uint32_t p = 0; p < m_.graph.projections.size(); ++p) {
            const Projection& g = m_.graph.projections[p];
            const LoweredProjection& l = m_.lowered[p];
            arch::ProjectionInfo info;
            for (const std::uint32_t n : g.chain) {
                info.name += (info.name.empty() ? "" : "+") + m_.graph.model->nodes[n].name;
            }
            if (info.name.empty()) info.name = "direct";
            info.source = LayerId{static_cast<std::uint16_t>(g.source)};
            info.target = LayerId{static_cast<std::uint16_t>(g.target)};
            info.delay = g.chip_delay;
            info.analogue =
                m_.graph.populations[g.source].is_input ? input_.analogue : !neurons_[g.source].rule.fires;
            info.kind = m_.on_host[p] ? "host" : form_name(l.form);
            info.ann_macs = l.ann_macs;
            info.dense_flops = l.dense_flops;
            prog_.layers[g.target].ann_macs += l.ann_macs;
            if (m_.on_host[p]) {
                arch::HostCurrent h;
                h.target = info.target;
                h.delay = g.delay;
                h.macs = l.ann_macs;
                const auto count = m_.graph.populations[g.target].count;
                const double dt = dt_;
                for (const std::uint32_t n : g.chain) {  // read while samples run, by several processes
                    const auto w = m_.graph.model->nodes[n].arrays.find("weight");
                    if (w != m_.graph.model->nodes[n].arrays.end() && w->second.file != nullptr)
                        w->second.file->load();
                }
                h.compute = [model = m_.model, chain = g.chain, mask = g.mask_delay, count,
                             dt](const auto& in) {
                    std::vector<double> out(count, 0.0);
                    for (const auto& [t, v] : apply_chain(*model, chain, 0, in, mask, dt)) out.at(t) += v;
                    return out;
                };
                prog_.host_currents.push_back(std::move(h));
            }
            prog_.projections.push_back(std::move(info));
        }
    }

    void cores() {
        const std::uint32_t n = m_.partition.n_cores;
        std::vector<std::uint32_t> order(n);
        std::iota(order.begin(), order.end(), 0u);
        std::sort(order.begin(), order.end(),
                  [&](auto a, auto b) { return m_.placement.endpoint[a] < m_.placement.endpoint[b]; });
        prog_.cores.resize(n);
        image_of_.resize(n);
        for (std::uint32_t i = 0; i < n; ++i) {
            prog_.cores[i].endpoint = EndpointId{m_.placement.endpoint[order[i]]};
            prog_.cores[i].kind = m_.partition.kind_of_core[order[i]];
            image_of_[order[i]] = i;
        }
        for (const Slice& s : m_.partition.slices) {
            if (!s.has_neurons) continue;
            arch::CoreImage& image = prog_.cores[image_of_[s.core]];
            arch::NeuronGroup g =
                emit_neurons(s, neurons_[s.population], m_.formats[s.population], core_of(s.population).soma,
                             m_.graph.populations[s.population].skew);
            image.n_neurons = std::max(image.n_neurons, g.first + g.count);
            image.neurons.push_back(std::move(g));
        }
        for (auto& image : prog_.cores) {
            std::sort(image.neurons.begin(), image.neurons.end(),
                      [](const auto& a, const auto& b) { return a.first < b.first; });
        }
    }

    void axons() {
        axon_first_.resize(m_.graph.projections.size());
        for (std::uint32_t p = 0; p < m_.graph.projections.size(); ++p) {
            const Projection& projection = m_.graph.projections[p];
            if (m_.on_host[p]) continue;
            std::vector<DenseTarget> dense;
            for (const std::uint32_t t : m_.partition.parts_of[projection.target]) {
                const Slice& s = m_.partition.slices[t];
                arch::CoreImage& image = prog_.cores[image_of_[s.core]];
                axon_first_[p].push_back(image.n_axons);
                const RowSpan span = s.span(p);
                if (span.empty()) continue;
                const AxonMap map(m_.lowered[p], s, p);
                arch::AxonGroup a;
                a.target = LayerId{static_cast<std::uint16_t>(projection.target)};
                a.source = LayerId{static_cast<std::uint16_t>(projection.source)};
                a.projection = p;
                a.first = image.n_axons;
                a.count = map.count();
                a.neuron_first = first_of_[t];
                a.delay = static_cast<std::uint8_t>(projection.chip_delay);
                a.analogue = prog_.projections[p].analogue;
                a.real_payload = !prog_.fixed && a.analogue;
                if (core_of(projection.target).type().copies_kernels())
                    a.copies = static_cast<std::uint32_t>(matrix_copies(m_.lowered[p], s, duplicate_));
                if (prog_.fixed) {
                    const WeightedInput& in = m_.inputs[p];
                    a.shift = static_cast<std::uint8_t>(m_.formats[projection.target].accumulator -
                                                        in.weight_exponent - in.input_exponent);
                }
                switch (m_.lowered[p].form) {
                    case Form::Dense:
                        dense.push_back({&s,
                                         {p, span.first, span.first + a.count},
                                         image_of_[s.core],
                                         image.axons.size()});
                        break;
                    case Form::Sparse:
                        rows_.sparse(a, p, s, map);
                        break;
                    case Form::Conv:
                        rows_.conv(a, p, s, map);
                        break;
                }
                image.n_axons += a.count;
                image.axons.push_back(std::move(a));
            }
            if (!dense.empty()) rows_.dense(p, dense);
        }
        for (std::uint32_t i = 0; i < m_.partition.slices.size(); ++i) {
            arch::CoreImage& image = prog_.cores[image_of_[m_.partition.slices[i].core]];
            image.store += m_.partition.needs[i].store;
        }
    }

    /// Sums that leave their core, behind its neurons.
    void partial_sums() {
        for (std::uint32_t i = 0; i < m_.partition.slices.size(); ++i) {
            const Slice& s = m_.partition.slices[i];
            first_of_.push_back(s.neuron_first);
            if (s.has_neurons) continue;
            arch::CoreImage& image = prog_.cores[image_of_[s.core]];
            arch::PsumGroup g;
            g.layer = LayerId{static_cast<std::uint16_t>(s.population)};
            g.first = first_of_[i] = image.n_sums();
            g.count = s.count();
            g.start_step = m_.graph.populations[s.population].skew;
            image.psums_out.push_back(g);
        }
    }

    /// One row and entry per packet: packets are numbered behind their owner's axons.
    void packets_of_sums() {
        std::vector<std::uint32_t> next_out(prog_.cores.size(), 0), next_axon;
        for (const auto& image : prog_.cores) next_axon.push_back(image.n_axons);
        for (const Slice& s : m_.partition.slices) {
            if (s.has_neurons) continue;
            const Slice& owner = m_.partition.slices[s.owner];
            const std::uint32_t from = image_of_[s.core], to = image_of_[owner.core];
            arch::FanoutTable& table = prog_.cores[from].fanout;
            prog_.cores[from].psums_out[next_out[from]++].row =
                static_cast<std::uint32_t>(table.row.size() - 1);
            prog_.cores[to].psums_in.push_back(
                {prog_.cores[from].endpoint, next_axon[to], owner.neuron_first, s.count()});
            const std::uint64_t packets = arch::PsumPackets(chip_, prog_.cores[from].kind).packets(s.count());
            for (std::uint64_t k = 0; k < packets; ++k) {
                table.entries.push_back({prog_.cores[to].endpoint, next_axon[to]++});
                table.row.push_back(static_cast<std::uint32_t>(table.entries.size()));
            }
        }
    }

    /// Entries of one source population's element, over all projections and target slices.
    void fanout() {
        struct Way {
            AxonMap map;
            EndpointId core;
            std::uint32_t first;
        };
        std::vector<std::vector<Way>> ways(m_.graph.populations.size());
        for (std::uint32_t p = 0; p < m_.graph.projections.size(); ++p) {
            if (m_.on_host[p]) continue;
            const auto& slices = m_.partition.parts_of[m_.graph.projections[p].target];
            for (std::size_t i = 0; i < slices.size(); ++i) {
                const Slice& s = m_.partition.slices[slices[i]];
                ways[m_.graph.projections[p].source].push_back({AxonMap(m_.lowered[p], s, p),
                                                                prog_.cores[image_of_[s.core]].endpoint,
                                                                axon_first_[p][i]});
            }
        }
        const auto append = [&](arch::FanoutTable& table, std::uint32_t population, std::uint32_t element) {
            for (const Way& w : ways[population]) {
                w.map.for_each(element, [&](std::uint32_t axon) {
                    table.entries.push_back({w.core, w.first + axon});
                });
            }
            table.row.push_back(static_cast<std::uint32_t>(table.entries.size()));
        };
        for (auto& image : prog_.cores) {
            for (const auto& g : image.neurons) {
                for (const std::uint32_t e : g.layer_index) append(image.fanout, index(g.layer), e);
            }
        }
        packets_of_sums();
        for (std::uint32_t i = 0; i < m_.graph.populations[m_.graph.input].count; ++i) {
            append(prog_.input_fanout, m_.graph.input, i);
        }
    }

    Mapping& m_;
    const std::vector<LoweredNeurons>& neurons_;
    const arch::ChipSpec& chip_;
    const InputFormat& input_;
    std::uint64_t duplicate_;
    double dt_;
    arch::Program& prog_;
    std::vector<std::uint32_t> image_of_;                 ///< logical core -> index in program.cores
    std::vector<std::vector<std::uint32_t>> axon_first_;  ///< [projections][target slices]
    std::vector<std::uint32_t> first_of_;                 ///< [slices] first neuron or sum within the core
    RowEmitter rows_;
};

}  // namespace

void emit_program(Mapping& mapping, const std::vector<LoweredNeurons>& neurons, const arch::ChipSpec& chip,
                  const InputFormat& input, std::uint64_t duplicate, double dt) {
    Emitter e(mapping, neurons, chip, input, duplicate, dt);
    e.run();
}

}  // namespace loom::compiler
