// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <set>
#include <tuple>

#include "base/error.hpp"
#include "base/nearest.hpp"
#include "compiler/import/raw_graph.hpp"

namespace loom::compiler {
namespace {

using Borders = std::map<std::string, std::uint32_t>;

/// How edges reach one node of a graph from inside that graph.
struct Ends {
    Borders targets, sources;        ///< port name -> flat node; one entry "" for a primitive
    const NodeRule* rule = nullptr;  ///< nullptr: a nested graph
    bool two_ports() const { return rule != nullptr && rule->two_ports(); }
};

struct End {
    std::uint32_t node;
    std::string port;
};

class Flattener {
  public:
    explicit Flattener(FlatGraph& flat) : flat_(flat) {}

    /// Adds the graph; returns its own borders as seen from outside.
    Ends expand(RawGraph& g, const std::string& prefix) {
        std::map<std::string, Ends> table;
        Ends borders;
        for (auto& [name, raw] : g.nodes) {
            Ends& ends = table[name];
            if (raw.graph) {
                ends = expand(*raw.graph, prefix + name + "/");
                continue;
            }
            const std::uint32_t id = add(std::move(raw.node), prefix, name);
            ends.rule = flat_.model.nodes[id].rule;
            const bool input = ends.rule->role == NodeRole::Input,
                       output = ends.rule->role == NodeRole::Output;
            if (input) borders.targets[name] = id;
            if (output) borders.sources[name] = id;
            if (!input) ends.targets[""] = id;
            if (!output) ends.sources[""] = id;
        }
        std::set<std::tuple<std::uint32_t, std::uint32_t, std::string>> seen;
        for (const auto& edge : g.edges) {
            const End from = resolve(table, edge, prefix, false), to = resolve(table, edge, prefix, true);
            if (!seen.emplace(from.node, to.node, to.port).second) {
                flat_.model.notes.push_back("duplicate " + edge_text(edge, prefix) + " dropped");
                continue;
            }
            flat_.model.edges.push_back({from.node, to.node, to.port});
        }
        return borders;
    }

    /// Gives the whole graph an Input and an Output if it has none and there is one place for it.
    void close(const Ends& borders) {
        if (borders.targets.empty()) add_border(true);
        if (borders.sources.empty()) add_border(false);
    }

  private:
    std::uint32_t add(NirNode node, const std::string& prefix, const std::string& name) {
        node.name = prefix + name;
        flat_.nested.push_back(node.rule->is_border() && !prefix.empty());
        flat_.model.nodes.push_back(std::move(node));
        return static_cast<std::uint32_t>(flat_.model.nodes.size() - 1);
    }

    static std::string edge_text(const std::pair<std::string, std::string>& e, const std::string& prefix) {
        return fmt::format("edge {} -> {}", quoted(prefix + e.first), quoted(prefix + e.second));
    }

    End resolve(const std::map<std::string, Ends>& table, const std::pair<std::string, std::string>& edge,
                const std::string& prefix, bool target) {
        const std::string& name = target ? edge.second : edge.first;
        const auto fail = [&](const std::string& problem) {
            throw InputError(fmt::format("{}: {}: {}", flat_.model.file, edge_text(edge, prefix), problem));
        };
        std::string base = name, port;
        auto found = table.find(name);  // a plain name with a dot wins over a port
        const std::size_t dot = name.rfind('.');
        if (found == table.end() && dot != std::string::npos) {
            base = name.substr(0, dot);
            port = name.substr(dot + 1);
            found = table.find(base);
            const bool has_ports = found != table.end() &&
                                   (found->second.rule == nullptr || (target && found->second.two_ports()));
            if (!has_ports) found = table.end();
        }
        if (found == table.end()) {
            found = nearest_node(table, edge, prefix, name, fail);
            base = found->first;
            port.clear();
        }
        const Ends& ends = found->second;
        const Borders& side = target ? ends.targets : ends.sources;
        if (ends.two_ports() && target) {
            if (port != "a" && port != "b") {
                fail(fmt::format("{} is a {} with two operands; name the port: '{}.a' or '{}.b'",
                                 quoted(base), ends.rule->type, base, base));
            }
            return {side.at(""), port};
        }
        if (side.empty()) {
            fail(ends.rule == nullptr
                     ? fmt::format("the graph {} has no {} node", quoted(base), target ? "Input" : "Output")
                     : fmt::format("{} is an {}; no edge {} it", quoted(base), ends.rule->type,
                                   target ? "enters" : "leaves"));
        }
        if (port.empty() && side.size() == 1) return {side.begin()->second, ""};
        std::vector<std::string> names;
        for (const auto& [p, id] : side) names.push_back(base + "." + p);
        if (port.empty())
            fail(fmt::format("the graph {} has several ports{}", quoted(base), suggestion("", names)));
        const auto it = side.find(port);
        if (it == side.end())
            fail(fmt::format("the graph has no port {}{}", quoted(port), suggestion(name, names)));
        return {it->second, ""};
    }

    /// The one node whose name begins with `name` or begins it: taken under repair, else suggested.
    template <class Fail>
    std::map<std::string, Ends>::const_iterator nearest_node(const std::map<std::string, Ends>& table,
                                                             const std::pair<std::string, std::string>& edge,
                                                             const std::string& prefix,
                                                             const std::string& name, const Fail& fail) {
        auto candidate = table.end();
        std::size_t n = 0;
        std::vector<std::string> names;
        for (auto it = table.begin(); it != table.end(); ++it) {
            names.push_back(it->first);
            if (!it->first.starts_with(name) && !name.starts_with(it->first)) continue;
            candidate = it;
            ++n;
        }
        const std::string problem = quoted(name) + " names no node";
        if (n != 1) fail(problem + suggestion(name, names));
        const std::string taken = quoted(prefix + candidate->first);
        if (!flat_.repair.on)
            fail(fmt::format("{}; did you mean {}? {} takes it so", problem, taken, flat_.repair.how));
        flat_.model.notes.push_back(
            fmt::format("repaired: {}: {}, taken as {}", edge_text(edge, prefix), problem, taken));
        return candidate;
    }

    void add_border(bool input) {
        auto& m = flat_.model;
        const NodeRule& rule = flat_.types->at(input ? "Input" : "Output");
        std::vector<bool> connected(m.nodes.size(), false);
        for (const auto& e : m.edges) connected[input ? e.target : e.source] = true;
        std::vector<std::uint32_t> open;
        for (std::uint32_t i = 0; i < m.nodes.size(); ++i) {
            const bool opposite = m.nodes[i].rule->role == (input ? NodeRole::Output : NodeRole::Input);
            if (!connected[i] && !opposite) open.push_back(i);
        }
        if (open.size() != 1 || m.nodes[open[0]].rule->two_ports()) {
            throw InputError(
                fmt::format("{}: the graph has no {} node and {} nodes it could belong to; add one", m.file,
                            rule.type, open.size()));
        }
        std::string name = input ? "input" : "output";
        const auto taken = [&](const NirNode& n) { return n.name == name; };
        while (std::any_of(m.nodes.begin(), m.nodes.end(), taken)) name += "_";
        NirNode node;
        node.rule = &rule;
        const std::uint32_t id = add(std::move(node), "", name);
        m.edges.push_back(input ? NirEdge{id, open[0], ""} : NirEdge{open[0], id, ""});
        m.notes.push_back(fmt::format("the graph has no {} node: '{}' added at '{}'", rule.type, name,
                                      m.nodes[open[0]].name));
    }

    FlatGraph& flat_;
};

bool by_ends(const NirEdge& a, const NirEdge& b) {
    return std::tie(a.source, a.target, a.port) < std::tie(b.source, b.target, b.port);
}

}  // namespace

void reorder(FlatGraph& flat, const std::vector<std::uint32_t>& order) {
    auto& m = flat.model;
    std::vector<std::uint32_t> place(m.nodes.size(), 0);
    std::vector<NirNode> nodes;
    std::vector<bool> nested;
    for (const std::uint32_t old : order) {
        place[old] = static_cast<std::uint32_t>(nodes.size());
        nodes.push_back(std::move(m.nodes[old]));
        nested.push_back(flat.nested[old]);
    }
    m.nodes = std::move(nodes);
    flat.nested = std::move(nested);
    for (auto& e : m.edges) {
        e.source = place[e.source];
        e.target = place[e.target];
    }
    std::sort(m.edges.begin(), m.edges.end(), by_ends);
}

void fail_node(const std::string& file, const std::string& node, const std::string& problem) {
    throw InputError(fmt::format("{}: node '{}': {}", file, node, problem));
}

void flatten(RawGraph&& raw, FlatGraph& flat) {
    Flattener f(flat);
    f.close(f.expand(raw, ""));
    std::vector<std::uint32_t> order(flat.model.nodes.size());
    std::iota(order.begin(), order.end(), 0U);
    std::sort(order.begin(), order.end(),
              [&](auto a, auto b) { return flat.model.nodes[a].name < flat.model.nodes[b].name; });
    reorder(flat, order);
}

void remove_nested_ports(FlatGraph& flat) {
    constexpr std::size_t most_edges = 4000000;
    auto& m = flat.model;
    const std::size_t n = m.nodes.size();
    // per border node: the real nodes whose values arrive there
    std::vector<std::vector<std::uint32_t>> arriving(n), out_of(n);
    std::vector<std::size_t> waiting(n, 0);
    std::vector<NirEdge> edges;
    std::vector<std::uint32_t> ready;
    std::size_t n_borders = 0;
    for (std::uint32_t i = 0; i < m.edges.size(); ++i) {
        const auto& e = m.edges[i];
        if (!flat.nested[e.source] && !flat.nested[e.target]) edges.push_back(e);
        if (!flat.nested[e.source] && flat.nested[e.target]) arriving[e.target].push_back(e.source);
        if (flat.nested[e.source]) out_of[e.source].push_back(i);
        if (flat.nested[e.source] && flat.nested[e.target]) ++waiting[e.target];
    }
    for (std::uint32_t v = 0; v < n; ++v) {
        if (flat.nested[v]) ++n_borders;
        if (flat.nested[v] && waiting[v] == 0) ready.push_back(v);
    }
    std::size_t total = edges.size();
    for (std::size_t k = 0; k < ready.size(); ++k) {
        const std::uint32_t v = ready[k];
        for (const std::uint32_t i : out_of[v]) {
            const auto& e = m.edges[i];
            total += arriving[v].size();
            if (total > most_edges)
                throw InputError(m.file + ": inlining nested graphs gives too many edges");
            if (flat.nested[e.target]) {
                auto& to = arriving[e.target];
                to.insert(to.end(), arriving[v].begin(), arriving[v].end());
                if (--waiting[e.target] == 0) ready.push_back(e.target);
            } else {
                for (const std::uint32_t s : arriving[v]) edges.push_back({s, e.target, e.port});
            }
        }
    }
    if (ready.size() != n_borders) {
        throw InputError(m.file + ": nested graphs form a loop that passes no node; break it");
    }
    m.edges = std::move(edges);
    std::vector<std::uint32_t> order;
    for (std::uint32_t v = 0; v < n; ++v) {
        if (!flat.nested[v]) order.push_back(v);
    }
    reorder(flat, order);
}

}  // namespace loom::compiler
