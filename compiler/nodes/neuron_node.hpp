// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <utility>
#include <vector>

#include "compiler/nodes/shape_rules.hpp"

namespace loom::compiler {

/// A population: its keys are parameters per element, and its output has the shape of its input.
inline NodeRule neuron_node(const char* type, std::vector<KeyRule> keys, const NeuronForm& form) {
    NodeRule rule{type, NodeRole::Neuron, std::move(keys), same_shape, parameter_shape};
    rule.keeps_time = form.integrates();
    rule.neuron = form;
    return rule;
}

/// Keys that several models have.
namespace keys {
inline KeyRule time_constant(const char* name) {
    return {name, KeyKind::Positive};
}
inline KeyRule per_element(const char* name) {
    return {name, KeyKind::PerElement};
}
/// What scales the input of a neuron that decays.
inline KeyRule factor(const char* name) {
    return {name, KeyKind::Factor};
}
/// Files of NIR before 1.0.6 do not have it.
inline KeyRule v_reset() {
    return {"v_reset", KeyKind::PerElement, Presence::Default, 0};
}
}  // namespace keys

}  // namespace loom::compiler
