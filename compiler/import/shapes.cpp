// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/error.hpp"
#include "base/nearest.hpp"
#include "compiler/import/raw_graph.hpp"
#include "compiler/nodes/shape_rules.hpp"

namespace loom::compiler {
namespace {

using MaybeShape = std::optional<Shape>;

/// `t` repeated along its dimensions of size 1 until it has shape `full`.
Tensor expanded(const Tensor& t, const Shape& full) {
    Tensor out{full, {}};
    const std::size_t count = element_count(full), skipped = full.size() - t.shape.size();
    out.data.resize(count);
    for (std::size_t i = 0; i < count; ++i) {
        std::size_t rest = i, from = 0, step = 1;
        for (std::size_t d = full.size(); d-- > skipped;) {
            const std::size_t size = t.shape[d - skipped];
            from += size == 1 ? 0 : rest % full[d] * step;
            step *= size;
            rest /= full[d];
        }
        out.data[i] = t.data[from];
    }
    return out;
}

class Inference {
  public:
    explicit Inference(FlatGraph& flat)
        : flat_(flat), m_(flat.model), known_(m_.nodes.size()), out_edges_(m_.nodes.size()) {
        for (std::uint32_t i = 0; i < m_.edges.size(); ++i) {
            const auto& e = m_.edges[i];
            out_edges_[e.source].push_back(i);
            known_[e.target].connected[slot(e)] = true;
        }
    }

    void run() {
        for (std::uint32_t i = 0; i < known_.size(); ++i) check_connected(i);
        // the ports of nested graphs say their shape too, so that a wrong edge to one is told as such
        for (const bool nested : {true, false}) {
            for (std::uint32_t i = 0; i < known_.size(); ++i) {
                if (is(i, NodeRole::Input) && flat_.nested[i] == nested) seed(i);
            }
        }
        // what no Input reaches: sources without input first, then loops among themselves
        for (const bool loops : {false, true}) {
            for (std::uint32_t i = 0; i < known_.size(); ++i) {
                if (loops || !known_[i].connected[0]) seed(i);
            }
        }
        for (std::uint32_t i = 0; i < known_.size(); ++i) {
            if (known_[i].out) continue;
            fail_node(m_.file, m_.nodes[i].name,
                      "its shape cannot be inferred; connect it to an Input that has a shape");
        }
        for (const auto& e : m_.edges) check_edge(e);
        for (std::uint32_t i = 0; i < known_.size(); ++i) finish(i);
    }

  private:
    struct Known {
        std::array<MaybeShape, 2> in;
        MaybeShape out;
        std::array<bool, 2> connected{false, false};
    };

    static std::size_t slot(const NirEdge& e) { return e.port == "b" ? 1 : 0; }

    const NodeRule& rule(std::uint32_t i) const { return *m_.nodes[i].rule; }
    bool is(std::uint32_t i, NodeRole role) const { return rule(i).role == role; }

    template <class F>
    auto guarded(std::uint32_t i, F f) const {
        try {
            return f();
        } catch (const NodeProblem& p) {
            fail_node(m_.file, m_.nodes[i].name, p.what());
        }
    }

    void check_connected(std::uint32_t i) {
        const auto& node = m_.nodes[i];
        const auto& c = known_[i].connected;
        if (rule(i).two_ports() && !(c[0] && c[1])) {
            fail_node(m_.file, node.name,
                      fmt::format("no edge ends at its port '{0}.{1}'; type {2} needs both", node.name,
                                  c[0] ? "b" : "a", node.type()));
        }
        const bool root_input = is(i, NodeRole::Input) && !flat_.nested[i];
        if (!c[0] && !root_input) {
            if (!rule(i).integrates()) {
                fail_node(m_.file, node.name, "no edge leads to it; connect or remove it");
            }
            m_.notes.push_back(fmt::format("no edge leads to node '{}'", node.name));
        }
        if (out_edges_[i].empty() && !is(i, NodeRole::Output)) {
            m_.notes.push_back(fmt::format("no edge leaves node '{}'", node.name));
        }
    }

    /// The input shape a node tells by itself; an Input without one takes that of its reader.
    MaybeShape hint(std::uint32_t i) const {
        auto shape = guarded(i, [&] { return rule(i).input(m_.nodes[i]); });
        if (shape || !is(i, NodeRole::Input)) return shape;
        for (const std::uint32_t e : out_edges_[i]) {
            const std::uint32_t to = m_.edges[e].target;
            shape = guarded(to, [&] { return rule(to).input(m_.nodes[to]); });
            if (shape) break;
        }
        return shape;
    }

    void seed(std::uint32_t i) {
        if (known_[i].out || rule(i).two_ports()) return;
        known_[i].in[0] = hint(i);
        std::vector<std::uint32_t> work;
        if (known_[i].in[0]) work.push_back(i);
        while (!work.empty()) {
            const std::uint32_t v = work.back();
            work.pop_back();
            auto& k = known_[v];
            if (k.out || !k.in[0] || (rule(v).two_ports() && !k.in[1])) continue;
            k.out = guarded(v, [&] {
                Shape s = rule(v).output(m_.nodes[v], *k.in[0], k.in[1].value_or(Shape{}));
                element_count(s);
                return s;
            });
            for (const std::uint32_t e : out_edges_[v]) {
                auto& in = known_[m_.edges[e].target].in[slot(m_.edges[e])];
                if (!in) in = k.out;
                work.push_back(m_.edges[e].target);
            }
        }
    }

    void check_edge(const NirEdge& e) const {
        const auto& gives = *known_[e.source].out;
        const auto& takes = *known_[e.target].in[slot(e)];
        if (gives == takes) return;
        throw InputError(fmt::format("{}: edge '{}' -> '{}': gives shape {}, the target takes {}", m_.file,
                                     m_.nodes[e.source].name, m_.nodes[e.target].name, shape_text(gives),
                                     shape_text(takes)));
    }

    void finish(std::uint32_t i) {
        auto& node = m_.nodes[i];
        node.input_shape = *known_[i].in[0];
        node.output_shape = *known_[i].out;
        guarded(i, [&] {
            for (const auto& key : rule(i).keys) {
                if (is_shape(key.kind)) settle_shape(i, key);
                if (is_per_element(key.kind)) settle_parameter(node, key);
            }
        });
    }

    /// A declared shape must be the inferred one; an absent one becomes it.
    void settle_shape(std::uint32_t i, const KeyRule& key) {
        auto& node = m_.nodes[i];
        Shape inferred = key.kind == KeyKind::SecondShape ? *known_[i].in[1] : node.input_shape;
        if (key.kind == KeyKind::SpatialShape) inferred.erase(inferred.begin());
        auto [it, absent] = node.arrays.try_emplace(key.name);
        Shape declared = absent ? inferred : to_shape(it->second);
        if (key.kind == KeyKind::SpatialShape && declared.size() == 1)
            declared.resize(inferred.size(), declared[0]);
        if (declared != inferred) {
            const bool regrouped =
                is(i, NodeRole::Output) && element_count(declared) == element_count(inferred);
            const std::string problem = fmt::format("key '{}' is {}, the input has shape {}", key.name,
                                                    shape_text(declared), shape_text(inferred));
            if (!regrouped) throw NodeProblem(problem);
            if (!flat_.repair.on)
                throw NodeProblem(problem + fmt::format("; {} takes the latter", flat_.repair.how));
            m_.notes.push_back(
                fmt::format("repaired: node '{}': {}, taken as the latter", node.name, problem));
        }
        it->second = Tensor{{inferred.size()}, std::vector<double>(inferred.begin(), inferred.end())};
    }

    /// A parameter is laid along the last axes, as numpy does it, if it cannot be meant for the first ones.
    static void check_axes(const Shape& own, const Shape& signal, const std::string& name) {
        const bool last = broadcast(own, signal) == signal;
        Shape leading = own, trailing(signal.size() - std::min(own.size(), signal.size()), 1);
        leading.resize(std::max(own.size(), signal.size()), 1);
        trailing.insert(trailing.end(), own.begin(), own.end());
        const bool first = broadcast(leading, signal) == signal && leading != trailing;
        if (last && !first) return;
        const std::string problem = fmt::format("parameter '{}' has shape {}, the signal has {}", name,
                                                shape_text(own), shape_text(signal));
        if (!first) throw NodeProblem(problem);
        throw NodeProblem(
            fmt::format("{}; store it as {} for one value a channel{}", problem, shape_text(leading),
                        last ? fmt::format(", or {} for the last axis", shape_text(trailing)) : ""));
    }

    void settle_parameter(NirNode& node, const KeyRule& key) {
        constexpr std::size_t most_expanded = std::size_t{1} << 28;
        Tensor& t = node.arrays.at(key.name);
        if (t.size() == 1 || t.shape == node.output_shape) return;
        check_axes(t.shape, node.output_shape, key.name);
        expanded_ += element_count(node.output_shape);
        if (expanded_ > most_expanded) throw NodeProblem("its parameters broadcast to more than 2^28 values");
        t = expanded(t, node.output_shape);
    }

    FlatGraph& flat_;
    NirModel& m_;
    std::vector<Known> known_;
    std::vector<std::vector<std::uint32_t>> out_edges_;
    std::size_t expanded_ = 0;
};

}  // namespace

void infer_shapes(FlatGraph& flat) {
    Inference(flat).run();
}

}  // namespace loom::compiler
