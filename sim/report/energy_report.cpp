// SPDX-License-Identifier: Apache-2.0
#include "sim/report/energy_report.hpp"

#include <fmt/format.h>

#include <map>

#include "sim/report/report.hpp"

namespace loom::stats {
namespace {



struct Row {
    std::uint64_t count = 0;
    double pj = 0;
};
/// Sum of the leaves of each event.
std::vector<Row> rows_of(const Ledger& ledger, const PriceTable& prices) {
    std::vector<Row> rows(prices.events().size());
    for (const Leaf& l : ledger.leaves) {
        rows[l.event].count += l.count;
        rows[l.event].pj += l.pj();
    }
    return rows;
}

std::string quote(const std::string& s) {
    return Json(s).dump();
}

std::string event_yaml(const EventInfo& event, const Row& row, const PriceTable::Entry& price) {
    std::string out = fmt::format("    {}:\n      count: {}\n", event.name, row.count);
    if (const arch::PriceSpec* p = price.spec) {
        out += fmt::format("      price: {} pJ\n", price.pj);
        if (!price.formula.empty()) out += fmt::format("      formula: {}\n", price.formula);
        out += fmt::format(
            "      energy: {} pJ\n      category: {}\n      scope: {}\n      grade: {}\n      source: {}\n",
            row.pj, p->category, p->scope, p->grade, quote(p->source));
    } else if (event.priced) {
        out += fmt::format("      unpriced: {}\n", quote(price.reason));
    }
    return out;
}

/// What the events of a ledger cost, by component; `prefix` stands before the component's name.
std::string components_yaml(const Ledger& ledger, const PriceTable& prices, const std::string& prefix) {
    const auto rows = rows_of(ledger, prices);
    std::map<std::string, std::vector<std::size_t>> components;
    for (std::size_t i = 0; i < rows.size(); ++i) {
        const std::string& name = prices.events()[i].name;
        if (rows[i].count != 0) components[name.substr(0, name.find('.'))].push_back(i);
    }
    std::string out;
    for (const auto& [component, events] : components) {
        double sum = 0;
        for (const std::size_t i : events) sum += rows[i].pj;
        out += fmt::format("{}{}:\n  energy: {} pJ\n  events:\n", prefix, component, sum);
        for (const std::size_t i : events) out += event_yaml(prices.events()[i], rows[i], prices[i]);
    }
    return out;
}

std::string heading(const PriceTable& prices) {
    return fmt::format("# counted events times prices; list: {}\n", prices.name());
}

std::string leakage_yaml(const Leakage& l) {
    return fmt::format(
        "leakage:\n  energy: {} pJ\n  core: {} pJ\n  router: {} pJ\n  link: {} pJ\n  bridge: {} pJ\n"
        "  chip: {} pJ\n",
        l.total_pj(), l.core_pj, l.router_pj, l.link_pj, l.bridge_pj, l.chip_pj);
}

}  // namespace

Json events_json(const Ledger& ledger, const PriceTable& prices) {
    Json j = Json::object();
    const auto rows = rows_of(ledger, prices);
    for (std::size_t i = 0; i < rows.size(); ++i) {
        const arch::PriceSpec* p = prices[i].spec;
        if (rows[i].count == 0 || p == nullptr) continue;
        Json& e = j[prices.events()[i].name];
        e = {{"count", rows[i].count},  {"price_pj", prices[i].pj}, {"pj", rows[i].pj},
             {"category", p->category}, {"scope", p->scope},        {"grade", p->grade},
             {"source", p->source}};
        if (!prices[i].formula.empty()) e["formula"] = prices[i].formula;
    }
    return j;
}

Json unpriced_json(const Ledger& ledger, const PriceTable& prices) {
    Json j = Json::object();
    const auto rows = rows_of(ledger, prices);
    for (std::size_t i = 0; i < rows.size(); ++i) {
        const EventInfo& event = prices.events()[i];
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
    return heading(prices) + components_yaml(ledger, prices, "") + leakage_yaml(ledger.leakage);
}

std::string energy_yaml(const RunAccount& a) {
    if (a.chip.cores.empty()) return energy_yaml(a.ledger, a.prices.of_kind(0));
    Ledger rest = a.part([](const Leaf& l) { return l.core == Leaf::kNoCore; });
    rest.leakage = a.ledger.leakage;
    std::string out = energy_yaml(rest, a.prices.of_kind(0));
    for (std::size_t k = 0; k < a.chip.n_kinds(); ++k)
        out += components_yaml(a.part([&](const Leaf& l) { return a.of_kind(l, k); }), a.prices.of_kind(k),
                               a.chip.cores[k].name + ".");
    return out;
}

}  // namespace loom::stats
