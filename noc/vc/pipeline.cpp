// SPDX-License-Identifier: Apache-2.0
#include "noc/vc/pipeline.hpp"

#include <fmt/format.h>

#include <array>
#include <string>

#include "base/key_error.hpp"

namespace loom::noc {
namespace {

constexpr std::array<Pipeline, 3> kPipelines{{{"P2", 0, true}, {"P3", 0, false}, {"P4", 1, false}}};

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
    throw KeyError("noc.router.pipeline", fmt::format("unknown `{}`; known: {}", name, known));
}

}  // namespace loom::noc
