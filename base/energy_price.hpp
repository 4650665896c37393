// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace loom {

/// Energy of an event, of each bit that it moves, or of each bit and millimetre: "3 pJ",
/// "0.1 pJ/bit", "0.3 pJ/bit/mm" in YAML.
struct EnergyPrice {
    enum class Per { Event, Bit, BitMm };
    double pj = 0;
    Per per = Per::Event;

    EnergyPrice() = default;
    EnergyPrice(double value, Per of = Per::Event) : pj(value), per(of) {}
    bool operator==(const EnergyPrice&) const = default;
};

}  // namespace loom
