// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "arch/chip_spec.hpp"
#include "compiler/passes/lowered.hpp"
#include "compiler/passes/lowered_neurons.hpp"

namespace loom::compiler {

/// Number formats of one population's input, as powers of two.
struct PopulationFormat {
    int accumulator = 0;  ///< LSB of the accumulator is 2^-accumulator (normalised units)
    int membrane = 0;     ///< LSB of the membrane is 2^-membrane
    int in_shift() const { return membrane - accumulator; }
};

/// A projection as the quantiser sees it.
struct WeightedInput {
    double lowest = 0, highest = 0;  ///< of the weights
    int input_exponent = 0;          ///< payload 1 stands for 2^-input_exponent
    int weight_exponent = 0;         ///< out: weight = integer * 2^-weight_exponent
    std::string name = {};           ///< nodes that the weights come from, for messages
};

/// Picks the exponents of all inputs of a population, each as fine as its width allows:
/// |round(w * 2^k)| within weight_bits. `forced` overrides k. Throws MappingError when the threshold
/// does not fit the membrane.
PopulationFormat quantise(const std::string& name, std::vector<WeightedInput>& inputs,
                          const LoweredNeurons& neurons, const arch::CoreSpec& core,
                          std::optional<std::int64_t> forced);

/// The functions below give the end of the range of 62 bits for what is beyond it.
std::int64_t to_integer_weight(double w, int exponent);
/// floor(x * 2^exponent + 1/2)
std::int64_t to_integer_bias(double x, int exponent);
/// For v > t: the largest multiple of 2^shift not above t; for v >= t: the smallest not below.
std::int64_t to_integer_threshold(double t, int exponent, bool greater_equal, unsigned shift);
/// 2^bits - floor(loss * 2^bits + 1/2)
std::int64_t to_integer_decay(double loss, unsigned bits);
/// A parameter as a core with such a soma holds it: within the width of its state.
std::int64_t to_integer(double x, IntegerForm form, int exponent, const arch::NeuronRule& rule,
                        const arch::SomaSpec& soma);

}  // namespace loom::compiler
