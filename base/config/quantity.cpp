// SPDX-License-Identifier: Apache-2.0
#include "base/config/quantity.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <optional>
#include <span>

#include <fmt/format.h>

#include "base/error.hpp"

namespace loom::config {
namespace {

/// value in canonical units = number * 10^exponent * factor; the power of ten is applied to the
/// text, so that "48.8 fJ" is exactly the double 0.0488.
struct Suffix {
    std::string_view name;
    int exponent;
    double factor;
    bool output;  // used by format_quantity
};

constexpr std::array<Suffix, 7> time_suffixes{{{"s", 12, 1, true},
                                               {"ms", 9, 1, true},
                                               {"us", 6, 1, true},
                                               {"\xc2\xb5s", 6, 1, false},
                                               {"ns", 3, 1, true},
                                               {"ps", 0, 1, true},
                                               {"fs", -3, 1, true}}};
constexpr std::array<Suffix, 8> energy_suffixes{{{"J", 12, 1, true},
                                                 {"mJ", 9, 1, true},
                                                 {"uJ", 6, 1, true},
                                                 {"\xc2\xb5J", 6, 1, false},
                                                 {"nJ", 3, 1, true},
                                                 {"pJ", 0, 1, true},
                                                 {"fJ", -3, 1, true},
                                                 {"aJ", -6, 1, false}}};
constexpr std::array<Suffix, 6> power_suffixes{{{"W", 3, 1, true},
                                                {"mW", 0, 1, true},
                                                {"uW", -3, 1, true},
                                                {"\xc2\xb5W", -3, 1, false},
                                                {"nW", -6, 1, true},
                                                {"pW", -9, 1, false}}};
constexpr std::array<Suffix, 17> memory_suffixes{{{"GiB", 0, 8.0 * 1073741824.0, true},
                                                  {"MiB", 0, 8.0 * 1048576.0, true},
                                                  {"KiB", 0, 8.0 * 1024.0, true},
                                                  {"bits", 0, 1, true},
                                                  {"bit", 0, 1, false},
                                                  {"B", 0, 8, false},
                                                  {"byte", 0, 8, false},
                                                  {"bytes", 0, 8, false},
                                                  {"kB", 3, 8, false},
                                                  {"MB", 6, 8, false},
                                                  {"GB", 9, 8, false},
                                                  {"Kib", 0, 1024, false},
                                                  {"Mib", 0, 1048576.0, false},
                                                  {"Gib", 0, 1073741824.0, false},
                                                  {"kbit", 3, 1, false},
                                                  {"Mbit", 6, 1, false},
                                                  {"Gbit", 9, 1, false}}};
constexpr std::array<Suffix, 2> cycle_suffixes{{{"cycles", 0, 1, true}, {"cycle", 0, 1, false}}};
constexpr std::array<Suffix, 6> length_suffixes{{{"m", 3, 1, false},
                                                 {"cm", 1, 1, false},
                                                 {"mm", 0, 1, true},
                                                 {"um", -3, 1, true},
                                                 {"\xc2\xb5m", -3, 1, false},
                                                 {"nm", -6, 1, true}}};
constexpr std::array<Suffix, 4> frequency_suffixes{
    {{"GHz", 3, 1, true}, {"MHz", 0, 1, true}, {"kHz", -3, 1, true}, {"Hz", -6, 1, true}}};
constexpr std::array<Suffix, 2> voltage_suffixes{{{"V", 0, 1, true}, {"mV", -3, 1, true}}};
constexpr std::array<Suffix, 4> conductance_suffixes{
    {{"S", 6, 1, false}, {"mS", 3, 1, true}, {"uS", 0, 1, true}, {"nS", -3, 1, true}}};
constexpr std::array<Suffix, 3> resistance_suffixes{
    {{"Mohm", 6, 1, true}, {"kohm", 3, 1, true}, {"ohm", 0, 1, true}}};
constexpr std::array<Suffix, 2> area_suffixes{{{"mm2", 6, 1, true}, {"um2", 0, 1, true}}};

std::span<const Suffix> suffixes(Unit unit) {
    switch (unit) {
        case Unit::None:
            return {};
        case Unit::Time:
            return time_suffixes;
        case Unit::Energy:
            return energy_suffixes;
        case Unit::Power:
            return power_suffixes;
        case Unit::Memory:
            return memory_suffixes;
        case Unit::CycleCount:
            return cycle_suffixes;
        case Unit::Length:
            return length_suffixes;
        case Unit::Frequency:
            return frequency_suffixes;
        case Unit::Voltage:
            return voltage_suffixes;
        case Unit::Conductance:
            return conductance_suffixes;
        case Unit::Resistance:
            return resistance_suffixes;
        case Unit::Area:
            return area_suffixes;
    }
    return {};
}

/// Noun and example of an error message.
struct Words {
    std::string_view noun, article, example;
};
Words words(Unit unit) {
    switch (unit) {
        case Unit::None:
            return {"number", "a", "3"};
        case Unit::Time:
            return {"time", "a", "2 ns"};
        case Unit::Energy:
            return {"energy", "an", "0.9 pJ"};
        case Unit::Power:
            return {"power", "a", "104 mW"};
        case Unit::Memory:
            return {"memory size", "a", "16 KiB"};
        case Unit::CycleCount:
            return {"number of cycles", "a", "3 cycles"};
        case Unit::Length:
            return {"length", "a", "240 um"};
        case Unit::Frequency:
            return {"frequency", "a", "250 MHz"};
        case Unit::Voltage:
            return {"voltage", "a", "0.2 V"};
        case Unit::Conductance:
            return {"conductance", "a", "40 uS"};
        case Unit::Resistance:
            return {"resistance", "a", "1.5 ohm"};
        case Unit::Area:
            return {"area", "an", "0.74 um2"};
    }
    return {"number", "a", "3"};
}

std::string_view trim(std::string_view text) {
    while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
    while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
    return text;
}

std::string unit_list(Unit unit) {
    std::string list;
    for (const auto& suffix : suffixes(unit)) {
        if (static_cast<unsigned char>(suffix.name.front()) > 127) continue;
        if (!list.empty()) list += ", ";
        list += suffix.name;
    }
    return list;
}

/// The number in `text` times 10^exponent, rounded once; infinite when too large.
double scaled(std::string_view text, int exponent) {
    const std::size_t e = std::min(text.find_first_of("eE"), text.size());
    int written = 0;
    if (e < text.size()) {
        const std::size_t digits = e + 1 + (text[e + 1] == '+' ? 1 : 0);
        std::from_chars(text.data() + digits, text.data() + text.size(), written);
    }
    const std::string shifted = fmt::format("{}e{}", text.substr(0, e), written + exponent);
    double value = 0.0;
    const auto [end, error] = std::from_chars(shifted.data(), shifted.data() + shifted.size(), value);
    static_cast<void>(end);
    if (error == std::errc{}) return value;
    return written > 0 ? std::numeric_limits<double>::infinity() : 0.0;
}

const Suffix* find_suffix(Unit unit, std::string_view name) {
    for (const auto& suffix : suffixes(unit)) {
        if (suffix.name == name) return &suffix;
    }
    return nullptr;
}

}  // namespace

bool bare_number(Unit unit) {
    return unit == Unit::None || unit == Unit::CycleCount || unit >= Unit::Frequency;
}

std::string_view unit_noun(Unit unit) {
    return words(unit).noun;
}

double parse_quantity(std::string_view text, Unit unit) {
    const Words w = words(unit);
    const std::string_view body = trim(text);
    const auto expected = [&](const std::string& got) {
        return ConfigError(fmt::format("expected {} {}{} such as '{}', got {}", w.article, w.noun,
                                       bare_number(unit) ? "" : " with a unit", w.example, got));
    };
    double number = 0.0;
    const auto [end, error] = std::from_chars(body.data(), body.data() + body.size(), number);
    if (error == std::errc::result_out_of_range) {
        throw ConfigError(fmt::format("'{}' is out of range", body));
    }
    if (error != std::errc{}) throw expected(fmt::format("'{}'", text));
    if (!std::isfinite(number)) throw ConfigError(fmt::format("must be finite (got '{}')", body));
    const std::string_view name = trim(body.substr(static_cast<std::size_t>(end - body.data())));
    double value = number;
    if (name.empty()) {
        if (number != 0.0 && !bare_number(unit)) {
            throw expected(fmt::format("'{}' without a unit", text));
        }
    } else {
        const Suffix* suffix = find_suffix(unit, name);
        if (suffix == nullptr) {
            if (unit == Unit::None) throw expected(fmt::format("'{}'", text));
            throw ConfigError(fmt::format("'{}' is no unit of {} (units: {}), got '{}'", name, w.noun,
                                          unit_list(unit), text));
        }
        value = scaled(body.substr(0, static_cast<std::size_t>(end - body.data())), suffix->exponent) *
                suffix->factor;
    }
    if (unit != Unit::None && value < 0.0) {
        throw ConfigError(fmt::format("must not be negative (got '{}')", body));
    }
    if (!std::isfinite(value)) throw ConfigError(fmt::format("'{}' is out of range", body));
    return value == 0.0 ? 0.0 : value;
}

std::uint64_t parse_whole_quantity(std::string_view text, Unit unit) {
    const double value = parse_quantity(text, unit);
    const double whole = std::round(value);
    const double slack = 1e-12 * std::fmax(1.0, whole);  // "0.7 ns" is 700 ps
    if (value < 0.0) throw ConfigError(fmt::format("must not be negative (got '{}')", trim(text)));
    if (std::fabs(value - whole) > slack) {
        const std::string_view base = unit == Unit::Time         ? "picoseconds"
                                      : unit == Unit::Memory     ? "bits"
                                      : unit == Unit::CycleCount ? "cycles"
                                                                 : "units";
        throw ConfigError(fmt::format("must be a whole number of {} (got '{}')", base, trim(text)));
    }
    if (whole > 9007199254740992.0) {
        throw ConfigError(fmt::format("'{}' is out of range", trim(text)));
    }
    return static_cast<std::uint64_t>(whole);
}

std::string format_quantity(double value, Unit unit) {
    if (unit == Unit::None) return fmt::format("{}", value);
    if (unit == Unit::CycleCount) return fmt::format("{} {}", value, value == 1.0 ? "cycle" : "cycles");
    std::string_view canonical;
    for (const auto& suffix : suffixes(unit)) {
        if (!suffix.output) continue;
        if (suffix.exponent == 0 && suffix.factor == 1.0) canonical = suffix.name;
        const double power = std::pow(10.0, std::abs(suffix.exponent));
        const double number = (suffix.exponent < 0 ? value * power : value / power) / suffix.factor;
        if (number < 1.0) continue;
        if (unit == Unit::Memory && number != std::floor(number)) continue;
        std::string text = fmt::format("{} {}", number, suffix.name);
        if (text.size() <= 12 && parse_quantity(text, unit) == value) return text;
    }
    return fmt::format("{} {}", value, canonical);
}

std::string quantity_pattern(Unit unit) {
    std::string names;
    for (const auto& suffix : suffixes(unit)) {
        if (!names.empty()) names += '|';
        names += suffix.name;
    }
    const std::string number = "([0-9]+([.][0-9]*)?|[.][0-9]+)([eE][+-]?[0-9]+)?";
    return fmt::format("^ *{} *({}) *$", number, names);
}

EnergyPrice parse_price(std::string_view text) {
    const std::size_t slash = std::min(text.find('/'), text.size());
    const double pj = parse_quantity(text.substr(0, slash), Unit::Energy);
    const std::string_view per = trim(text.substr(slash));
    if (per.empty()) return {pj};
    if (per == "/bit") return {pj, EnergyPrice::Per::Bit};
    constexpr std::string_view bit_length = "/bit/";
    if (per.starts_with(bit_length)) {
        if (const Suffix* length = find_suffix(Unit::Length, trim(per.substr(bit_length.size()))))
            return {pj * std::pow(10.0, -length->exponent), EnergyPrice::Per::BitMm};
    }
    throw ConfigError(fmt::format("a price is per event, '/bit' or '/bit/mm', got '{}'", trim(text)));
}

std::string format_price(const EnergyPrice& price) {
    return format_quantity(price.pj, Unit::Energy) + (price.per == EnergyPrice::Per::Event ? ""
                                                      : price.per == EnergyPrice::Per::Bit ? "/bit"
                                                                                           : "/bit/mm");
}

std::string price_pattern() {
    std::string pattern = quantity_pattern(Unit::Energy);
    pattern.resize(pattern.rfind(" *$"));
    return pattern + "(/bit(/(m|cm|mm|um|nm))?)? *$";
}

}  // namespace loom::config
