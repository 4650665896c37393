// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <span>
#include <vector>

#include "arch/cim_core_spec.hpp"
#include "training/learn/layer.hpp"
#include "training/learn/pulse_update.hpp"
#include "training/many_core/cim_reads.hpp"

namespace loom::training {

/// Magnitudes in bit planes with a common power of two: value = digit 2^exponent, digit < 2^bits.
struct Planes {
    int exponent = 0;
    std::uint64_t digit(float value) const;
    /// The smallest exponent that holds every value. All zero: exponent 0.
    static Planes of(std::span<const float> values, std::uint64_t bits);
};

/// Products with a matrix in pairs of analogue cells as converters deliver them. Values only: the engine
/// counts and times the same reads. Every read goes through cores::CimArray, the inference's arrays, with the
/// conductances that pulses left; noise is keyed by (seed, layer, iteration, sample, timestep, position,
/// plane, row set, column), so results depend on no order and not on the minibatch's size. Cost: codes.
///
/// Forward: inputs in input_bits planes with an exponent per sample and timestep (spikes: one plane),
/// negative ones apart. Backward, transposable: errors in error_bits planes of magnitude, exponent per layer,
/// sample and timestep; first the cells that add are driven (+ of positive errors, - of negative ones), then
/// those that subtract. Else: weights are read row by row and multiplied in float32.
class CellArithmetic final : public learn::MatrixArithmetic {
  public:
    /// `layer`: number in its network. Throws ConfigError for ranges that are calibrated.
    CellArithmetic(const arch::CimCoreSpec& spec, const arch::SparsityRules& sparsity,
                   const arch::LinearShape& shape, learn::CellPairs cells, std::uint32_t layer,
                   std::uint64_t seed);
    void forward(const learn::Pass& pass, const learn::Signal& in, learn::Signal& out) override;
    void backward(const learn::Pass& pass, const learn::Signal& grad_out, learn::Signal& grad_in) override;
    void updated() override { loaded_ = false; }

  private:
    struct Input {
        std::uint32_t row;
        std::int64_t digit;
    };
    void load();
    void draw_for(cores::CimArray& array, const learn::Pass& pass, std::size_t sample, bool backward);
    void read(cores::CimArray& array, std::uint64_t step, double factor);
    void forward_row(std::uint64_t t, std::span<const float> x, std::span<float> y);
    void read_window(std::span<const Input> window, std::uint64_t first_step);
    void backward_row(std::uint64_t t, std::span<const float> g, std::span<float> to);
    void read_errors(std::span<const float> g, const Planes& planes, std::uint64_t first_step);
    void read_weights(std::uint64_t t);
    void multiply(std::span<const float> g, std::span<float> to) const;

    arch::CimCoreSpec spec_;
    arch::LinearShape shape_;
    learn::CellPairs cells_;
    std::uint32_t layer_;
    std::uint64_t seed_;
    std::size_t rows_, outputs_;
    double unit_;  ///< weight per cell level
    bool noisy_;   ///< a read twice gives other codes
    cores::CimArray forward_, backward_;
    bool loaded_ = false;
    std::vector<std::vector<Input>> windows_;  ///< [output position]
    std::vector<std::uint32_t> active_;
    std::vector<std::uint64_t> digits_;
    std::vector<double> total_;        ///< of a position's reads, in cell levels
    std::vector<float> weights_;       ///< as read row by row [tap][output][in channel]
    learn::CodeCounts weights_codes_;  ///< of reading them
};

/// Layers whose weights are in cells multiply through the arrays of `spec` from now on. `cells` must outlive
/// the network's last pass.
void read_through_converters(learn::Network& network, const learn::PulseUpdate& cells,
                             const arch::CimCoreSpec& spec, const arch::SparsityRules& sparsity,
                             std::uint64_t seed);

}  // namespace loom::training
