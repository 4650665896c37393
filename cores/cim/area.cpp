// SPDX-License-Identifier: Apache-2.0
#include "cores/cim/area.hpp"

namespace loom::cores {
namespace {

/// A converter of the table's own if there is one.
const arch::AreaSpec* converter(const arch::EnergySpec& prices, const std::string& table,
                                std::uint64_t bits) {
    const arch::AreaSpec* own = table.empty() ? nullptr : arch::area_of_width(prices, "adc." + table, bits);
    return own != nullptr ? own : arch::area_of_width(prices, "adc", bits);
}

}  // namespace

arch::AreaParts array_area(const arch::CimSpec& s, const arch::EnergySpec& prices, double arrays) {
    arch::AreaParts out;
    const bool digital = s.array.type == arch::CimType::SramDigital;
    const bool sram = digital || s.array.type == arch::CimType::SramAnalog;
    const double cells = arrays * static_cast<double>(s.array.rows * s.array.cols);
    const bool tree = digital && s.array.digital == arch::CimDigital::AdderTree;
    const auto* with_adders = tree ? arch::area_figure(prices, "digital_cell") : nullptr;
    add_part(out, "cells", cells,
             with_adders ? with_adders : arch::area_figure(prices, sram ? "sram_cell" : "cell"));
    if (digital) {
        if (with_adders == nullptr) out.missing.emplace_back("adders in the arrays");
        return out;
    }
    add_part(out, "row_drivers", arrays * static_cast<double>(s.array.rows),
             arch::area_figure(prices, "row_driver"));
    if (s.timing.sample_hold) {
        add_part(out, "sample_holds", arrays * static_cast<double>(s.array.cols),
                 arch::area_figure(prices, "sample_hold"));
    }
    const double converters = arrays * static_cast<double>(s.array.cols / s.adc.adc_share);
    add_part(out, "converters", converters, converter(prices, s.adc.price_table, s.adc.adc_bits));
    if (s.adc.adc_share > 1) add_part(out, "multiplexers", converters, arch::area_figure(prices, "mux"));
    add_part(out, "shift_adders", converters, arch::area_figure(prices, "shift_add"));
    out.missing.emplace_back("row selection, adder trees between row blocks");
    return out;
}

}  // namespace loom::cores
