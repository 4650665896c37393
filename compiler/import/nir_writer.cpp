// SPDX-License-Identifier: Apache-2.0
#include "compiler/import/nir_writer.hpp"

#include "base/hdf5/hdf5_writer.hpp"
#include "compiler/nodes/shape_rules.hpp"

namespace loom::compiler {
namespace {

template <class T>
std::vector<T> converted(const Tensor& t) {
    std::vector<T> out(t.data.size());
    for (std::size_t i = 0; i < out.size(); ++i) out[i] = static_cast<T>(t.data[i]);
    return out;
}

void write_key(hdf5::Writer& w, const std::string& path, const KeyRule& rule, const NirNode& node) {
    const std::string& key = rule.name;
    if (const auto text = node.strings.find(key); text != node.strings.end())
        return w.text(path, text->second);
    const auto it = node.arrays.find(key);
    if (it == node.arrays.end()) return;
    if (it->second.file != nullptr) it->second.file->load();
    const Tensor& t = it->second;
    const bool packed = t.size() > 1;
    if (is_per_element(rule.kind)) {
        std::size_t count = 1;
        for (const std::size_t d : node.output_shape) count *= d;
        std::vector<double> all = t.data;
        if (all.size() == 1) all.resize(count, all[0]);
        w.numbers(path, node.output_shape, std::span<const double>(all), count > 1);
    } else if (rule.kind == KeyKind::Array || rule.kind == KeyKind::Matrix) {
        w.numbers(path, t.shape, std::span<const float>(converted<float>(t)), packed);
    } else {
        const bool scalar =
            rule.kind == KeyKind::Integer || rule.kind == KeyKind::Flag || rule.kind == KeyKind::Count;
        w.numbers(path, scalar ? hdf5::Writer::Shape{} : t.shape,
                  std::span<const std::int64_t>(converted<std::int64_t>(t)));
    }
}

}  // namespace

void write_nir(const NirModel& model, const std::string& path) {
    hdf5::Writer w(path);
    w.text("version", "1.0.7");
    w.text("node/type", "NIRGraph");
    std::vector<std::string> ends;
    for (const NirEdge& e : model.edges) {
        ends.push_back(hdf5::member_name(model.nodes[e.source].name));
        ends.push_back(hdf5::member_name(model.nodes[e.target].name));
    }
    w.texts("node/edges", {model.edges.size(), 2}, ends);
    for (const NirNode& node : model.nodes) {
        const std::string group = "node/nodes/" + hdf5::member_name(node.name);
        w.text(group + "/type", node.type());
        for (const KeyRule& key : node.rule->keys) write_key(w, group + "/" + key.name, key, node);
    }
    w.close();
}

}  // namespace loom::compiler
