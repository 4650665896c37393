// SPDX-License-Identifier: Apache-2.0
#include "compiler/passes/measure_loss.hpp"

#include <cmath>
#include <limits>

namespace loom::compiler {
namespace {

constexpr double kAny = std::numeric_limits<double>::infinity();

/// Whether neurons with this rule compute with a parameter.
bool is_used(const FixedParameter& p, const arch::NeuronRule& rule) {
    if (p.name == "threshold") return rule.fires;
    if (p.name == "v_reset") return rule.fires && rule.reset == arch::Reset::Value && !rule.reset_delay;
    if (p.name == "v_min") return rule.clamp;
    return true;
}

}  // namespace

arch::RoundingLoss weight_loss(const LoweredProjection& projection, int exponent) {
    arch::RoundingLoss loss;
    const auto add = [&](std::span<const double> weights) {
        for (const double w : weights) {
            const double x = std::ldexp(w, exponent);
            loss.add(x, static_cast<double>(to_integer_weight(w, exponent)), kAny);
        }
    };
    if (projection.form == LoweredProjection::Form::Dense) {
        projection.dense.for_each_target([&](std::size_t, std::span<const double> row) { add(row); });
    } else {
        add(projection.weights);
    }
    return loss;
}

std::vector<std::pair<std::string, arch::RoundingLoss>> parameter_losses(const LoweredNeurons& neurons,
                                                                         const PopulationFormat& format,
                                                                         const arch::SomaSpec& soma) {
    std::vector<std::pair<std::string, arch::RoundingLoss>> losses;
    for (const FixedParameter& p : neurons.fixed) {
        if (!is_used(p, neurons.rule)) continue;
        arch::RoundingLoss loss;
        const bool factor = p.form == IntegerForm::Factor;
        const double one = std::ldexp(1.0, static_cast<int>(soma.decay_bits));
        const double state_top = std::ldexp(1.0, static_cast<int>(soma.state_bits) - 1);
        for (const double value : p.values) {
            const auto kept =
                static_cast<double>(to_integer(value, p.form, format.membrane, neurons.rule, soma));
            if (factor) {  // the value is what is lost in a timestep
                loss.add(snap(value) * one, one - kept, 2 * one);
            } else if (p.form == IntegerForm::Number) {
                loss.add(value, kept, kAny);
            } else {
                loss.add(std::ldexp(snap(value), format.membrane), kept, state_top);
            }
        }
        if (loss.values != 0) losses.emplace_back(p.name, loss);
    }
    return losses;
}

}  // namespace loom::compiler
