// SPDX-License-Identifier: Apache-2.0
// Scale, Delay and Flatten: every element goes to the element of the same number.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "compiler/ir/times.hpp"
#include "compiler/nodes/nodes.hpp"
#include "compiler/nodes/shape_rules.hpp"

namespace loom::compiler {
namespace {

bool uniform(std::span<const double> values) {
    return std::all_of(values.begin(), values.end(), [&](double d) { return d == values[0]; });
}

std::span<const double> factors(const NirNode& node) {
    return node.arrays.at("scale").data;
}

std::span<const double> seconds(const NirNode& node) {
    return node.arrays.at("delay").data;
}

void apply_scale(const NirNode& node, const SparseVector& in, SparseVector& out, const DelayMask&) {
    const std::vector<double>& s = node.arrays.at("scale").data;
    for (const auto& [i, v] : in) out.emplace_back(i, v * (s.size() == 1 ? s[0] : s.at(i)));
}

void apply_delay(const NirNode& node, const SparseVector& in, SparseVector& out, const DelayMask& mask) {
    const std::vector<double>& d = node.arrays.at("delay").data;
    for (const auto& [i, v] : in) {
        const double steps = delay_steps(d.size() == 1 ? d[0] : d.at(i), mask.dt);
        if (mask.steps < 0 || steps == mask.steps) out.emplace_back(i, v);
    }
}

Shape flatten_output(const NirNode& node, const Shape& a, const Shape&) {
    const auto rank = static_cast<double>(a.size());
    const auto dimension = [&](const char* key) {
        const double d = node.arrays.at(key).data[0];
        if (d < -rank || d >= rank) {
            throw NodeProblem(
                fmt::format("key '{}' is {}, the input {} has {} dimensions (batch not counted)", key, d,
                            shape_text(a), a.size()));
        }
        return static_cast<std::ptrdiff_t>(d < 0 ? d + rank : d);
    };
    const auto first = dimension("start_dim"), last = dimension("end_dim");
    if (first > last) throw NodeProblem("start_dim lies behind end_dim");
    Shape out(a.begin(), a.begin() + first);
    out.push_back(element_count(Shape(a.begin() + first, a.begin() + last + 1)));
    out.insert(out.end(), a.begin() + last + 1, a.end());
    return out;
}

}  // namespace

NodeRule scale_node() {
    NodeRule rule{"Scale", NodeRole::Linear, {{"scale", KeyKind::PerElement}}, same_shape, parameter_shape};
    rule.linear.apply = apply_scale;
    rule.linear.scale = factors;
    return rule;
}

NodeRule delay_node() {
    NodeRule rule{"Delay", NodeRole::Linear, {{"delay", KeyKind::NonNegative}}, same_shape, parameter_shape};
    rule.keeps_time = true;
    rule.linear.apply = apply_delay;
    rule.linear.delay = seconds;
    rule.linear.scale = [](const NirNode& node) -> std::span<const double> {
        if (!uniform(seconds(node))) return {};
        return kUnscaled;
    };
    return rule;
}

NodeRule flatten_node() {
    NodeRule rule{"Flatten",
                  NodeRole::Linear,
                  {{"start_dim", KeyKind::Integer, Presence::Default, 0},
                   {"end_dim", KeyKind::Integer, Presence::Default, -1},
                   {"input_type", KeyKind::InputShape, Presence::Inferred}},
                  flatten_output,
                  declared_shape};
    rule.linear.apply = [](const NirNode&, const SparseVector& in, SparseVector& out, const DelayMask&) {
        out = in;
    };
    rule.linear.scale = [](const NirNode&) -> std::span<const double> { return kUnscaled; };
    return rule;
}

}  // namespace loom::compiler
