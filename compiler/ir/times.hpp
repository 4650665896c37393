// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "compiler/ir/nir_graph.hpp"

namespace loom::compiler {

/// "200 us" for 2e-4.
std::string seconds_text(double seconds);

/// Timesteps of a delay: the nearest number, halves up. Noise of float32 is no distance.
double delay_steps(double seconds, double dt);
/// Whether that number is not the delay.
bool between_steps(double seconds, double dt);

/// What the neurons of a network say about the timestep they are meant for, in seconds.
struct FittingTimes {
    std::optional<double> shortest_tau;  ///< Euler's steps cannot be longer
    /// tau / r (IF: 1 / r) where it is the same for all neurons and r is not 1: exporters whose neurons add
    /// their input as it is write r so.
    std::optional<double> exporter;
};
FittingTimes fitting_times(const NirModel& model);

/// Keys of a neuron node that are time constants.
std::vector<std::string> time_constants(const NirNode& node);

}  // namespace loom::compiler
