// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "training/estimate/layer_shape.hpp"
#include "training/estimate/sata_setting.hpp"

/// The analytic training model of SATA_Sim (R. Yin et al., IEEE TCAD 2022; its public code), as shipped and
/// with its defects repaired one by one: operations and words per sample times assumed sparsities times unit
/// energies. A formula beside the executed run, not a simulation. Cost: O(layers x kernel).
namespace loom::train_estimate {

/// In the order in which the shipped example adds them, which decides the last digit of its total.
enum class Term {
    Lif,
    MacFwd,
    Pgu,
    MacBwd,
    MacWup,  // operations
    DramFwd,
    GlbFwd,
    SpadFwd,
    DramBwd,
    GlbBwd,
    SpadBwd,
    DramWup,
    GlbWup,
    SpadWup  // words
};
inline constexpr std::array<Term, 14> kTerms{
    Term::Lif,     Term::MacFwd,  Term::Pgu,    Term::MacBwd,  Term::MacWup,  Term::DramFwd, Term::GlbFwd,
    Term::SpadFwd, Term::DramBwd, Term::GlbBwd, Term::SpadBwd, Term::DramWup, Term::GlbWup,  Term::SpadWup};
enum class EstimatePhase { Forward, Backward, Update };  ///< Update: weight gradient and update
inline constexpr std::array<EstimatePhase, 3> kPhases{EstimatePhase::Forward, EstimatePhase::Backward,
                                                      EstimatePhase::Update};
enum class Kind { Compute, Memory };

struct TermInfo {
    std::string_view name;
    EstimatePhase phase;
    Kind kind;
};
const TermInfo& term_info(Term t);
/// InternalError for a name that is none.
Term term_of(std::string_view name);
/// fwd, bwd, wup
std::string_view phase_word(EstimatePhase p);

using Counts = std::array<double, kTerms.size()>;

/// 0 of nothing.
/// Not a number for a part of nothing.
double percent_of(double part, double whole);

/// Per sample. Energies are in the unit of UnitEnergies; in_macs() makes 16-bit MACs of them.
struct Estimate {
    std::vector<Counts> layers;
    Counts all{};   ///< sum over the layers
    Counts unit{};  ///< energy per operation or word
    double mac = 1;
    double cycles = 0;   ///< lower bound; 0 when time is not modelled
    double leakage = 0;  ///< during these cycles

    double count(Term t) const { return all[static_cast<std::size_t>(t)]; }
    double count(std::size_t layer, Term t) const { return layers[layer][static_cast<std::size_t>(t)]; }
    double unit_energy(Term t) const { return unit[static_cast<std::size_t>(t)]; }
    double energy(Term t) const { return count(t) * unit_energy(t); }
    double energy(EstimatePhase p, Kind k) const { return energy(all, p, k); }
    double energy(std::size_t layer, EstimatePhase p, Kind k) const { return energy(layers[layer], p, k); }
    double total() const;  ///< with leakage
    double in_macs(double energy) const { return energy / mac; }
    double total_macs() const { return in_macs(total()); }

  private:
    double energy(const Counts& c, EstimatePhase p, Kind k) const;
};

/// The setting's sparsities in every layer.
std::vector<Densities> uniform_activity(const std::vector<LayerShape>& layers, const SataSetting& setting);

/// `activity`: densities by layer, for instance those of an executed run; setting.sparsity is not used then.
/// `layers`: a chain, completed(). ConfigError "activity...: ..." for a wrong number or no densities.
Estimate estimate(const std::vector<LayerShape>& layers, const std::vector<Densities>& activity,
                  const SataSetting& setting);
Estimate estimate(const std::vector<LayerShape>& layers, const SataSetting& setting);

/// What repairing some defects alone, all others present, changes.
struct Effect {
    std::string number, what;
    std::vector<Defect> repaired;
    double macs = 0;     ///< of the total, in 16-bit MACs
    double percent = 0;  ///< of the shipped total
};
std::vector<Effect> effects_alone(const std::vector<LayerShape>& layers,
                                  const std::vector<Densities>& activity, const SataSetting& setting);

}  // namespace loom::train_estimate
