// SPDX-License-Identifier: Apache-2.0
#include "sim/app/train_report.hpp"

#include <fmt/format.h>

#include "sim/app/train_energy.hpp"
#include "sim/stats/report.hpp"

namespace loom::app {
namespace {

using Json = nlohmann::ordered_json;
using training::PhaseRecord;

double ratio(std::uint64_t part, std::uint64_t whole) {
    return whole == 0 ? 0.0 : static_cast<double>(part) / static_cast<double>(whole);
}

Json network_json(Training& t) {
    Json j;
    learn::Network& network = t.trainer->network();
    j["inputs"] = network.input_shape().count();
    j["weights"] = network.weights();
    j["layers"] = Json::array();
    for (const learn::Network::Node& node : network.nodes()) {
        std::size_t weights = 0;
        for (const learn::Parameter& p : node.layer->parameters()) weights += p.value.size();
        j["layers"].push_back(
            {{"name", node.layer->name}, {"outputs", node.layer->out.count()}, {"weights", weights}});
    }
    return j;
}

Json epochs_json(const TrainState& state) {
    Json list = Json::array();
    for (const EpochRow& e : state.epochs) {
        Json j{{"epoch", e.epoch},
               {"steps", e.steps},
               {"samples", e.samples},
               {"loss", e.loss},
               {"accuracy", ratio(e.correct, e.samples)}};
        if (e.test_samples != 0) {
            j["test_loss"] = e.test_loss;
            j["test_correct"] = e.test_correct;
            j["test_samples"] = e.test_samples;
            j["test_accuracy"] = ratio(e.test_correct, e.test_samples);
        }
        list.push_back(std::move(j));
    }
    return list;
}

/// Densities: the shares that are not zero.
Json sparsity_json(const TrainState& state) {
    Json j{{"steps", state.activity_steps}, {"layers", Json::array()}};
    for (const ActivityRow& r : state.activity) {
        Json row{{"name", r.name}};
        if (r.inputs != 0) row["input_density"] = ratio(r.nonzero_inputs, r.inputs);
        if (r.updates != 0) row["spike_rate"] = ratio(r.spikes, r.updates);
        row["error_density"] = ratio(r.nonzero_errors, r.errors);
        if (r.derivatives != 0) row["derivative_density"] = ratio(r.nonzero_derivatives, r.derivatives);
        j["layers"].push_back(std::move(row));
    }
    return j;
}

void add(PhaseRecord& a, const PhaseRecord& b) {
    a.cycles += b.cycles, a.busy += b.busy, a.stalled_memory += b.stalled_memory, a.imbalance += b.imbalance;
    for (std::size_t e = 0; e < training::kEvents; ++e) a.counts[e] += b.counts[e];
}

/// Cycles, utilisation, energy by group and every counter that is not zero.
Json phase_json(const PhaseRecord& p, const TrainPrices& prices, std::uint64_t elements) {
    Json j{{"cycles", p.cycles},
           {"energy_pj", prices.energy(p.counts)},
           {"utilisation", ratio(p.busy, p.cycles * elements)},
           {"stalled_memory", p.stalled_memory},
           {"imbalance", p.imbalance}};
    std::array<double, kGroupNames.size()> groups{};
    Json counts = Json::object();
    for (std::size_t e = 0; e < training::kEvents; ++e) {
        const auto event = static_cast<training::Event>(e);
        groups[static_cast<std::size_t>(group_of(event))] +=
            static_cast<double>(p.counts[e]) * prices.price(e);
        if (p.counts[e] != 0) counts[std::string(training::event_name(event))] = p.counts[e];
    }
    Json split = Json::object();
    for (std::size_t g = 0; g < groups.size(); ++g) split[std::string(kGroupNames[g]) + "_pj"] = groups[g];
    j["energy"] = std::move(split);
    j["counts"] = std::move(counts);
    return j;
}

Json phases_json(const std::array<PhaseRecord, training::kPhases>& phases, const TrainPrices& prices,
                 std::uint64_t elements) {
    Json j;
    for (std::size_t p = 0; p < training::kPhases; ++p)
        j[std::string(training::kPhaseNames[p])] = phase_json(phases[p], prices, elements);
    return j;
}

Json memory_json(const training::EngineRecord& r) {
    Json list = Json::array();
    for (const training::MemoryUse& m : r.memory)
        list.push_back({{"name", m.name},
                        {"capacity_bits", m.capacity_bits},
                        {"peak_bits", m.peak_bits},
                        {"spilled_bits", m.spilled_bits}});
    return list;
}

/// Cycles and energy of a whole epoch: simulated, or from the steps that were.
Json epoch_json(const Json& totals, const TrainLength& length, std::uint64_t steps) {
    const double factor = static_cast<double>(length.steps_per_epoch) / static_cast<double>(steps);
    return {{"extrapolated", steps % length.steps_per_epoch != 0},
            {"simulated_steps", steps},
            {"steps", length.steps_per_epoch},
            {"cycles", totals.at("cycles").get<double>() * factor},
            {"time_s", totals.at("time_s").get<double>() * factor},
            {"energy_pj", totals.at("energy").at("total_pj").get<double>() * factor}};
}

void add_engine(Json& j, const arch::TrainingChip& chip, const training::EngineRecord& r,
                const TrainLength& length) {
    const TrainPrices prices(chip);
    std::array<PhaseRecord, training::kPhases> phases{};
    for (const training::LayerRecord& l : r.layers)
        for (std::size_t p = 0; p < training::kPhases; ++p) add(phases[p], l.phases[p]);
    double dynamic = 0;
    for (const PhaseRecord& p : phases) dynamic += prices.energy(p.counts);
    const double leakage = prices.leakage(r.cycles), total = dynamic + leakage;
    const double seconds = static_cast<double>(r.cycles) * chip.clock_period * 1e-12;
    j["cycles"] = r.cycles;
    j["time_s"] = seconds;
    j["energy"] = {{"total_pj", total},
                   {"dynamic_pj", dynamic},
                   {"leakage_pj", leakage},
                   {"per_step_pj", total / static_cast<double>(r.steps)},
                   {"per_sample_pj", total / static_cast<double>(r.samples)}};
    j["epoch"] = epoch_json(j, length, r.steps);
    j["phases"] = phases_json(phases, prices, r.processing_elements);
    j["layers"] = Json::array();
    for (const training::LayerRecord& l : r.layers)
        j["layers"].push_back(
            {{"name", l.name}, {"phases", phases_json(l.phases, prices, r.processing_elements)}});
    j["memory"] = memory_json(r);
}

}  // namespace

Json train_stats(const TrainSpec& spec, Training& training, const TrainState& state,
                 const TrainLength& length) {
    Json j;
    j["schema_version"] = stats::kSchemaVersion;
    j["kind"] = "training";
    j["fidelity"] = training.engine ? "cycle" : "functional";
    j["algorithm"] = spec.train.algorithm;
    j["chip"] = spec.chip ? Json(spec.chip->name) : Json(nullptr);
    j["timesteps"] = spec.train.timesteps;
    j["batch"] = length.batch;
    j["steps"] = state.step;
    j["steps_per_epoch"] = length.steps_per_epoch;
    j["network"] = network_json(training);
    const EpochRow& last = state.epochs.back();
    j["loss"] = last.loss;
    j["accuracy"] = last.test_samples != 0 ? ratio(last.test_correct, last.test_samples)
                                           : ratio(last.correct, last.samples);
    j["epochs"] = epochs_json(state);
    j["sparsity"] = sparsity_json(state);
    if (training.engine) add_engine(j, *spec.chip, state.executed, length);
    return j;
}

std::string steps_csv(const TrainState& state) {
    std::string csv = "step,epoch,samples,loss,accuracy,cycles\n";
    for (std::size_t i = 0; i < state.steps.size(); ++i) {
        const StepRow& s = state.steps[i];
        csv += fmt::format("{},{},{},{},{},{}\n", i, s.epoch, s.samples, s.loss, ratio(s.correct, s.samples),
                           s.cycles);
    }
    return csv;
}

std::string epochs_csv(const TrainState& state) {
    std::string csv = "epoch,steps,loss,accuracy,test_loss,test_accuracy\n";
    for (const EpochRow& e : state.epochs)
        csv += fmt::format("{},{},{},{},{},{}\n", e.epoch, e.steps, e.loss, ratio(e.correct, e.samples),
                           e.test_loss, ratio(e.test_correct, e.test_samples));
    return csv;
}

}  // namespace loom::app
