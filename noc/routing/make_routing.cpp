// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <array>

#include "noc/names.hpp"
#include "noc/routing/builders.hpp"
#include "base/error.hpp"
#include "base/nearest.hpp"

namespace loom::noc {
namespace {

struct Entry {
    const char* name;
    std::unique_ptr<Routing> (*build)(const arch::NocSpec&, const Topology&, unsigned vcs);
};
/// The catalogue: a line per routing function.
constexpr std::array<Entry, 20> kRoutings{{{"xy", build_dimension_order},
                                           {"yx", build_dimension_order},
                                           {"x", build_dimension_order},
                                           {"xyz", build_dimension_order},
                                           {"xzy", build_dimension_order},
                                           {"yxz", build_dimension_order},
                                           {"yzx", build_dimension_order},
                                           {"zxy", build_dimension_order},
                                           {"zyx", build_dimension_order},
                                           {"dimension_order", build_dimension_order},
                                           {"relative", build_dimension_order},
                                           {"west_first", build_turn_model},
                                           {"north_last", build_turn_model},
                                           {"negative_first", build_turn_model},
                                           {"odd_even", build_turn_model},
                                           {"adaptive", build_adaptive},
                                           {"up_down", build_up_down},
                                           {"up*/down*", build_up_down},
                                           {"table", build_table},
                                           {"auto", nullptr}}};

}  // namespace

std::vector<std::string> routing_names() {
    return names_of(kRoutings);
}

std::unique_ptr<Routing> make_routing(const arch::NocSpec& spec, const Topology& topology, unsigned vcs) {
    for (const Entry& e : kRoutings) {
        if (spec.routing != e.name) continue;
        if (e.build == nullptr) {
            return (topology.grid.empty() ? build_up_down : build_dimension_order)(spec, topology, vcs);
        }
        arch::NocSpec s = spec;
        if (spec.routing == "dimension_order" || spec.routing == "x") s.routing = "auto";
        return e.build(s, topology, vcs);
    }
    throw ConfigError("noc.routing: " + unknown_name(spec.routing, routing_names()));
}

void address(const Topology& t, std::uint32_t from, std::uint32_t to, PacketRecord& record) {
    const std::uint32_t router = t.router_of(to);
    address(t.coord(t.router_of(from)), router, t.coord(router), static_cast<std::uint16_t>(t.port_of(to)),
            record);
}

}  // namespace loom::noc
