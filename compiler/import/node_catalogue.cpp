// SPDX-License-Identifier: Apache-2.0
#include "compiler/import/node_catalogue.hpp"

namespace loom::compiler {
namespace {

using enum KeyKind;

const KeyRule shape{"shape", Declared};
const KeyRule weight{"weight", Array};
const KeyRule bias{"bias", Array};
const KeyRule conv_bias{"bias", Array, Need::Default, 0};
const KeyRule groups{"groups", Counts};
const KeyRule spatial{"input_shape", SpatialShape, Need::Inferred};
const KeyRule tau{"tau", Positive};
const KeyRule tau_syn{"tau_syn", Positive};
const KeyRule tau_mem{"tau_mem", Positive};
const KeyRule r{"r", PerElement};
const KeyRule v_leak{"v_leak", PerElement};
const KeyRule v_threshold{"v_threshold", PerElement};
const KeyRule v_reset{"v_reset", PerElement, Need::Default, 0};  // not stored before NIR 1.0.6
const KeyRule w_in{"w_in", PerElement, Need::Default, 1};
const KeyRule a_shape{"a_shape", InputShape, Need::Inferred};
const KeyRule b_shape{"b_shape", SecondShape, Need::Inferred};

KeyRule counts(std::string_view name, std::size_t length) {
    return {name, Counts, Need::Required, 0, length};
}
KeyRule padding(std::size_t length) {
    return {"padding", Padding, Need::Required, 0, length};
}

/// NIR 1.0.x, then the extension nodes MatMul and Mul.
std::vector<NodeRule> make_catalogue() {
    return {
        {"Input", {shape}, same_shape, declared_shape},
        {"Output", {shape}, same_shape, declared_shape},
        {"Affine", {weight, bias}, matrix_shape, matrix_input},
        {"Linear", {weight}, matrix_shape, matrix_input},
        {"Scale", {{"scale", PerElement}}, same_shape, parameter_shape},
        {"Conv1d",
         {spatial, weight, counts("stride", 1), padding(1), counts("dilation", 1), groups, conv_bias},
         conv_output,
         conv_input},
        {"Conv2d",
         {spatial, weight, counts("stride", 2), padding(2), counts("dilation", 2), groups, conv_bias},
         conv_output,
         conv_input},
        {"SumPool2d", {counts("kernel_size", 2), counts("stride", 2), padding(2)}, pool_output, no_hint},
        {"AvgPool2d", {counts("kernel_size", 2), counts("stride", 2), padding(2)}, pool_output, no_hint},
        {"Flatten",
         {{"start_dim", Integer, Need::Default, 0},
          {"end_dim", Integer, Need::Default, -1},
          {"input_type", InputShape, Need::Inferred}},
         flatten_output,
         declared_shape},
        {"Delay", {{"delay", NonNegative}}, same_shape, parameter_shape},
        {"Threshold", {{"threshold", PerElement}}, same_shape, parameter_shape},
        {"I", {r}, same_shape, parameter_shape},
        {"LI", {tau, r, v_leak}, same_shape, parameter_shape},
        {"IF", {r, v_threshold, v_reset}, same_shape, parameter_shape},
        {"LIF", {tau, r, v_leak, v_threshold, v_reset}, same_shape, parameter_shape},
        {"CubaLI", {tau_syn, tau_mem, r, v_leak, w_in}, same_shape, parameter_shape},
        {"CubaLIF", {tau_syn, tau_mem, r, v_leak, v_threshold, v_reset, w_in}, same_shape, parameter_shape},
        {"MatMul",
         {{"transpose_a", Flag, Need::Default, 0},
          {"transpose_b", Flag, Need::Default, 0},
          {"scale", Array, Need::Default, 1},
          a_shape,
          b_shape},
         matmul_output,
         no_hint,
         true},
        {"Mul", {a_shape, b_shape}, mul_output, no_hint, true},
    };
}

}  // namespace

bool is_per_element(KeyKind kind) {
    return kind == PerElement || kind == Positive || kind == NonNegative;
}

bool is_shape(KeyKind kind) {
    return kind == Declared || kind == InputShape || kind == SecondShape || kind == SpatialShape;
}

const std::vector<NodeRule>& node_catalogue() {
    static const std::vector<NodeRule> rules = make_catalogue();
    return rules;
}

const NodeRule* find_rule(std::string_view type) {
    for (const auto& rule : node_catalogue()) {
        if (rule.type == type) return &rule;
    }
    return nullptr;
}

std::vector<std::string> known_types() {
    std::vector<std::string> names{"NIRGraph"};
    for (const auto& rule : node_catalogue()) names.emplace_back(rule.type);
    return names;
}

}  // namespace loom::compiler
