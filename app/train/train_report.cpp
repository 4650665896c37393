// SPDX-License-Identifier: Apache-2.0
#include "app/train/train_report.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "app/train/train_costs.hpp"
#include "base/json/figures.hpp"
#include "sim/report/report.hpp"

namespace loom::app {
namespace {

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
               {"accuracy", quotient(e.correct, e.samples)}};
        if (e.test_samples != 0) {
            j["test_loss"] = e.test_loss;
            j["test_correct"] = e.test_correct;
            j["test_undecided"] = e.test_undecided;
            j["test_samples"] = e.test_samples;
            j["test_accuracy"] = quotient(e.test_correct, e.test_samples);
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
        if (r.inputs != 0) row["input_density"] = quotient(r.nonzero_inputs, r.inputs);
        if (r.updates != 0) row["spike_rate"] = quotient(r.spikes, r.updates);
        row["error_density"] = quotient(r.nonzero_errors, r.errors);
        if (r.derivatives != 0) row["derivative_density"] = quotient(r.nonzero_derivatives, r.derivatives);
        j["layers"].push_back(std::move(row));
    }
    return j;
}

/// Values that did not fit their number format, and what the formats do to gradients.
Json formats_json(const TrainState& state) {
    Json j{{"rounded", Json::object()}, {"saturated", Json::object()}};
    for (std::size_t r = 0; r < learn::kRoles; ++r) {
        if (state.formats[r].rounded == 0) continue;
        j["rounded"][std::string(learn::kRoleNames[r])] = state.formats[r].rounded;
        j["saturated"][std::string(learn::kRoleNames[r])] = state.formats[r].saturated;
    }
    j["gradient_error"] = state.gradient_error;
    return j;
}

/// Weights in cells: how they were multiplied, what the converters clipped, how far the cells are used.
Json arrays_json(Training& t, const TrainState& state) {
    const arch::CimProducts how = t.target->cells()->training.arithmetic;
    Json j{{"arithmetic", how == arch::CimProducts::Converters ? "converters" : "float32"},
           {"layers", Json::array()}};
    learn::Network& network = t.trainer->network();
    for (const learn::Network::Node& node : network.nodes()) {
        if (!t.cells->cells(network, *node.layer)) continue;
        const learn::PulseUpdate::Wear wear = t.cells->wear(network, *node.layer);
        Json row{
            {"name", node.layer->name}, {"most_pulses", wear.most_pulses}, {"stuck_cells", wear.stuck_cells}};
        const auto codes = std::ranges::find(state.arrays, node.layer->name, &ArrayRow::name);
        if (codes != state.arrays.end()) {
            row["forward"] = {{"codes", codes->forward_codes}, {"clipped", codes->forward_clipped}};
            row["backward"] = {{"codes", codes->backward_codes}, {"clipped", codes->backward_clipped}};
        }
        j["layers"].push_back(std::move(row));
    }
    return j;
}

}  // namespace

Json train_stats(const TrainSpec& spec, Training& training, const TrainState& state,
                 const TrainLength& length) {
    Json j;
    j["schema_version"] = stats::kSchemaVersion;
    j["kind"] = "training";
    j["fidelity"] = training.engine ? "cycle" : "functional";
    j["algorithm"] = spec.train.algorithm.algorithm;
    j["chip"] = training.target ? Json(training.target->name()) : Json(nullptr);
    j["timesteps"] = spec.train.timesteps;
    j["batch"] = length.batch;
    j["steps"] = state.step;
    j["steps_per_epoch"] = length.steps_per_epoch;
    j["network"] = network_json(training);
    const EpochRow& last = state.epochs.back();
    j["loss"] = last.loss;
    j["accuracy"] = last.test_samples != 0 ? quotient(last.test_correct, last.test_samples)
                                           : quotient(last.correct, last.samples);
    j["epochs"] = epochs_json(state);
    j["sparsity"] = sparsity_json(state);
    if (training.formats) j["formats"] = formats_json(state);
    if (training.cells != nullptr) j["training_arrays"] = arrays_json(training, state);
    if (training.engine) {
        add_costs(j, *training.target, *training.engine, length);
        add_ann(j, state.ann);
    }
    j["estimate"] = state.estimate;
    return j;
}

std::string steps_csv(const TrainState& state) {
    std::string csv = "step,epoch,samples,loss,accuracy,cycles\n";
    for (std::size_t i = 0; i < state.steps.size(); ++i) {
        const StepRow& s = state.steps[i];
        csv += fmt::format("{},{},{},{},{},{}\n", i, s.epoch, s.samples, s.loss, figure_csv(quotient(s.correct, s.samples)),
                           s.cycles);
    }
    return csv;
}

std::string epochs_csv(const TrainState& state) {
    std::string csv = "epoch,steps,loss,accuracy,test_loss,test_accuracy\n";
    for (const EpochRow& e : state.epochs)
        csv += fmt::format("{},{},{},{},{},{}\n", e.epoch, e.steps, e.loss, figure_csv(quotient(e.correct, e.samples)),
                           e.test_samples == 0 ? "" : fmt::format("{}", e.test_loss), figure_csv(quotient(e.test_correct, e.test_samples)));
    return csv;
}

}  // namespace loom::app
