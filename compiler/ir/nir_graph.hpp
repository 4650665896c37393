// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "compiler/ir/file_matrix.hpp"

namespace loom::compiler {

/// A dense array, C order.
struct Tensor {
    std::vector<std::size_t> shape;            ///< empty: scalar
    std::vector<double> data{};                ///< empty for a matrix that stays in its file
    std::shared_ptr<const FileMatrix> file{};  ///< large weight matrices [out, in] only
    std::size_t size() const { return file != nullptr ? shape[0] * shape[1] : data.size(); }
};

struct NodeRule;

/// One node as the file has it, flattened names ("sub/lif"). Arrays, integers and strings by key;
/// every key of the node's type is present after import (defaults filled in).
struct NirNode {
    std::string name;
    const NodeRule* rule = nullptr;              ///< all that its type means; lives in a NodeCatalogue
    std::map<std::string, Tensor> arrays;        ///< weight, tau, stride, shape, ... (numbers)
    std::map<std::string, std::string> strings;  ///< padding: "same" | "valid"
    std::vector<std::size_t> input_shape;        ///< by shape inference, without batch
    std::vector<std::size_t> output_shape;

    /// Name of the type, for messages and files: what a type does is asked of its rule.
    const std::string& type() const;
};

struct NirEdge {
    std::uint32_t source = 0, target = 0;  ///< index into NirModel::nodes
    std::string port;                      ///< "a" or "b" for MatMul and Mul, else empty
};

/// A NIR graph, flat: nested graphs are inlined (their Input and Output nodes removed), nodes in
/// the order of the graph (import/graph_order.cpp), duplicate edges dropped with a note. Shapes are inferred and checked.
struct NirModel {
    std::string file;
    std::string version;
    std::map<std::string, std::string> metadata;  ///< of the root, as text
    std::vector<NirNode> nodes;
    std::vector<NirEdge> edges;
    std::vector<std::string> notes;  ///< repairs and other remarks, for the user
};

}  // namespace loom::compiler
