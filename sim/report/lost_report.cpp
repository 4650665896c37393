// SPDX-License-Identifier: Apache-2.0
// What stats.json says of what lowering and execution lose.
#include <array>
#include <functional>

#include "sim/report/report_json.hpp"

namespace loom::stats {
namespace {

/// Events that lose something of a number, and what reports call them.
struct Saturation {
    std::string_view event;
    const char* key;
};
constexpr std::array kSaturations{Saturation{"dendrite.saturations", "sums"},
                                  Saturation{"soma.saturations", "membranes"},
                                  Saturation{"cim.clips", "converter_codes"},
                                  Saturation{"cim.psum_overflows", "partial_sums"}};

Json rounding_json(const arch::RoundingLoss& loss) {
    const auto n = static_cast<double>(loss.values);
    Json j;
    j["values"] = loss.values;
    j["zeroed"] = loss.zeroed;
    j["ties"] = loss.ties;
    j["clipped"] = loss.clipped;
    j["largest_error"] = loss.values == 0 ? Json() : Json(loss.largest_error);
    j["mean_error"] = quotient(loss.sum_of_errors, n);
    return j;
}

Json saturations_json(const RunAccount& a, const std::function<bool(const Leaf&)>& keep) {
    std::array<std::uint64_t, kSaturations.size()> counts{};
    std::uint64_t total = 0;
    for (const Leaf& l : a.ledger.leaves) {
        if (!keep(l)) continue;
        for (std::size_t i = 0; i < kSaturations.size(); ++i) {
            if (a.event_name(l) != kSaturations[i].event) continue;
            counts[i] += l.count;
            total += l.count;
        }
    }
    Json j;
    for (std::size_t i = 0; i < kSaturations.size(); ++i) j[kSaturations[i].key] = counts[i];
    j["total"] = total;
    return j;
}

}  // namespace

Json lost_json(const RunAccount& a) {
    arch::RoundingLoss weights, parameters;
    for (const arch::LayerInfo& layer : a.program.layers) {
        weights += layer.loss.weights;
        parameters += layer.loss.of_parameters();
    }
    std::uint64_t dropped = 0;
    for (const noc::NocCounters& n : a.record.noc) dropped += n.packets_dropped;
    Json j;
    j["weights"] = rounding_json(weights);
    j["parameters"] = rounding_json(parameters);
    j["saturations"] = saturations_json(a, [](const Leaf&) { return true; });
    j["input_rounded"] = a.record.input_rounded;
    j["packets_dropped"] = dropped;
    return j;
}

Json lost_json(const RunAccount& a, std::uint32_t layer) {
    const arch::LayerLoss& loss = a.program.layers[layer].loss;
    Json j;
    j["weights"] = rounding_json(loss.weights);
    j["parameters"] = Json::object();
    for (const auto& [name, of] : loss.parameters) j["parameters"][name] = rounding_json(of);
    j["saturations"] = saturations_json(a, [&](const Leaf& l) { return l.layer == layer; });
    return j;
}

}  // namespace loom::stats
