// SPDX-License-Identifier: Apache-2.0
#include "sim/foreign/modules.hpp"

#include <fmt/format.h>

#include "base/error.hpp"
#include "base/key_error.hpp"
#include "base/nearest.hpp"

namespace loom::foreign {
namespace {

template <class Map>
const auto& find(const Map& map, const std::string& key, const std::string& name, const char* what) {
    if (const auto it = map.find(name); it != map.end()) return it->second;
    if (map.empty()) {
        throw KeyError(key, fmt::format("unknown {}; this program has no {} modules of SystemC, they come "
                                        "with a `main` that registers them",
                                        quoted(name), what));
    }
    std::vector<std::string> known;
    std::string list;
    for (const auto& [other, entry] : map) {
        known.push_back(other);
        list += (list.empty() ? "" : ", ") + other;
    }
    throw KeyError(key, fmt::format("{} (registered: {})", unknown_name(name, known), list));
}

template <class Map, class Make>
void add(Map& map, const std::string& name, Make make, Promise promise) {
    if (name.empty()) throw ConfigError("a module of SystemC needs a name");
    if (!map.emplace(name, typename Map::mapped_type{std::move(make), promise}).second)
        throw ConfigError("two modules of SystemC are registered as " + quoted(name));
}

std::string key_of(const Placement& placement, std::size_t kind) {
    return placement.cores.size() == 1 ? "core.module" : fmt::format("cores.{}.module", kind);
}

}  // namespace

void Modules::add_core(const std::string& name, MakeCore make, Promise promise) {
    add(cores_, name, std::move(make), promise);
}

void Modules::add_network(const std::string& name, MakeNetwork make, Promise promise) {
    add(networks_, name, std::move(make), promise);
}

const Modules::Entry<Modules::MakeCore>& Modules::find_core(const std::string& key,
                                                            const std::string& name) const {
    return find(cores_, key, name, "core");
}

const Modules::Entry<Modules::MakeNetwork>& Modules::find_network(const std::string& key,
                                                                  const std::string& name) const {
    return find(networks_, key, name, "network");
}

std::vector<std::string> Modules::network_names() const {
    std::vector<std::string> names;
    for (const auto& [name, entry] : networks_) names.push_back(name);
    return names;
}

void Modules::check(const Placement& placement) const {
    for (std::size_t k = 0; k < placement.cores.size(); ++k) {
        if (placement.cores[k]) find_core(key_of(placement, k), *placement.cores[k]);
    }
    if (placement.network) find_network("noc.router.kind", *placement.network);
}

std::string Modules::needs_one_process(const Placement& placement) const {
    for (std::size_t k = 0; k < placement.cores.size(); ++k) {
        const auto& module = placement.cores[k];
        if (module && !find_core(key_of(placement, k), *module).promise.samples_in_processes) return *module;
    }
    const auto& network = placement.network;
    if (network && !find_network("noc.router.kind", *network).promise.samples_in_processes) return *network;
    return "";
}

}  // namespace loom::foreign
