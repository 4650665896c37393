// SPDX-License-Identifier: Apache-2.0
#include "sim/report/ert.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "base/config/quantity.hpp"
#include "base/error.hpp"
#include "base/nearest.hpp"
#include "sim/report/event_list.hpp"

namespace loom::stats {
namespace {

using config::Node;

/// Usual names of components and actions, and the event that is meant: a line each.
constexpr std::array<std::pair<std::string_view, std::string_view>, 23> kUsualNames{
    {{"buffer.write", "noc.buffer_writes"},
     {"buffer.read", "noc.buffer_reads"},
     {"vc_allocator.grant", "noc.vc_grants"},
     {"switch_allocator.grant", "noc.switch_grants"},
     {"crossbar.transfer", "noc.crossbar"},
     {"link_x.transfer", "noc.link_x"},
     {"link_y.transfer", "noc.link_y"},
     {"link_z.transfer", "noc.link_z"},
     {"link_other.transfer", "noc.link_other"},
     {"link_local.transfer", "noc.local"},
     {"bridge.transfer", "noc.link_bridge"},
     {"routing_table.read", "noc.table_lookups"},
     {"network_interface.inject", "noc.ni_in"},
     {"network_interface.eject", "noc.ni_out"},
     {"axon_fifo.write", "axon_in.packets"},
     {"axon_table.read", "axon_in.lookups"},
     {"synapse_memory.read", "synapse.word_reads"},
     {"adder.compute", "dendrite.ac"},
     {"mac.compute", "dendrite.mac"},
     {"accumulator_memory.access", "dendrite.accesses"},
     {"soma.update", "soma.updates_active"},
     {"soma.skip", "soma.updates_inactive"},
     {"fanout_table.read", "axon_out.fanout_reads"}}};
constexpr std::array<std::string_view, 5> kLeaking{"core", "router", "link", "bridge", "chip"};

[[noreturn]] void fail(const config::Location& at, const std::string& problem) {
    throw ConfigError((at.text().empty() ? "" : at.text() + ": ") + problem);
}

const Node& need(const Node& map, const char* key, const std::string& where) {
    const Node* node = map.is_map() ? map.find(key) : nullptr;
    if (node == nullptr) fail(map.at, fmt::format("{}: expected a map with `{}`", where, key));
    return *node;
}

/// "chip.tile.buffer[0..63]" -> "buffer".
std::string component_of(const std::string& name) {
    std::string s = name.substr(0, name.find('['));
    return s.substr(s.rfind('.') == std::string::npos ? 0 : s.rfind('.') + 1);
}

class Table {
  public:
    Table(const Node& ert, const Node* map, std::string file, const arch::CoreKinds& kinds)
        : map_(map), file_(std::move(file)), actions_(Node::make_map()), leakage_(Node::make_map()) {
        for (const EventInfo& e : EventList(kinds)) {
            if (e.priced) events_.push_back(e.name);
            if (e.priced && family_of(e.name) != e.name) events_.push_back(family_of(e.name));
        }
        const Node& tables = need(ert, "tables", "ERT");
        if (!tables.is_sequence())
            fail(tables.at, "ERT.tables: expected a sequence of tables (versions 0.3 and 0.4), got " +
                                tables.describe());
        for (const Node& table : tables.sequence) {
            const Node& name = need(table, "name", "ERT.tables");
            const Node& actions = need(table, "actions", "ERT.tables." + name.scalar);
            if (!actions.is_sequence())
                fail(actions.at, fmt::format("ERT.tables.{}.actions: expected a sequence, got {}",
                                             name.scalar, actions.describe()));
            for (const Node& action : actions.sequence) add(name.scalar, action);
        }
        if (actions_.map.empty() && leakage_.map.empty())
            fail(tables.at, "ERT.tables: no table prices an event, so this list changes nothing");
        for (const auto& e : map_ == nullptr ? std::vector<Node::Entry>{} : map_->map) {
            if (std::find(seen_.begin(), seen_.end(), e.key) == seen_.end())
                fail(e.at, fmt::format("energy.map.{}: the table has no such action{}", e.key,
                                       suggestion(e.key, seen_)));
        }
    }
    const Node& actions() const { return actions_; }
    const Node& leakage() const { return leakage_; }

  private:
    void add(const std::string& table, const Node& action) {
        const std::string name = need(action, "name", "ERT.tables." + table).scalar;
        const std::string pair = component_of(table) + "." + name;
        const std::string where = fmt::format("ERT.tables.{}.{}", table, name);
        const Node& energy = need(action, "energy", where);
        double pj = 0;
        try {
            pj = config::parse_quantity(energy.scalar, Unit::None);
            if (!energy.is_scalar() || pj < 0) throw ConfigError("");
        } catch (const ConfigError&) {
            fail(energy.at,
                 fmt::format("{}.energy: expected a number of pJ >= 0, got {}", where, energy.describe()));
        }
        seen_.push_back(pair);
        const std::string event = event_of(pair, action.at, where);
        if (event == "none") return;
        const bool leak = event.starts_with("leakage.");
        Node price = Node::make_map();
        price.at = energy.at;
        put(price, leak ? "per_cycle" : "value", fmt::format("{} pJ", pj), energy.at);
        put(price, "grade", "simulated", energy.at);
        put(price, "source", fmt::format("{}: {}, {}", file_, table, name), energy.at);
        Node& to = leak ? leakage_ : actions_;
        const std::string key = leak ? event.substr(8) : event;
        if (to.find(key) != nullptr)
            fail(action.at, fmt::format("{}: {} has a price from this table already", where, event));
        if (!leak) put(price, "category", category(event), energy.at);
        to.put(key, std::move(price));
    }
    static void put(Node& map, const char* key, std::string text, const config::Location& at) {
        Node value = Node::make_scalar(std::move(text), true);
        value.at = at;
        map.put(key, std::move(value));
    }
    static const char* category(const std::string& event) {
        if (event.starts_with("noc.")) return "noc";
        if (event.ends_with("reads") || event.ends_with("accesses") || event.ends_with("lookups"))
            return "memory";
        return event.starts_with("dendrite.") || event.starts_with("soma.") ? "compute" : "control";
    }
    /// Event, "leakage.router" or "none".
    std::string event_of(const std::string& pair, const config::Location& at,
                         const std::string& where) const {
        const auto known = [&](const std::string& e) {
            return std::find(events_.begin(), events_.end(), e) != events_.end();
        };
        // the section's map holds keys with dots
        for (const auto& e : map_ == nullptr ? std::vector<Node::Entry>{} : map_->map) {
            if (e.key != pair) continue;
            if (e.value.scalar == "none" || known(e.value.scalar)) return e.value.scalar;
            fail(e.value.at,
                 fmt::format("energy.map.{}: no such event{}", pair, suggestion(e.value.scalar, events_)));
        }
        if (known(pair)) return pair;
        for (const auto& [name, event] : kUsualNames) {
            if (name == pair) return std::string(event);
        }
        for (const auto what : kLeaking) {
            if (pair == std::string(what) + ".leak") return "leakage." + std::string(what);
        }
        std::vector<std::string> names = events_;
        for (const auto& [name, event] : kUsualNames) names.emplace_back(name);
        for (const auto what : kLeaking) names.push_back(std::string(what) + ".leak");
        fail(at, fmt::format("{}: '{}' is no event{}; or name one in energy.map: {{{}: event}} (`none`: not "
                             "counted)",
                             where, pair, suggestion(pair, names), pair));
    }

    const Node* map_;
    std::string file_;
    Node actions_, leakage_;
    std::vector<std::string> events_, seen_;
};

/// Prices of the table over those of the section, which it most often has from a base. An entry that stands in the file
/// which names the table corrects it.
void merge_over(Node& section, const char* key, const Node& table, const std::string& named_in) {
    Node own = section.find(key) != nullptr ? *section.find(key) : Node::make_map();
    if (own.map.empty()) own.at = section.at;
    for (const Node::Entry& e : table.map) {
        const Node* there = own.find(e.key);
        const bool corrected = there != nullptr && !named_in.empty() && there->at.file == named_in;
        own.put(e.key, corrected ? config::merge(e.value, *there) : e.value);
    }
    section.put(key, std::move(own));
    Node* unpriced = section.find("unpriced");
    for (const Node::Entry& e : table.map) {
        if (unpriced != nullptr && key == std::string_view("actions")) unpriced->erase(e.key);
    }
}

}  // namespace

void expand_ert(Node& root, std::string_view section, const arch::CoreKinds& kinds) {
    Node* const energy = const_cast<Node*>(config::get(root, section));
    if (energy == nullptr || !energy->is_map()) return;
    Node table;
    std::string file, named_in = energy->at.file;
    if (const Node* named = energy->find("ert"); named != nullptr && !named->scalar.empty()) {
        namespace fs = std::filesystem;
        const fs::path base = named->at.line > 0 ? fs::path(named->at.file).parent_path() : fs::path();
        const fs::path path =
            fs::path(named->scalar).is_absolute() ? fs::path(named->scalar) : base / named->scalar;
        Node tree;
        try {
            tree = config::load(path.string());
        } catch (const IoError& e) {
            fail(named->at, fmt::format("energy.ert: {}", e.what()));
        }
        table = need(tree, "ERT", "an energy reference table");
        file = path.filename().string();
        named_in = named->at.file;
    } else if (const Node* included = energy->find("ERT")) {
        table = *included;
        file = std::filesystem::path(included->at.file).filename().string();
    } else {
        return;
    }
    const Table prices(table, energy->find("map"), file, kinds);
    energy->erase("ert");
    energy->erase("ERT");
    energy->erase("map");
    merge_over(*energy, "actions", prices.actions(), named_in);
    merge_over(*energy, "leakage", prices.leakage(), named_in);
}

}  // namespace loom::stats
