// SPDX-License-Identifier: Apache-2.0
#include "noc/catalogue.hpp"

#include <fmt/format.h>

#include <array>
#include <string>

#include "noc/mesh_network.hpp"
#include "noc/routing/dimension_order.hpp"
#include "sim/base/error.hpp"

namespace loom::noc {
namespace {

constexpr std::array<Pipeline, 3> kPipelines{{{"P2", 0, true}, {"P3", 0, false}, {"P4", 1, false}}};
constexpr std::array<Routing, 1> kRoutings{{{"xy", route_xy}}};

using Make = std::unique_ptr<Network> (*)(const arch::ChipSpec&);
struct Topology {
    std::string_view name;
    Make make = nullptr;
};
constexpr std::array<Topology, 1> kTopologies{
    {{"mesh", [](const arch::ChipSpec& spec) -> std::unique_ptr<Network> {
          return std::make_unique<MeshNetwork>(spec);
      }}}};

template <class T>
const T& find(std::span<const T> table, std::string_view key, std::string_view name) {
    std::string known;
    for (const T& entry : table) {
        if (entry.name == name) return entry;
        known += fmt::format("{}{}", known.empty() ? "" : ", ", entry.name);
    }
    throw ConfigError(fmt::format("{}: unknown `{}`; known: {}", key, name, known));
}

}  // namespace

std::span<const Pipeline> pipelines() {
    return kPipelines;
}
std::span<const Routing> routings() {
    return kRoutings;
}
const Pipeline& find_pipeline(std::string_view name) {
    return find<Pipeline>(kPipelines, "noc.router.pipeline", name);
}
const Routing& find_routing(std::string_view name) {
    return find<Routing>(kRoutings, "noc.routing", name);
}

std::unique_ptr<Network> make_network(const arch::ChipSpec& spec, Scheduler&) {
    return find<Topology>(kTopologies, "noc.topology", spec.noc.topology).make(spec);
}

}  // namespace loom::noc
