// SPDX-License-Identifier: Apache-2.0
#include "training/estimate/sata_model.hpp"

#include <limits>
#include <fmt/format.h>

#include "base/error.hpp"
#include "base/portable_math.hpp"

namespace loom::train_estimate {
namespace {

constexpr double kWordBits = 16;

constexpr std::array<TermInfo, kTerms.size()> kInfo{{{"lif", EstimatePhase::Forward, Kind::Compute},
                                                     {"mac_fwd", EstimatePhase::Forward, Kind::Compute},
                                                     {"pgu", EstimatePhase::Backward, Kind::Compute},
                                                     {"mac_bwd", EstimatePhase::Backward, Kind::Compute},
                                                     {"mac_wup", EstimatePhase::Update, Kind::Compute},
                                                     {"dram_fwd", EstimatePhase::Forward, Kind::Memory},
                                                     {"glb_fwd", EstimatePhase::Forward, Kind::Memory},
                                                     {"spad_fwd", EstimatePhase::Forward, Kind::Memory},
                                                     {"dram_bwd", EstimatePhase::Backward, Kind::Memory},
                                                     {"glb_bwd", EstimatePhase::Backward, Kind::Memory},
                                                     {"spad_bwd", EstimatePhase::Backward, Kind::Memory},
                                                     {"dram_wup", EstimatePhase::Update, Kind::Memory},
                                                     {"glb_wup", EstimatePhase::Update, Kind::Memory},
                                                     {"spad_wup", EstimatePhase::Update, Kind::Memory}}};

double& at(Counts& c, Term t) {
    return c[static_cast<std::size_t>(t)];
}

/// Energy per operation or word; forward ones are `bits` wide.
Counts unit_energies(const UnitEnergies& e, double bits) {
    Counts u{e.lif(), e.ac(), e.pgu(), e.mac(), e.ac(), e.dram, e.sram,
             e.spad,  e.dram, e.sram,  e.spad,  e.dram, e.sram, e.spad};
    for (const Term t : kTerms) {
        if (term_info(t).phase == EstimatePhase::Forward) at(u, t) *= bits / kWordBits;
    }
    return u;
}

/// Share of weights with a nonzero value among `uses` independent ones of that density.
double touched(double density, double uses) {
    if (density >= 1) return 1;
    return density <= 0 ? 0 : 1 - portable_pow(1 - density, uses);
}

/// One layer of the model.
struct Layer {
    const LayerShape& shape;
    const Densities& activity;
    const Densities* below;  ///< null: the first layer
    const SataSetting& setting;
    const DefectSet& defects;
    double T, W, O, I;

    Layer(const LayerShape& l, const Densities& a, const Densities* b, const SataSetting& s,
          const DefectSet& d)
        : shape(l),
          activity(a),
          below(b),
          setting(s),
          defects(d),
          T(static_cast<double>(s.timesteps)),
          W(l.weights()),
          O(l.outputs()),
          I(l.inputs()) {}

    /// density x synapses x T, in the order of factors that the reference tables have.
    double operations(double density, double positions) const {
        return defects.has(Defect::PaddingTaps) ? density * W * positions * T
                                                : density * shape.synapses() * T;
    }
    double backward_operations(double error) const {
        if (below == nullptr && !defects.has(Defect::FirstInputGradient)) return 0;
        const bool masked = below != nullptr && !defects.has(Defect::DerivativeUnused) && !dense();
        return operations(masked ? error * below->derivative : error, shape.in_positions());
    }
    bool dense() const { return !shape.is_conv() && defects.has(Defect::DenseLinear); }

    void count_operations(Counts& c) const {
        const double spikes = dense() ? 1 : activity.spikes, error = dense() ? 1 : activity.error;
        at(c, Term::Lif) = at(c, Term::Pgu) = O * T;
        at(c, Term::MacFwd) = at(c, Term::MacWup) = operations(spikes, shape.out_positions());
        at(c, Term::MacBwd) = backward_operations(error);
    }

    /// Words of spikes; `bits` of them to a word.
    double spike_words(double bits) const { return T * I / bits; }

    void count_words(Counts& c) const {
        const double b = static_cast<double>(setting.bits);
        const double forward = spike_words(b);
        const double spikes = spike_words(defects.has(Defect::ForwardSpikeWords) ? b : kWordBits);
        const double batch = defects.has(Defect::NoBatchReuse) ? 1 : static_cast<double>(setting.batch);
        const bool all = defects.has(Defect::DenseMemory);
        // shares of the weights that a step, a sample and a batch need, of those an error needs; of the
        // errors
        const double uses = shape.out_positions(), s = all ? 1 : activity.spikes,
                     g = all ? 1 : activity.error;
        const double step = touched(s, uses), sample = touched(s, uses * T),
                     update = touched(s, uses * T * batch);
        const double error = touched(g, uses * T);
        at(c, Term::DramFwd) = W * update / batch + T * O + forward;
        at(c, Term::GlbFwd) = 2 * (W * sample + T * O + forward);
        at(c, Term::SpadFwd) = 2 * (W * sample + forward);
        at(c, Term::DramBwd) = T * O + spikes;
        at(c, Term::GlbBwd) = 7 * T * O + 2 * spikes + W * error;
        at(c, Term::SpadBwd) = W * error + T * O;
        at(c, Term::DramWup) = 2 * W * update / batch;
        at(c, Term::GlbWup) = 2 * (update / batch + T * step) * W + spikes + T * O * g;
        at(c, Term::SpadWup) = at(c, Term::GlbWup) + 2 * T * W * step;
    }
};

void check_activity(const std::vector<Densities>& activity, std::size_t layers) {
    if (activity.size() != layers) {
        throw ConfigError(fmt::format("activity: {} entries for {} layers", activity.size(), layers));
    }
    for (std::size_t i = 0; i < layers; ++i) {
        const auto check = [&](const char* name, double x) {
            if (x >= 0 && x <= 1) return;
            throw ConfigError(fmt::format("activity.{}.{}: {} is no density, 0 to 1", i, name, x));
        };
        check("spikes", activity[i].spikes);
        check("error", activity[i].error);
        check("derivative", activity[i].derivative);
    }
}

void add_time(Estimate& e, const TimeModel& time) {
    double operations = 0;
    for (const Term t : kTerms) {
        if (term_info(t).kind == Kind::Compute) operations += e.count(t);
    }
    e.cycles = operations / static_cast<double>(time.elements);
    // mW / MHz = nJ per cycle
    e.leakage = e.cycles * time.leakage / time.clock * 1000 / time.mac * e.mac;
}

}  // namespace

const TermInfo& term_info(Term t) {
    return kInfo[static_cast<std::size_t>(t)];
}

Term term_of(std::string_view name) {
    for (const Term t : kTerms) {
        if (term_info(t).name == name) return t;
    }
    throw InternalError(fmt::format("there is no term {}", name));
}

std::string_view phase_word(EstimatePhase p) {
    constexpr std::array<std::string_view, 3> words{"fwd", "bwd", "wup"};
    return words[static_cast<std::size_t>(p)];
}

double percent_of(double part, double whole) {
    return whole == 0 ? std::numeric_limits<double>::quiet_NaN() : 100 * part / whole;
}

double Estimate::energy(const Counts& c, EstimatePhase p, Kind k) const {
    double sum = 0;
    for (std::size_t i = 0; i < kTerms.size(); ++i) {
        if (kInfo[i].phase == p && kInfo[i].kind == k) sum += c[i] * unit[i];
    }
    return sum;
}

double Estimate::total() const {
    double sum = 0;
    for (const Term t : kTerms) sum += energy(t);
    return sum + leakage;
}

std::vector<Densities> uniform_activity(const std::vector<LayerShape>& layers, const SataSetting& setting) {
    const Sparsity& s = setting.sparsity;
    return std::vector<Densities>(layers.size(), {1 - s.spikes, 1 - s.error, 1 - s.derivative});
}

Estimate estimate(const std::vector<LayerShape>& layers, const std::vector<Densities>& activity,
                  const SataSetting& setting) {
    check_activity(activity, layers.size());
    const DefectSet defects(setting.variant, setting.repair);
    Estimate e;
    e.unit = unit_energies(setting.energies, static_cast<double>(setting.bits));
    e.mac = setting.energies.mac();
    e.layers.resize(layers.size());
    for (std::size_t i = 0; i < layers.size(); ++i) {
        if (layers[i].kind == LayerKind::OutLinear && defects.has(Defect::OutLinearIgnored)) continue;
        const Layer layer(layers[i], activity[i], i == 0 ? nullptr : &activity[i - 1], setting, defects);
        layer.count_operations(e.layers[i]);
        layer.count_words(e.layers[i]);
        if (!layers[i].is_conv() && defects.has(Defect::AssignedForward)) {
            for (std::size_t k = 0; k < i; ++k) at(e.layers[k], Term::MacFwd) = 0;
        }
    }
    for (const Counts& c : e.layers) {
        for (const Term t : kTerms) at(e.all, t) += c[static_cast<std::size_t>(t)];
    }
    if (!defects.has(Defect::NoTime)) add_time(e, setting.time);
    return e;
}

Estimate estimate(const std::vector<LayerShape>& layers, const SataSetting& setting) {
    return estimate(layers, uniform_activity(layers, setting), setting);
}

std::vector<Effect> effects_alone(const std::vector<LayerShape>& layers,
                                  const std::vector<Densities>& activity, const SataSetting& setting) {
    SataSetting s = setting;
    s.variant = Variant::Shipped;
    s.repair.clear();
    const double shipped = estimate(layers, activity, s).total_macs();
    std::vector<Effect> effects;
    for (const NumberedDefects& n : numbered_defects()) {
        s.repair = n.defects;
        const double change = estimate(layers, activity, s).total_macs() - shipped;
        effects.push_back(
            {std::string(n.number), std::string(n.what), n.defects, change, percent_of(change, shipped)});
    }
    return effects;
}

}  // namespace loom::train_estimate
