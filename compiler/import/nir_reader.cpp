// SPDX-License-Identifier: Apache-2.0
#include "compiler/import/nir_reader.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <new>

#include "base/error.hpp"
#include "base/hdf5/hdf5_file.hpp"
#include "base/nearest.hpp"
#include "compiler/import/parse_node.hpp"
#include "compiler/import/raw_graph.hpp"
#include "compiler/nodes/nodes.hpp"

namespace loom::compiler {
namespace {

constexpr std::size_t kMaxDepth = 64;
constexpr std::size_t kMaxNodes = 100000;
constexpr std::size_t kMaxEdges = 1000000;

class Reader {
  public:
    Reader(NirModel& model, const NodeCatalogue& types) : model_(model), types_(types) {}

    RawGraph read() {
        const hdf5::Group root = hdf5::open(model_.file);
        if (root.has("version")) model_.version = root.text("version");
        if (!root.has("node")) root.fail("has no group 'node'; this HDF5 file is not a NIR graph");
        for (const auto& key : root.keys()) {
            if (key != "version" && key != "node")
                model_.notes.push_back("ignored: root entry " + quoted(key));
        }
        const hdf5::Group top = root.group("node", "root node");
        if (top.has("metadata")) metadata(top.group("metadata", "root metadata"), "", 0);
        const std::string type = type_of(top);
        if (type == kGraphType) return graph(top, "", 0);
        return wrapped(parse_node(top, types_, "node", type));
    }

  private:
    static std::string type_of(const hdf5::Group& g) {
        if (!g.has("type")) g.fail("key 'type' is missing; every node names its type");
        return g.text("type");
    }

    RawGraph wrapped(NirNode node) const {
        RawGraph g;
        g.nodes["input"].node.rule = &types_.at("Input");
        g.nodes["node"].node = std::move(node);
        g.nodes["output"].node.rule = &types_.at("Output");
        g.edges = {{"input", "node"}, {"node", "output"}};
        return g;
    }

    RawGraph graph(const hdf5::Group& g, const std::string& prefix, std::size_t depth) {
        if (depth > kMaxDepth) g.fail(fmt::format("graphs are nested more than {} deep", kMaxDepth));
        const std::vector<std::string> known{"type", "nodes", "edges", "metadata"};
        for (const auto& key : g.keys()) {
            if (std::find(known.begin(), known.end(), key) != known.end()) continue;
            g.fail(fmt::format("unknown key {} in a NIRGraph{}", quoted(key), suggestion(key, known)));
        }
        for (const char* key : {"nodes", "edges"}) {
            if (!g.has(key)) g.fail(fmt::format("key '{}' is missing; type NIRGraph needs it", key));
        }
        RawGraph out;
        const hdf5::Group nodes = g.group("nodes", g.where() + ": key 'nodes'");
        for (const auto& name : nodes.keys()) {
            if (++n_nodes_ > kMaxNodes) g.fail(fmt::format("the file has more than {} nodes", kMaxNodes));
            if (quoted(name) != "'" + name + "'")
                nodes.fail(name, "is no usable node name; use short plain text");
            const std::string where = "node '" + prefix + name + "'";
            if (nodes.kind(name) != hdf5::Kind::Group)
                nodes.fail(name, "is not a group; a node was expected");
            const hdf5::Group stored = nodes.group(name, where);
            const std::string type = type_of(stored);
            RawNode& node = out.nodes[name];
            if (type == kGraphType) {
                node.node.name = name;
                node.graph = std::make_shared<RawGraph>(graph(stored, prefix + name + "/", depth + 1));
            } else {
                node.node = parse_node(stored, types_, name, type);
            }
        }
        out.edges = edges(g);
        return out;
    }

    static std::vector<std::pair<std::string, std::string>> edges(const hdf5::Group& g) {
        if (g.kind("edges") == hdf5::Kind::Number && g.numbers("edges").data.empty()) return {};
        hdf5::Texts t = g.texts("edges");
        if (t.data.empty()) return {};
        if (t.shape.size() != 2 || t.shape[1] != 2) {
            g.fail("edges", fmt::format("has shape [{}], expected [N, 2]: source and target",
                                        fmt::join(t.shape, ", ")));
        }
        if (t.shape[0] > kMaxEdges) g.fail("edges", fmt::format("lists more than {} edges", kMaxEdges));
        std::vector<std::pair<std::string, std::string>> out;
        for (std::size_t i = 0; i < t.data.size(); i += 2) out.emplace_back(t.data[i], t.data[i + 1]);
        return out;
    }

    void metadata(const hdf5::Group& g, const std::string& prefix, std::size_t depth) {
        if (depth > kMaxDepth) g.fail("is nested too deep");
        for (const auto& key : g.keys()) {
            std::string& text = model_.metadata[prefix + key];
            switch (g.kind(key)) {
                case hdf5::Kind::Text:
                    text = fmt::format("{}", fmt::join(g.texts(key).data, ", "));
                    break;
                case hdf5::Kind::Number:
                    text = numbers_text(g.numbers(key));
                    break;
                case hdf5::Kind::Group:
                    model_.metadata.erase(prefix + key);
                    metadata(g.group(key, g.where()), prefix + key + "/", depth + 1);
                    break;
                case hdf5::Kind::Other:
                    model_.metadata.erase(prefix + key);
                    model_.notes.push_back("ignored: metadata " + quoted(prefix + key) +
                                           " is no text or number");
            }
            if (model_.metadata.size() > kMaxNodes) g.fail("holds too many entries");
        }
    }

    static std::string numbers_text(const hdf5::Numbers& n) {
        constexpr std::size_t most = 16;
        if (n.shape.empty()) return fmt::format("{}", n.data.at(0));
        const auto shown = static_cast<std::ptrdiff_t>(std::min(most, n.data.size()));
        return fmt::format("[{}{}]", fmt::join(n.data.begin(), n.data.begin() + shown, ", "),
                           n.data.size() > most ? ", ..." : "");
    }

    NirModel& model_;
    const NodeCatalogue& types_;
    std::size_t n_nodes_ = 0;
};

}  // namespace

NirModel read_nir(const std::string& path, Repair repair, const NodeCatalogue& types) {
    FlatGraph flat;
    flat.types = &types;
    flat.model.file = path;
    flat.repair = repair;
    try {
        flatten(Reader(flat.model, types).read(), flat);
        infer_shapes(flat);
        remove_nested_ports(flat);
        reorder(flat, graph_order(flat.model));
    } catch (const std::bad_alloc&) {
        throw InputError(path + ": needs more memory than there is; is the file damaged?");
    }
    return std::move(flat.model);
}

}  // namespace loom::compiler
