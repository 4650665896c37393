// SPDX-License-Identifier: Apache-2.0
#include "compiler/passes/quantise.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "arch/core_kind.hpp"
#include "base/checked_cast.hpp"
#include "base/error.hpp"

namespace loom::compiler {
namespace {

constexpr int kMaxExponent = 40;
/// Inputs of one population may differ by this many bits of scale; finer ones are coarsened, so that
/// the accumulator keeps its head room.
constexpr int kMaxSpread = 8;

int finest_exponent(double low, double high, std::uint64_t bits, bool symmetric) {
    if (low == 0.0 && high == 0.0) return 0;
    const double top = std::ldexp(1.0, static_cast<int>(bits) - 1) - 1;
    const double bottom = symmetric ? -top : -top - 1;
    for (int k = kMaxExponent; k > -kMaxExponent; --k) {
        if (std::nearbyint(std::ldexp(high, k)) <= top && std::nearbyint(std::ldexp(low, k)) >= bottom)
            return k;
    }
    return -kMaxExponent;
}

/// Throws MappingError when weights are beyond their bits with an exponent that the user asked for.
void check_forced(const std::string& name, const WeightedInput& in, const arch::CoreSpec& core) {
    const arch::WeightFormat format = core.type().weight_format(core);
    const double top = std::ldexp(1.0, static_cast<int>(format.bits) - 1) - 1;
    const double bottom = format.symmetric ? -top : -top - 1;
    const double high = std::nearbyint(std::ldexp(in.highest, in.weight_exponent));
    const double low = std::nearbyint(std::ldexp(in.lowest, in.weight_exponent));
    if (high <= top && low >= bottom) return;
    throw MappingError("weight bits (map.weight_exponent)", "layer '" + name + "'",
                       std::ceil(std::log2(std::max(high, -low) + 1)) + 1, static_cast<double>(format.bits));
}

std::int64_t whole(double x) {
    constexpr std::int64_t kMost = std::int64_t{1} << 62;
    return clipped(x, -kMost, kMost);
}

/// Throws InputError for weights that have no exponent, which is -kMaxExponent at least.
void check_fit(const WeightedInput& in, const arch::WeightFormat& format) {
    const double top = std::ldexp(std::ldexp(1.0, static_cast<int>(format.bits) - 1) - 1, kMaxExponent);
    const double most = std::max(std::abs(in.lowest), std::abs(in.highest));
    if (most < top + std::ldexp(0.5, kMaxExponent)) return;
    throw InputError(fmt::format("{}: weights up to {} do not become {}-bit integers; less than {:.4g} are possible: "
                                 "scale them and the thresholds behind them down",
                                 in.name, most, format.bits, top));
}

double largest(const std::vector<double>& v) {
    double m = 0;
    for (const double x : v) m = std::max(m, std::abs(x));
    return m;
}

}  // namespace

std::int64_t to_integer_weight(double w, int exponent) {
    return whole(std::nearbyint(std::ldexp(w, exponent)));
}

std::int64_t to_integer_bias(double x, int exponent) {
    return whole(std::floor(std::ldexp(snap(x), exponent) + 0.5));
}

std::int64_t to_integer_threshold(double t, int exponent, bool greater_equal, unsigned shift) {
    const double x = std::ldexp(snap(t), exponent - static_cast<int>(shift));
    return whole(std::ldexp(greater_equal ? std::ceil(x) : std::floor(x), static_cast<int>(shift)));
}

std::int64_t to_integer_decay(double loss, unsigned bits) {
    const std::int64_t one = std::int64_t{1} << bits;
    return one - clipped(std::floor(std::ldexp(snap(loss), static_cast<int>(bits)) + 0.5), -one, 2 * one);
}

std::int64_t to_integer(double x, IntegerForm form, int exponent, const arch::NeuronRule& rule,
                        const arch::SomaSpec& soma) {
    if (form == IntegerForm::Factor) return to_integer_decay(x, static_cast<unsigned>(soma.decay_bits));
    if (form == IntegerForm::Number) return whole(std::round(x));
    const std::int64_t top = (std::int64_t{1} << (soma.state_bits - 1)) - 1;
    const std::int64_t i =
        form == IntegerForm::Threshold
            ? to_integer_threshold(x, exponent, rule.greater_equal, static_cast<unsigned>(soma.threshold_shift))
            : to_integer_bias(x, exponent);
    return std::clamp(i, -top - 1, top);
}

PopulationFormat quantise(const std::string& name, std::vector<WeightedInput>& inputs,
                          const LoweredNeurons& neurons, const arch::CoreSpec& core,
                          std::optional<std::int64_t> forced) {
    const auto& soma = core.soma;
    const arch::WeightFormat weights = core.type().weight_format(core);
    PopulationFormat f;
    bool any = false;
    int low = 0, high = 0;
    for (auto& in : inputs) {
        in.weight_exponent = forced ? static_cast<int>(*forced)
                                    : finest_exponent(in.lowest, in.highest, weights.bits, weights.symmetric);
        check_fit(in, weights);
        if (forced) check_forced(name, in, core);
        const int e = in.weight_exponent + in.input_exponent;
        low = any ? std::min(low, e) : e;
        high = any ? std::max(high, e) : e;
        any = true;
    }
    f.accumulator = std::min(high, low + kMaxSpread);
    const bool absolute = soma.weight_shift < 0;
    if (absolute) f.accumulator = std::min(f.accumulator, static_cast<int>(soma.fraction_bits));
    const auto membrane = [&] {
        return absolute ? static_cast<int>(soma.fraction_bits)
                        : f.accumulator + static_cast<int>(soma.weight_shift);
    };
    const double state_top = std::ldexp(1.0, static_cast<int>(soma.state_bits) - 1) - 1;
    const double mantissa_top = soma.threshold_bits == 0
                                    ? state_top
                                    : std::ldexp(std::ldexp(1.0, static_cast<int>(soma.threshold_bits)) - 1,
                                                 static_cast<int>(soma.threshold_shift));
    double need = largest(neurons.bias_u);
    if (neurons.rule.fires) need = std::max(need, largest(neurons.normalised(neurons.threshold)));
    while (std::ldexp(need, membrane()) > std::min(state_top, mantissa_top)) {
        if (absolute || forced || f.accumulator <= -kMaxExponent) {
            throw MappingError("membrane bits", "threshold or bias of '" + name + "'",
                               std::ceil(std::log2(std::ldexp(need, membrane()) + 1)) + 1,
                               static_cast<double>(soma.state_bits));
        }
        --f.accumulator;
    }
    f.membrane = membrane();
    for (auto& in : inputs) {
        in.weight_exponent = std::min(in.weight_exponent, f.accumulator - in.input_exponent);
    }
    return f;
}

}  // namespace loom::compiler
