// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <map>

#include "arch/cim_spec.hpp"
#include "arch/cim_training_spec.hpp"
#include "training/work/training_work.hpp"
#include "base/pulse_curve.hpp"
#include "training/learn/network.hpp"
#include "training/learn/optimiser.hpp"

namespace loom::learn {

/// Analogue cells in pairs that hold a weight each: w = w_range (g+ - g-), g from 0 to 1.
struct PulseSpec {
    std::uint64_t p_max = 32;                     ///< pulses from 0 to 1
    double label_up = 0, label_down = 0;          ///< non-linearity of SET and RESET; 0: a straight line
    double sigma_c2c = 0;                         ///< deviation per pulse, of the range
    double w_range = 1;                           ///< largest weight
    bool carry = true;                            ///< what is less than a pulse is kept for the next update
    double endurance = 0, endurance_sigma = 0.5;  ///< median pulses of a cell's life (lognormal); 0: no limit
    double p_sa0 = 0, p_sa1 = 0;                  ///< probabilities of a cell stuck at 0, at 1
    std::uint64_t seed = 1;
};
PulseSpec pulse_spec(const arch::CimSpec& cells, const arch::CimTrainingSpec& training, std::uint64_t seed);

/// Conductances of a matrix's cells, 0 (Gmin) to 1 (Gmax) [weight]; valid as long as their PulseUpdate.
struct CellPairs {
    const std::vector<float>*up = nullptr, *down = nullptr;
    explicit operator bool() const { return up != nullptr; }
};

/// An optimiser whose weights live in cells that are changed by pulses. What the inner optimiser asks of a
/// weight is rounded to n pulses of w_range / p_max, and the pair's cells share them without being read: half
/// of |n| each, an odd one alternates with the update. n > 0: SET of the + cell and RESET of the - cell; n <
/// 0: the other way round. Weights are what the cells then hold: non-linear, noisy (draws keyed by seed, cell
/// and update), limited. Matrices of LinearLayers are in cells, other parameters (biases, norms) in
/// registers, which the inner optimiser updates.
class PulseUpdate final : public Optimiser {
  public:
    PulseUpdate(std::unique_ptr<Optimiser> inner, const PulseSpec& spec);
    /// Brings the cells to the network's weights, which become what cells can hold (within w_range, float32).
    /// To be called before the first update.
    void program(Network& network);
    void update(Parameter& p, std::size_t key, std::uint64_t iteration) override;
    OptimiserCost cost() const override;
    /// The inner optimiser's, then of matrices in cells: conductances of + and - cells, their pulses so far
    /// (exact to 2^24), and the carry.
    std::vector<std::vector<float>*> state(std::size_t key, std::size_t size) override;
    /// Adds cells and pulses of the last update to the matrices of these names.
    void describe(const Network& network, arch::TrainingWork& work) const;
    /// Cells of a layer's matrix; none for layers whose weights are in registers.
    CellPairs cells(const Network& network, const Layer& layer) const;
    struct Wear {
        std::uint64_t most_pulses = 0;  ///< of the most used cell
        std::uint64_t stuck_cells = 0;  ///< from the start
    };
    Wear wear(const Network& network, const Layer& layer) const;

  private:
    struct Cells {
        std::vector<float> up, down;            ///< conductances [weight]
        std::vector<float> life_up, life_down;  ///< pulses so far
        std::vector<float> carry;
        std::vector<std::int8_t> stuck;  ///< [weight][2]: 0 or 1: stuck there, -1: not; empty: none
        arch::CellWork last;
        std::uint64_t most_pulses() const;
    };
    const Cells* find(const Network& network, const Layer& layer) const;
    void find_stuck(Cells& cells, std::size_t key) const;
    void apply(Cells& cells, std::size_t i, std::int32_t n, std::size_t key, std::uint64_t iteration);
    void pulse(Cells& cells, std::size_t i, bool raising, std::int32_t n, std::size_t key,
               std::uint64_t iteration);
    double life(std::uint64_t entity) const;
    float weight(const Cells& cells, std::size_t i) const;

    std::unique_ptr<Optimiser> inner_;
    PulseSpec spec_;
    PulseDevice device_;
    double step_;
    std::map<std::size_t, Cells> cells_;  ///< by key
    std::vector<float> before_;
};

}  // namespace loom::learn
