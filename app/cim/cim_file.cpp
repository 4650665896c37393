// SPDX-License-Identifier: Apache-2.0
#include "app/cim/cim_file.hpp"

#include <algorithm>
#include <map>
#include "base/json/json.hpp"

#include "app/cim/cim_price_texts.hpp"
#include "app/config_file.hpp"
#include "app/file_kinds.hpp"
#include "base/config/reader.hpp"
#include "base/key_error.hpp"
#include "base/nearest.hpp"
#include "cores/cim/shape.hpp"
#include "sim/report/energy_ledger.hpp"

namespace loom::app {
namespace {

/// Names of the members of a section.
struct Names {
    std::vector<std::string> all;
    template <class T>
    void operator()(std::string_view name, T&, const Field&) {
        all.emplace_back(name);
    }
};
/// Section of each key; sections themselves.
struct Sections {
    std::map<std::string, std::string> of_key;
    std::vector<std::string> names;
    template <class T>
    void operator()(std::string_view name, T& section, const Field&) {
        names.emplace_back(name);
        Names keys;
        fields(keys, section);
        for (const std::string& key : keys.all) of_key[key] = name;
    }
};
const Sections& sections() {
    static const Sections result = [] {
        Sections s;
        arch::CimSpec spec;
        fields(s, spec);
        return s;
    }();
    return result;
}
bool contains(const std::vector<std::string>& list, const std::string& word) {
    return std::find(list.begin(), list.end(), word) != list.end();
}

}  // namespace

void nest_cim_keys(config::Node& root) {
    if (!root.is_map()) return;
    const std::vector<std::string> own{"name", "source", "node", "energy"};
    config::Node result = config::Node::make_map();
    result.at = root.at;
    std::vector<config::Node::Entry> alone;
    for (auto& entry : root.map) {
        const bool section = contains(sections().names, entry.key) && !entry.value.is_scalar();
        if (section || contains(own, entry.key)) {
            result.put(entry.key, entry.value);
            continue;
        }
        if (sections().of_key.count(entry.key) == 0) {
            std::vector<std::string> known = own;
            for (const auto& [key, of] : sections().of_key) known.push_back(key);
            known.insert(known.end(), sections().names.begin(), sections().names.end());
            throw KeyError(entry.key, "unknown key" + suggestion(entry.key, known), entry.at.text());
        }
        alone.push_back(entry);
    }
    for (auto& entry : alone) {
        const std::string& name = sections().of_key.at(entry.key);
        config::Node* section = result.find(name);
        if (section == nullptr) {
            config::Node made = config::Node::make_map();
            made.at = entry.at;
            section = &result.put(name, std::move(made));
        }
        if (section->is_null()) *section = config::Node::make_map();
        const config::Node* there = section->find(entry.key);
        if (there != nullptr && there->at.line == 0) continue;  // --set of the key in its section
        if (there != nullptr && entry.at.line > 0) {
            throw KeyError(entry.key, "given twice, also as " + name + "." + entry.key, entry.at.text());
        }
        section->put(entry.key, std::move(entry.value));
    }
    root = std::move(result);
}

bool is_cim_file(const config::Node& root) {
    return std::any_of(root.map.begin(), root.map.end(), [](const config::Node::Entry& e) {
        return e.key == "array" || e.key == "weights" || sections().of_key.count(e.key) != 0;
    });
}

std::string cim_schema(const config::SchemaOptions& options) {

    Json schema = Json::parse(config::json_schema<CimFile>(options));
    Json alone = Json::object();
    for (const std::string& name : sections().names)
        for (const auto& [key, value] : schema["properties"][name]["properties"].items())
            if (key != "file") alone[key] = value;
    for (auto& [key, value] : alone.items()) {
        Json& there = schema["properties"][key];
        if (there.is_null())
            there = std::move(value);
        else
            there = {{"anyOf", {there, std::move(value)}}};  // a section, or the key alone
    }
    return schema.dump(2) + "\n";
}

arch::EnergySpec shipped_cim_prices(std::uint64_t node) {
    for (const CimPriceText& t : kCimPriceTexts) {
        if (t.node != node) continue;
        config::Node list = config::load_text(t.text, "cim_" + std::to_string(node) + ".yaml");
        list.erase("base");  // prices of other parts of a chip
        return config::read<arch::EnergySpec>(list, "energy");
    }
    throw KeyError(
        "node", "no shipped price list of " + std::to_string(node) + " nm (22, 32, 65, 130); give `energy`");
}

LoadedCim load_cim(const std::string& path, const std::vector<std::string>& sets) {
    LoadedCim run;
    run.root = config::load_with_base(path);
    apply_sets(run.root, sets);
    expect_kind(run.root, path, "cim");
    std::vector<std::string> parts = sections().names;
    parts.emplace_back("energy");
    config::include_files(run.root, parts, expect_part);
    nest_cim_keys(run.root);
    config::read_into(run.root, "", run.file);
    with_places(run.root, [&] {
        cores::check_cim(run.file.spec);
        if (run.root.find("energy") == nullptr) run.file.energy = shipped_cim_prices(run.file.node);
    });
    return run;
}

}  // namespace loom::app
