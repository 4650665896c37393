// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace loom {

/// Pulses to conductance and back: G(p) = B (1 - exp(-p / A)) + g_min with B such that G(p_max) = g_max. A
/// follows from the non-linearity label (MLP+NeuroSim's table of A / Pmax, evaluated); label 0 is a straight
/// line.
class PulseCurve {
  public:
    PulseCurve(double label, double p_max, double g_min, double g_max);
    double conductance(double pulses) const;
    double pulses(double conductance) const;

  private:
    double g_min_, range_, p_max_, a_ = 0, b_ = 0;
};

/// How a cell answers to pulses: potentiation and depression have a curve each, every update deviates by
/// sigma_c2c sqrt(pulses) of the range.
class PulseDevice {
  public:
    PulseDevice(double label_up, double label_down, double p_max, double sigma_c2c, double g_min,
                double g_max);
    /// Conductance after `count` pulses (up: SET); `normal`: standard normal deviate of this update.
    double after(double conductance, bool up, double count, double normal) const;
    const PulseCurve& curve(bool up) const { return up ? up_ : down_; }
    bool noisy() const { return sigma_c2c_ > 0; }

  private:
    PulseCurve up_, down_;
    double sigma_c2c_, g_min_, g_max_;
};

}  // namespace loom
