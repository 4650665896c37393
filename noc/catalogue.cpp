// SPDX-License-Identifier: Apache-2.0
#include "noc/catalogue.hpp"

#include <fmt/format.h>

#include <array>
#include <string>

#include "noc/deflection_network.hpp"
#include "noc/handshake_network.hpp"
#include "noc/names.hpp"
#include "noc/pipeline.hpp"
#include "noc/scheduled_network.hpp"
#include "noc/timeout_network.hpp"
#include "noc/vc_network.hpp"
#include "base/error.hpp"
#include "base/nearest.hpp"

namespace loom::noc {
namespace {

constexpr std::array<Pipeline, 3> kPipelines{{{"P2", 0, true}, {"P3", 0, false}, {"P4", 1, false}}};

struct Kind {
    const char* name;
    std::unique_ptr<Network> (*make)(const arch::ChipSpec&, Topology);
};
template <class N>
std::unique_ptr<Network> make(const arch::ChipSpec& spec, Topology t) {
    return std::make_unique<N>(spec, std::move(t));
}
/// The catalogue: a line per kind of router.
constexpr std::array<Kind, 6> kKinds{{{"vc", make<VcNetwork>},
                                      {"async", make<VcNetwork>},
                                      {"handshake", make<HandshakeNetwork>},
                                      {"deflection", make<DeflectionNetwork>},
                                      {"timeout", make<TimeoutNetwork>},
                                      {"scheduled", make<ScheduledNetwork>}}};

}  // namespace

std::span<const Pipeline> pipelines() {
    return kPipelines;
}

const Pipeline& find_pipeline(std::string_view name) {
    std::string known;
    for (const Pipeline& p : kPipelines) {
        if (p.name == name) return p;
        known += fmt::format("{}{}", known.empty() ? "" : ", ", p.name);
    }
    throw ConfigError(fmt::format("noc.router.pipeline: unknown `{}`; known: {}", name, known));
}

std::vector<std::string> router_kind_names() {
    return names_of(kKinds);
}

namespace {
/// What a router needs for its state grows with ports times channels.
void check_memory(const arch::NocSpec& spec, const Topology& t) {
    constexpr std::uint64_t kMost = std::uint64_t{1} << 26;
    const std::uint64_t channels = std::uint64_t{t.n_routers()} * t.max_ports() * spec.router.vcs;
    if (channels > kMost) {
        throw ConfigError(
            fmt::format("noc.size: {} routers with {} ports and {} virtual channels need {} buffers; "
                        "the limit is {}",
                        t.n_routers(), t.max_ports(), spec.router.vcs, channels, kMost));
    }
}
}  // namespace

std::unique_ptr<Network> make_network(const arch::ChipSpec& spec) {
    for (const Kind& k : kKinds) {
        if (spec.noc.router.kind != k.name) continue;
        Topology t = make_topology(spec.noc, spec.clock.period, spec.io.router);
        check_memory(spec.noc, t);
        return k.make(spec, std::move(t));
    }
    throw ConfigError("noc.router.kind: " + unknown_name(spec.noc.router.kind, router_kind_names()));
}

}  // namespace loom::noc
