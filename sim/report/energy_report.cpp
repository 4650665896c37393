// SPDX-License-Identifier: Apache-2.0
#include "sim/report/energy_report.hpp"

#include <fmt/format.h>

#include <map>

namespace loom::stats {
namespace {

using Json = nlohmann::ordered_json;

struct Row {
    std::uint64_t count = 0;
    double pj = 0;
};
/// Sum of the leaves of each event.
std::vector<Row> rows_of(const Ledger& ledger) {
    std::vector<Row> rows(all_events().size());
    for (const Leaf& l : ledger.leaves) {
        rows[l.event].count += l.count;
        rows[l.event].pj += l.pj();
    }
    return rows;
}

}  // namespace

Json events_json(const Ledger& ledger, const PriceTable& prices) {
    Json j = Json::object();
    const auto rows = rows_of(ledger);
    for (std::size_t i = 0; i < rows.size(); ++i) {
        const arch::PriceSpec* p = prices[i].spec;
        if (rows[i].count == 0 || p == nullptr) continue;
        Json& e = j[all_events()[i].name];
        e = {{"count", rows[i].count},  {"price_pj", prices[i].pj}, {"pj", rows[i].pj},
             {"category", p->category}, {"scope", p->scope},        {"grade", p->grade},
             {"source", p->source}};
        if (!prices[i].formula.empty()) e["formula"] = prices[i].formula;
    }
    return j;
}

Json unpriced_json(const Ledger& ledger, const PriceTable& prices) {
    Json j = Json::object();
    const auto rows = rows_of(ledger);
    for (std::size_t i = 0; i < rows.size(); ++i) {
        const EventInfo& event = all_events()[i];
        if (!event.priced || prices[i].spec != nullptr || (rows[i].count == 0 && !prices[i].excused))
            continue;
        j[event.name] = {{"count", rows[i].count}, {"reason", prices[i].reason}};
    }
    return j;
}

Json leakage_json(const Leakage& leakage) {
    return {{"core_pj", leakage.core_pj},
            {"router_pj", leakage.router_pj},
            {"link_pj", leakage.link_pj},
            {"bridge_pj", leakage.bridge_pj},
            {"chip_pj", leakage.chip_pj}};
}

std::string energy_yaml(const Ledger& ledger, const PriceTable& prices) {
    const auto quote = [](const std::string& s) { return Json(s).dump(); };
    const auto rows = rows_of(ledger);
    std::map<std::string, std::vector<std::size_t>> components;
    for (std::size_t i = 0; i < rows.size(); ++i) {
        const std::string& name = all_events()[i].name;
        if (rows[i].count != 0) components[name.substr(0, name.find('.'))].push_back(i);
    }
    std::string out = fmt::format("# counted events times prices; list: {}\n", prices.name());
    for (const auto& [component, events] : components) {
        double sum = 0;
        for (const std::size_t i : events) sum += rows[i].pj;
        out += fmt::format("{}:\n  energy: {} pJ\n  events:\n", component, sum);
        for (const std::size_t i : events) {
            out += fmt::format("    {}:\n      count: {}\n", all_events()[i].name, rows[i].count);
            if (const arch::PriceSpec* p = prices[i].spec) {
                out += fmt::format("      price: {} pJ\n", prices[i].pj);
                if (!prices[i].formula.empty()) out += fmt::format("      formula: {}\n", prices[i].formula);
                out += fmt::format(
                    "      energy: {} pJ\n      category: {}\n      scope: {}\n      grade: {}\n      "
                    "source: "
                    "{}\n",
                    rows[i].pj, p->category, p->scope, p->grade, quote(p->source));
            } else if (all_events()[i].priced) {
                out += fmt::format("      unpriced: {}\n", quote(prices[i].reason));
            }
        }
    }
    const Leakage& l = ledger.leakage;
    out += fmt::format(
        "leakage:\n  energy: {} pJ\n  core: {} pJ\n  router: {} pJ\n  link: {} pJ\n  bridge: {} pJ\n"
        "  chip: {} pJ\n",
        l.total_pj(), l.core_pj, l.router_pj, l.link_pj, l.bridge_pj, l.chip_pj);
    return out;
}

}  // namespace loom::stats
