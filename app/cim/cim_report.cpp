// SPDX-License-Identifier: Apache-2.0
#include "app/cim/cim_report.hpp"

#include <fmt/format.h>

#include <cmath>

#include "base/key_error.hpp"
#include "cores/cim/area.hpp"

namespace loom::app {
namespace {

/// Whole numbers without a fraction, so that exact values read as integers.
Json number(double x) {
    if (x == std::floor(x) && std::abs(x) < 9e15) return static_cast<std::int64_t>(x);
    return x;
}

}  // namespace

std::vector<std::pair<std::string, double>> cim_energy(const cores::CimCounters& counters,
                                                       const arch::EnergySpec& prices) {
    std::vector<std::pair<std::string, double>> out;
    cores::CimCounters copy = counters;
    std::string missing, problem;
    fields(
        [&](const char* name, const std::uint64_t& n, bool priced, const char* doc) {
            if (!priced || n == 0) return;
            const auto it = prices.actions.find(name);
            if (it == prices.actions.end()) {
                if (prices.unpriced.count(name) != 0) return;
                if (missing.empty()) {
                    missing = std::string("energy.actions.") + name;
                    problem =
                        fmt::format("missing; give it a price, or a reason under energy.unpriced ({})", doc);
                } else {
                    problem += fmt::format("; missing as well: energy.actions.{} ({})", name, doc);
                }
                return;
            }
            out.emplace_back(std::string(name).substr(4), static_cast<double>(n) * it->second.value.pj);
        },
        copy);
    if (!missing.empty()) throw KeyError(missing, problem);
    return out;
}

double cim_leakage(const arch::EnergySpec& prices, double arrays, double cycles, double period_ps) {
    const auto it = prices.leakage.find("core");
    return it == prices.leakage.end() ? 0 : it->second.value * arrays * cycles * period_ps * 1e-3;  // mW ps
}

Json cim_json(const CimVector& v, const CimFile& file, const cores::CimShape& shape,
              const arch::EnergySpec& prices) {
    Json j;
    j["values"] = Json::array();
    for (const double x : v.values) j["values"].push_back(number(x));
    j["cycles"] = v.cycles;
    j["conversions"] = v.counters.conversions;
    j["groups"] = v.groups;
    j["clips"] = v.counters.clips;
    j["psum_overflows"] = v.counters.psum_overflows;
    double dynamic = 0;
    Json parts = Json::object();
    for (const auto& [name, pj] : cim_energy(v.counters, prices)) {
        parts[name] = pj;
        dynamic += pj;
    }
    parts["leakage"] = cim_leakage(file.energy, static_cast<double>(shape.arrays()),
                                   static_cast<double>(v.cycles), shape.period_ps);
    j["energy_pj"] = dynamic + parts["leakage"].get<double>();
    j["energy"] = parts;
    Json counters = Json::object();
    cores::CimCounters copy = v.counters;
    fields(
        [&](const char* name, const std::uint64_t& n, bool, const char*) {
            if (n != 0) counters[std::string(name).substr(4)] = n;
        },
        copy);
    j["counters"] = counters;
    return j;
}

std::vector<std::pair<std::string, double>> cim_area(const CimFile& file, const cores::CimShape& shape) {
    std::vector<std::pair<std::string, double>> out;
    const auto area = cores::array_area(file.spec, file.energy, static_cast<double>(shape.arrays()));
    for (const auto& part : area.parts) out.emplace_back(part.name, part.mm2() * 1e6);
    return out;
}

}  // namespace loom::app
