// SPDX-License-Identifier: Apache-2.0
// Shares nothing with the passes but the NIR model, the exponents and the resulting program.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <unordered_map>
#include <utility>

#include "arch/core_kinds.hpp"
#include "arch/psum_packets.hpp"
#include "base/error.hpp"
#include "compiler/compile.hpp"
#include "compiler/ir/linear_ops.hpp"

namespace loom::compiler {
namespace {

class Checker {
  public:
    Checker(const Mapping& m, double dt, const arch::ChipSpec& chip)
        : m_(m), prog_(m.program), dt_(dt), chip_(chip) {}

    CheckedConnections run(std::uint64_t limit, const CheckProgress& progress) {
        locate();
        capacities();
        partial_sums();
        for (const Projection& p : m_.graph.projections) got_.emplace_back(m_.graph.populations[p.target].count);
        double all = 0;
        for (std::uint32_t p = 0; p < m_.graph.projections.size(); ++p)
            all += m_.on_host[p] ? 0 : m_.lowered[p].ann_macs;
        CheckedConnections checked;
        checked.stride = limit == 0 ? 1 : static_cast<std::uint64_t>(std::max(1.0, std::ceil(all / static_cast<double>(limit))));
        std::uint64_t number = 0;  // of the source element, over all populations
        for (std::uint32_t p = 0; p < m_.graph.populations.size(); ++p) {
            const auto n = m_.graph.populations[p].count;
            for (std::uint32_t i = 0; i < n; ++i, ++number) {
                if (number % checked.stride != 0) continue;
                checked.connections += element(p, i);
                if (progress && (number / checked.stride) % 256 == 0) progress(checked.connections);
            }
        }
        return checked;
    }

  private:
    /// What arrives at the elements of a projection's target from one source element.
    class Arrived {
      public:
        struct Sum {
            double weight = 0;
            std::uint32_t deliveries = 0;
        };
        explicit Arrived(std::size_t elements) : sums_(elements) {}
        void add(std::uint32_t element, double weight) {
            Sum& s = sums_[element];
            if (s.deliveries++ == 0) touched_.push_back(element);
            s.weight += weight;
        }
        /// What has arrived, which is taken away.
        Sum take(std::uint32_t element) { return std::exchange(sums_.at(element), Sum{}); }
        /// Whether anything but zeros is left; forgets it all.
        bool clear() {
            bool left = false;
            for (const std::uint32_t e : touched_) left |= take(e).weight != 0;
            touched_.clear();
            return left;
        }

      private:
        std::vector<Sum> sums_;
        std::vector<std::uint32_t> touched_;
    };
    struct Place {
        std::uint32_t core = 0, neuron = 0;
        bool set = false;
    };

    [[noreturn]] static void fail(const std::string& what) { throw InternalError("mapping check: " + what); }

    void locate() {
        place_.resize(prog_.layers.size());
        for (std::size_t i = 0; i < place_.size(); ++i) place_[i].resize(prog_.layers[i].count);
        for (std::uint32_t c = 0; c < prog_.cores.size(); ++c) {
            core_at_[index(prog_.cores[c].endpoint)] = c;
            std::uint32_t next = 0;
            for (const auto& g : prog_.cores[c].neurons) {
                if (g.first != next || g.layer_index.size() != g.count) fail("neuron groups overlap");
                next += g.count;
                for (std::uint32_t n = 0; n < g.count; ++n) {
                    Place& p = place_[index(g.layer)].at(g.layer_index[n]);
                    if (p.set) fail("a neuron is on two cores");
                    p = {c, g.first + n, true};
                }
            }
            layer_of_.emplace_back(next);
            element_of_.emplace_back(next);
            for (const auto& g : prog_.cores[c].neurons) {
                for (std::uint32_t n = 0; n < g.count; ++n) {
                    layer_of_[c][g.first + n] = index(g.layer);
                    element_of_[c][g.first + n] = g.layer_index[n];
                }
            }
        }
        if (core_at_.size() != prog_.cores.size()) fail("two cores at one place");
        for (std::size_t i = 0; i < place_.size(); ++i) {
            if (prog_.layers[i].is_input) continue;
            for (const Place& p : place_[i]) {
                if (!p.set) fail("a neuron is on no core");
            }
        }
    }

    void capacities() const {
        const auto kinds = arch::core_kinds(chip_);
        for (const auto& image : prog_.cores) {
            const arch::CoreSpec& c = chip_.kind(image.kind);
            const arch::CoreKind& kind = c.type();
            std::uint64_t store = 0, axons = 0;
            for (const auto& a : image.axons) {
                if (a.first != axons) fail("axon groups overlap");
                axons += a.count;
                store += kind.need(c, matrix_in(image, a));
            }
            if (index(image.endpoint) >= kinds.size()) fail("a core beyond the chip");
            if (kinds[index(image.endpoint)] != image.kind) fail("a core of another kind");
            for (const auto& g : image.neurons) {
                if (m_.kind_of[index(g.layer)] != image.kind) fail("a layer on a core of another kind");
            }
            if (image.n_neurons > c.soma.max_neurons) fail("too many neurons on a core");
            if (axons != image.n_axons || axons > c.axon_in.max_axons) fail("too many axons on a core");
            if (store != image.store || store > kind.weight_store(c).capacity)
                fail("too many weights on a core");
            if (image.fanout.entries.size() > c.axon_out.max_fanout_entries) fail("too many fan-out entries");
            std::uint64_t rows = image.n_neurons, sums = image.n_neurons;
            for (const auto& g : image.psums_out) {
                if (g.first != sums || g.row != rows) fail("partial sums overlap");
                sums += g.count;
                rows += arch::PsumPackets(chip_, image.kind).packets(g.count);
            }
            if (sums > c.soma.max_neurons) fail("too many neurons and partial sums on a core");
            if (image.fanout.row.size() != rows + 1) fail("fan-out table of the wrong length");
        }
    }

    /// Follows every packet of partial sums to its owner: each group's packets are those of one input there,
    /// in order, each input has one group, and a sum belongs to the layer and element of the neuron it is
    /// added to.
    void partial_sums() {
        std::size_t inputs = 0, groups = 0;
        for (const auto& image : prog_.cores) {
            inputs += image.psums_in.size();
            std::uint64_t next = image.n_axons;
            for (const auto& in : image.psums_in) {
                if (in.axon != next) fail("packets of partial sums overlap");
                next += arch::PsumPackets(chip_, image.kind).packets(in.count);
            }
        }
        std::set<std::pair<std::uint32_t, std::uint32_t>> seen;  // owner, first packet
        for (std::uint32_t c = 0; c < prog_.cores.size(); ++c) {
            const arch::CoreImage& image = prog_.cores[c];
            layer_of_[c].resize(image.n_sums());
            element_of_[c].resize(image.n_sums());
            for (const auto& g : image.psums_out) {
                ++groups;
                if (const auto& core = chip_.kind(image.kind); !core.type().partial_sums(core))
                    fail("partial sums of a core without");
                const auto& table = image.fanout;
                const auto& first = table.entries.at(table.row.at(g.row));
                const auto at = core_at_.find(index(first.core));
                if (at == core_at_.end() || at->second == c) fail("partial sums for no other core");
                const arch::CoreImage& owner = prog_.cores[at->second];
                const auto in = std::find_if(owner.psums_in.begin(), owner.psums_in.end(),
                                             [&](const auto& i) { return i.axon == first.axon; });
                if (in == owner.psums_in.end() || in->from != image.endpoint || in->count != g.count)
                    fail("partial sums that their owner does not expect");
                if (owner.kind != image.kind) fail("partial sums for a core of another kind");
                if (!seen.insert({at->second, in->axon}).second) fail("partial sums of two for one");
                const auto n = std::find_if(owner.neurons.begin(), owner.neurons.end(),
                                            [&](const auto& o) { return o.first == in->neuron_first; });
                if (n == owner.neurons.end() || n->count != g.count || n->layer != g.layer ||
                    n->start_step != g.start_step)
                    fail("partial sums of other neurons");
                const std::uint64_t packets = arch::PsumPackets(chip_, image.kind).packets(g.count);
                for (std::uint32_t k = 0; k < packets; ++k) {
                    const std::uint32_t entry = table.row.at(g.row + k);
                    if (table.row.at(g.row + k + 1) != entry + 1)
                        fail("a packet of partial sums sent elsewhere");
                    if (table.entries.at(entry).core != first.core ||
                        table.entries.at(entry).axon != first.axon + k)
                        fail("a packet of partial sums sent elsewhere");
                }
                for (std::uint32_t i = 0; i < g.count; ++i) {
                    layer_of_[c][g.first + i] = index(g.layer);
                    element_of_[c][g.first + i] = n->layer_index[i];
                }
            }
        }
        if (groups != inputs) fail("partial sums that never come");
    }

    /// The matrix of an axon group, from the image alone.
    static arch::StoredMatrix matrix_in(const arch::CoreImage& image, const arch::AxonGroup& a) {
        const std::uint32_t targets = image.targets_of(a);
        if (targets == 0) fail("an axon group that leads to no neurons");
        arch::StoredMatrix m;
        m.weights = std::visit([](const auto& v) { return v.size(); }, a.weights->values);
        m.indexed = std::holds_alternative<arch::SparseRows>(a.rows);
        m.size = arch::matrix_of(a, targets);
        m.copies = a.copies;
        if (m.size.outputs * m.size.positions != targets) fail("a matrix of another size than its slice");
        return m;
    }

    double weight(const arch::AxonGroup& a, std::size_t i) const {
        return std::visit([&](const auto& v) { return static_cast<double>(v.at(i)); }, a.weights->values);
    }

    /// Adds what one delivery does: f(neuron of the core, weight).
    template <class F>
    void deliver(const arch::AxonGroup& a, std::uint32_t axon, F f) const {
        if (const auto* d = std::get_if<arch::DenseRows>(&a.rows)) {
            for (std::uint32_t n = 0; n < d->columns; ++n)
                f(a.neuron_first + n, weight(a, std::size_t{axon} * d->columns + n));
        } else if (const auto* s = std::get_if<arch::SparseRows>(&a.rows)) {
            for (std::uint32_t i = s->row.at(axon); i < s->row.at(axon + 1); ++i)
                f(a.neuron_first + s->target[i], weight(a, i));
        } else {
            const auto& c = std::get<arch::ConvRows>(a.rows);
            deliver_conv(a, c, axon, f);
        }
    }

    /// From the output's point of view: which of the tile's positions read the axon's input. Written out on
    /// purpose, where all other code asks arch::WindowAxis: a mistake in that would not be seen with its
    /// help.
    template <class F>
    void deliver_conv(const arch::AxonGroup& a, const arch::ConvRows& c, std::size_t axon, F f) const {
        const arch::LinearShape& s = c.shape;
        const arch::WindowAxis &rows = s.window.rows, &columns = s.window.columns;
        const std::size_t ci = axon % s.in_c, x = axon / s.in_c % s.in_w, y = axon / s.in_c / s.in_w;
        for (std::size_t ty = 0; ty < s.out_h; ++ty) {
            for (std::size_t ky = 0; ky < rows.kernel; ++ky) {
                if (ty * rows.stride + ky * rows.dilation != y + rows.before) continue;
                for (std::size_t tx = 0; tx < s.out_w; ++tx) {
                    for (std::size_t kx = 0; kx < columns.kernel; ++kx) {
                        if (tx * columns.stride + kx * columns.dilation != x + columns.before) continue;
                        const std::size_t first = (ty * s.out_w + tx) * s.out_c + c.co_first[ci];
                        const std::size_t at = c.weight_at[ci] + (ky * columns.kernel + kx) * c.co_count[ci];
                        for (std::uint32_t o = 0; o < c.co_count[ci]; ++o)
                            f(a.neuron_first + static_cast<std::uint32_t>(first) + o, weight(a, at + o));
                    }
                }
            }
        }
    }

    std::uint64_t element(std::uint32_t population, std::uint32_t e) {
        const arch::FanoutTable* table = &prog_.input_fanout;
        std::uint32_t row = e;
        if (!prog_.layers[population].is_input) {
            const Place& p = place_[population][e];
            table = &prog_.cores[p.core].fanout;
            row = p.neuron;
        }
        std::vector<std::pair<std::uint32_t, std::uint32_t>> seen;
        for (std::uint32_t i = table->row.at(row); i < table->row.at(row + 1); ++i) {
            const auto& entry = table->entries[i];
            const auto at = core_at_.find(index(entry.core));
            if (at == core_at_.end()) fail("a fan-out entry to a core that is not in use");
            const auto& image = prog_.cores[at->second];
            const auto group = std::find_if(image.axons.begin(), image.axons.end(), [&](const auto& a) {
                return entry.axon >= a.first && entry.axon < a.first + a.count;
            });
            if (group == image.axons.end()) fail("a fan-out entry to an axon that does not exist");
            const Projection& p = m_.graph.projections.at(group->projection);
            if (p.source != population || index(group->source) != population)
                fail("an axon of another layer");
            if (group->delay != p.chip_delay || p.chip_delay < 1) fail("a wrong delay");
            seen.emplace_back(index(entry.core), entry.axon);
            deliver(*group, entry.axon - group->first, [&](std::uint32_t neuron, double w) {
                if (layer_of_[at->second].at(neuron) != p.target) fail("a delivery to another layer");
                got_[group->projection].add(element_of_[at->second][neuron], w);
            });
        }
        std::sort(seen.begin(), seen.end());
        if (std::adjacent_find(seen.begin(), seen.end()) != seen.end()) fail("an axon is reached twice");
        std::uint64_t connections = 0;
        for (std::uint32_t p = 0; p < m_.graph.projections.size(); ++p) {
            const Projection& projection = m_.graph.projections[p];
            if (projection.source != population || m_.on_host[p]) continue;
            const auto skew = [&](std::uint32_t i) { return std::int64_t{m_.graph.populations[i].skew}; };
            if (skew(projection.source) + projection.chip_delay !=
                skew(projection.target) + projection.delay) {
                fail("paths of different length");
            }
            const double lsb = prog_.fixed ? std::ldexp(1.0, -m_.inputs[p].weight_exponent) : 1.0;
            for (const auto& [t, w] :
                 apply_chain(*m_.model, projection.chain, 0, {{e, 1.0}}, projection.mask_delay, dt_)) {
                const Arrived::Sum got = got_[p].take(t);
                const double have = got.weight * lsb;
                const double ways = std::max(got.deliveries, 1u);
                const double bound =
                    prog_.fixed ? ways * lsb * 0.5000001 : 1e-9 * (std::abs(w) + 1e-30) * ways;
                if (std::abs(have - w) > bound) {
                    fail(fmt::format("'{}'[{}] -> '{}'[{}]: weight {} delivered as {}",
                                     m_.graph.populations[population].name, e,
                                     m_.graph.populations[projection.target].name, t, w, have));
                }
                ++connections;
            }
        }
        for (Arrived& got : got_) {
            if (got.clear()) fail("a delivery that the network does not have");
        }
        return connections;
    }

    const Mapping& m_;
    const arch::Program& prog_;
    double dt_;
    const arch::ChipSpec& chip_;
    std::vector<Arrived> got_;  ///< [projections]
    std::vector<std::vector<Place>> place_;
    std::unordered_map<std::uint32_t, std::uint32_t> core_at_;
    std::vector<std::vector<std::uint32_t>> layer_of_, element_of_;
};

}  // namespace

CheckedConnections check_connections(const Mapping& mapping, const Profile& profile, const arch::ChipSpec& chip,
                                     std::uint64_t limit, const CheckProgress& progress) {
    return Checker(mapping, profile.dt_seconds(), chip).run(limit, progress);
}

std::uint64_t check_program(const Mapping& mapping, const Profile& profile, const arch::ChipSpec& chip) {
    return check_connections(mapping, profile, chip, 0, {}).connections;
}

}  // namespace loom::compiler
