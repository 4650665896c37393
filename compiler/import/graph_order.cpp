// SPDX-License-Identifier: Apache-2.0
// The order of nodes follows from the graph: what users call their layers must not move a neuron.
#include <algorithm>
#include <bit>
#include <deque>
#include <numeric>
#include <set>
#include <span>
#include <string_view>
#include <tuple>

#include "compiler/import/raw_graph.hpp"

namespace loom::compiler {
namespace {

using Lists = std::vector<std::vector<std::uint32_t>>;

/// Mixes a number into a hash.
std::uint64_t mixed(std::uint64_t hash, std::uint64_t x) {
    hash ^= x + 0x9e3779b97f4a7c15u + (hash << 6) + (hash >> 2);
    hash = (hash ^ (hash >> 30)) * 0xbf58476d1ce4e5b9u;
    hash = (hash ^ (hash >> 27)) * 0x94d049bb133111ebu;
    return hash ^ (hash >> 31);
}

std::uint64_t mixed(std::uint64_t hash, std::string_view text) {
    for (const char c : text) hash = mixed(hash, static_cast<std::uint64_t>(static_cast<unsigned char>(c)));
    return mixed(hash, text.size());
}

/// Of all that a node says but its name.
std::uint64_t content(const NirNode& n) {
    std::uint64_t hash = mixed(0, n.type());
    for (const auto& [key, text] : n.strings) hash = mixed(mixed(hash, key), text);
    const auto values = [&](std::span<const double> data) {
        for (const double d : data) hash = mixed(hash, std::bit_cast<std::uint64_t>(d));
    };
    for (const auto& [key, tensor] : n.arrays) {
        hash = mixed(hash, key);
        for (const std::size_t d : tensor.shape) hash = mixed(hash, d);
        values(tensor.data);
        if (tensor.file != nullptr) values(tensor.file->row(0));  // the rest is too much to read for an order
    }
    return hash;
}

/// Hashes of nodes: equal for two that have the same content and the same surroundings, kFar edges far.
std::vector<std::uint64_t> structure(const NirModel& m) {
    std::vector<std::uint64_t> hash;
    for (const NirNode& n : m.nodes) hash.push_back(content(n));
    std::size_t classes = std::set(hash.begin(), hash.end()).size();
    constexpr std::size_t kFar = 64;
    for (std::size_t round = 0; round < kFar; ++round) {
        std::vector<std::vector<std::uint64_t>> around(m.nodes.size());
        for (const NirEdge& e : m.edges) {
            const std::uint64_t port = mixed(0, e.port);
            around[e.target].push_back(mixed(mixed(1, port), hash[e.source]));
            around[e.source].push_back(mixed(mixed(2, port), hash[e.target]));
        }
        std::vector<std::uint64_t> next = hash;
        for (std::size_t i = 0; i < next.size(); ++i) {
            std::sort(around[i].begin(), around[i].end());
            for (const std::uint64_t h : around[i]) next[i] = mixed(next[i], h);
        }
        const std::size_t finer = std::set(next.begin(), next.end()).size();
        if (finer == classes) break;
        classes = finer;
        hash = std::move(next);
    }
    return hash;
}

/// Edges from an input to each node, at least.
std::vector<std::size_t> distances(const NirModel& m, const Lists& out_of) {
    std::vector<std::size_t> distance(m.nodes.size(), m.nodes.size());
    std::deque<std::uint32_t> todo;
    for (std::uint32_t i = 0; i < m.nodes.size(); ++i) {
        if (m.nodes[i].rule->role != NodeRole::Input) continue;
        distance[i] = 0;
        todo.push_back(i);
    }
    for (; !todo.empty(); todo.pop_front()) {
        for (const std::uint32_t t : out_of[todo.front()]) {
            if (distance[t] != m.nodes.size()) continue;
            distance[t] = distance[todo.front()] + 1;
            todo.push_back(t);
        }
    }
    return distance;
}

}  // namespace

std::vector<std::uint32_t> graph_order(const NirModel& m) {
    Lists out_of(m.nodes.size());
    std::vector<std::size_t> waits_for(m.nodes.size(), 0);
    for (const NirEdge& e : m.edges) {
        out_of[e.source].push_back(e.target);
        if (e.source != e.target) ++waits_for[e.target];
    }
    const std::vector<std::size_t> distance = distances(m, out_of);
    // what is inside nodes is read only where distances do not tell all of them apart, as in a chain; names only where
    // nothing else does
    const bool chain = std::set(distance.begin(), distance.end()).size() == distance.size();
    const std::vector<std::uint64_t> hash = chain ? std::vector<std::uint64_t>(distance.size()) : structure(m);
    std::vector<std::uint32_t> by_rank(m.nodes.size());
    std::iota(by_rank.begin(), by_rank.end(), 0u);
    std::ranges::sort(by_rank, [&](std::uint32_t a, std::uint32_t b) {
        return std::tie(distance[a], hash[a], m.nodes[a].name) < std::tie(distance[b], hash[b], m.nodes[b].name);
    });
    std::vector<std::uint32_t> rank(m.nodes.size());
    for (std::uint32_t i = 0; i < by_rank.size(); ++i) rank[by_rank[i]] = i;

    std::set<std::uint32_t> ready, waiting;  // ranks
    for (std::uint32_t i = 0; i < m.nodes.size(); ++i) (waits_for[i] == 0 ? ready : waiting).insert(rank[i]);
    std::vector<std::uint32_t> order;
    while (!ready.empty() || !waiting.empty()) {
        // in a loop everyone waits: the one nearest to the input begins
        std::set<std::uint32_t>& from = ready.empty() ? waiting : ready;
        const std::uint32_t node = by_rank[*from.begin()];
        from.erase(from.begin());
        order.push_back(node);
        for (const std::uint32_t t : out_of[node]) {
            if (t == node || --waits_for[t] != 0) continue;
            if (waiting.erase(rank[t]) != 0) ready.insert(rank[t]);
        }
    }
    return order;
}

}  // namespace loom::compiler
