// SPDX-License-Identifier: Apache-2.0
#include "arch/core_kinds.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "arch/core_catalogue.hpp"
#include "base/key_error.hpp"
#include "base/nearest.hpp"

namespace loom::arch {
namespace {

struct Range {
    std::uint64_t first = 0, last = 0;
};

bool read_number(std::string_view text, std::uint64_t& out) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
    return error == std::errc{} && end == text.data() + text.size();
}

/// "5" or "3-7".
Range parse_range(const std::string& key, const std::string& text, std::uint64_t n) {
    const std::size_t dash = text.find('-');
    Range r;
    const std::string_view all = text;
    const bool good = dash == std::string::npos ? read_number(all, r.first)
                                                : read_number(all.substr(0, dash), r.first) &&
                                                      read_number(all.substr(dash + 1), r.last);
    if (dash == std::string::npos) r.last = r.first;
    if (!good || r.first > r.last) {
        throw KeyError(key,
                       fmt::format("expected a router number or a range such as 0-7, got {}", quoted(text)));
    }
    if (r.last >= n) throw KeyError(key, fmt::format("the chip has routers 0 to {}", n - 1));
    return r;
}

void check_list(const std::string& key, const std::vector<std::uint64_t>& values, std::uint64_t n,
                const char* what) {
    for (std::size_t i = 0; i < values.size(); ++i) {
        if (values[i] >= n)
            throw KeyError(fmt::format("{}.{}", key, i), fmt::format("the chip has {} 0 to {}", what, n - 1));
    }
}

bool allows(const std::vector<std::uint64_t>& list, std::uint64_t value) {
    return list.empty() || std::find(list.begin(), list.end(), value) != list.end();
}

}  // namespace

std::vector<std::uint32_t> core_kinds(const ChipSpec& chip) {
    const NocShape shape = chip.noc.shape();
    const std::uint64_t per = shape.cores_per_router, width = shape.width;
    constexpr std::uint32_t kNone = 0xffffffffu;
    std::vector<std::uint32_t> kinds(shape.cores(), chip.cores.empty() ? 0 : kNone);
    for (std::uint32_t k = 0; k < chip.cores.size(); ++k) {
        const CoreKindSpec& spec = chip.cores[k];
        const std::string key = fmt::format("cores.{}", k);
        std::vector<Range> ranges;
        for (std::size_t i = 0; i < spec.routers.size(); ++i)
            ranges.push_back(
                parse_range(fmt::format("{}.routers.{}", key, i), spec.routers[i], shape.core_routers));
        check_list(key + ".columns", spec.columns, width, "columns");
        check_list(key + ".slots", spec.slots, per, "cores per router");
        std::uint64_t taken = 0;
        for (std::uint64_t e = 0; e < kinds.size() && (spec.count == 0 || taken < spec.count); ++e) {
            const std::uint64_t router = e / per;
            const bool here =
                ranges.empty() || std::any_of(ranges.begin(), ranges.end(), [&](const Range& r) {
                    return router >= r.first && router <= r.last;
                });
            if (kinds[e] != kNone || !here || !allows(spec.columns, router % width) ||
                !allows(spec.slots, e % per))
                continue;
            kinds[e] = k;
            ++taken;
        }
        if (taken == 0) throw KeyError(key, fmt::format("no core is left for kind {}", quoted(spec.name)));
        if (taken < spec.count)
            throw KeyError(fmt::format("{}.count", key), fmt::format("there is room for {} only", taken));
    }
    const auto none = std::find(kinds.begin(), kinds.end(), kNone);
    if (none != kinds.end()) {
        throw KeyError(
            "cores",
            fmt::format("core {} of router {} is of no kind; a last kind without a place takes what is left",
                        static_cast<std::uint64_t>(none - kinds.begin()) % per,
                        static_cast<std::uint64_t>(none - kinds.begin()) / per));
    }
    return kinds;
}

std::vector<std::uint64_t> cores_of_kinds(const ChipSpec& chip) {
    std::vector<std::uint64_t> n(chip.n_kinds(), 0);
    for (const std::uint32_t k : core_kinds(chip)) ++n[k];
    return n;
}

std::string kind_name(const ChipSpec& chip, std::size_t kind) {
    return chip.cores.empty() ? std::string() : chip.cores[kind].name;
}

std::string of_kind(const ChipSpec& chip, std::size_t kind, const std::string& resource) {
    return chip.cores.empty() ? resource : fmt::format("{} (kind '{}')", resource, chip.cores[kind].name);
}

EventPrice price_of(const ChipSpec& chip, std::size_t kind, const std::string& event) {
    const auto look = [&](const EnergySpec& list, EventPrice& out) {
        if (const auto it = list.actions.find(event); it != list.actions.end()) out.price = &it->second;
        if (const auto it = list.unpriced.find(event); it != list.unpriced.end()) out.reason = &it->second;
        return out.known();
    };
    EventPrice out;
    if (chip.cores.empty() || !look(chip.cores[kind].energy, out)) look(chip.energy, out);
    return out;
}

const LeakageSpec* core_leakage(const ChipSpec& chip, std::size_t kind) {
    const auto look = [](const EnergySpec& list) {
        const auto it = list.leakage.find("core");
        return it == list.leakage.end() ? nullptr : &it->second;
    };
    const LeakageSpec* own = chip.cores.empty() ? nullptr : look(chip.cores[kind].energy);
    return own != nullptr ? own : look(chip.energy);
}

ChipSpec with_derived_prices(ChipSpec chip) {
    const double period = chip.clock.period;
    if (chip.cores.empty()) {
        const EnergySpec list = chip.energy;
        chip.core.type().add_own_prices(chip.energy, list, chip.core, period);
        return chip;
    }
    for (CoreKindSpec& kind : chip.cores) {
        EnergySpec list = kind.energy;
        for (const EventInfo& e : kind.type().own_events()) {  // the chip's, where the kind has none
            const auto price = chip.energy.actions.find(e.name);
            if (price != chip.energy.actions.end() && list.unpriced.count(e.name) == 0)
                list.actions.insert(*price);
            const auto reason = chip.energy.unpriced.find(e.name);
            if (reason != chip.energy.unpriced.end() && list.actions.count(e.name) == 0)
                list.unpriced.insert(*reason);
        }
        kind.type().add_own_prices(list, chip.energy, kind, period);
        kind.energy = std::move(list);
    }
    return chip;
}

std::uint64_t event_bits(const CoreSpec& core, std::string_view event) {
    if (event == "axon_in.packets" || event == "axon_out.packets") return core.axon_out.packet_bits;
    return event == "synapse.word_reads" ? core.synapse.word : 0;
}

ChipSpec chip_of_kind(const ChipSpec& chip, std::size_t kind) {
    ChipSpec view = chip;
    if (chip.cores.empty()) return view;
    view.core = chip.cores[kind];
    view.cores.clear();
    for (const auto& [event, price] : chip.cores[kind].energy.actions) {
        view.energy.unpriced.erase(event);
        view.energy.actions[event] = price;
    }
    for (const auto& [event, reason] : chip.cores[kind].energy.unpriced) {
        view.energy.actions.erase(event);
        view.energy.unpriced[event] = reason;
    }
    for (const auto& [part, area] : chip.cores[kind].energy.area) view.energy.area[part] = area;
    return view;
}

}  // namespace loom::arch
