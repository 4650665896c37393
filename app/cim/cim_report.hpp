// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "base/json/json.hpp"
#include <string>
#include <vector>

#include "cores/cim/array.hpp"
#include "app/cim/cim_file.hpp"

namespace loom::app {

/// One input vector through an array whose stages were empty.
struct CimVector {
    std::vector<double> values;
    cores::CimCounters counters;
    std::uint64_t cycles = 0, groups = 0;
};

/// Energy of counters by event, in pJ. Throws ConfigError for an event without price.
std::vector<std::pair<std::string, double>> cim_energy(const cores::CimCounters& counters,
                                                       const arch::EnergySpec& prices);
/// Leakage of so many arrays in pJ.
double cim_leakage(const arch::EnergySpec& prices, double arrays, double cycles, double period_ps);

/// An object of --json: values, cycles, conversions, groups, clips, energy_pj, and what they consist of.
Json cim_json(const CimVector& v, const CimFile& file, const cores::CimShape& shape,
                                const arch::EnergySpec& prices);

/// Area of all arrays in um2, by part; parts without a figure in the list are left out.
std::vector<std::pair<std::string, double>> cim_area(const CimFile& file, const cores::CimShape& shape);

}  // namespace loom::app
