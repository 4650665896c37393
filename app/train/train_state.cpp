// SPDX-License-Identifier: Apache-2.0
#include "app/train/train_state.hpp"

#include <concepts>

namespace loom::app {
namespace {


using Work = arch::TrainingWork;

std::uint64_t size_of(const arch::BitSignal& s) {
    return s.steps() * s.batch() * s.count();
}

ActivityRow row_of(const arch::LinearWork& w) {
    ActivityRow r{w.name, "linear"};
    r.inputs = size_of(w.input), r.nonzero_inputs = w.input.ones();
    r.errors = size_of(w.error), r.nonzero_errors = w.error.ones();
    return r;
}

ActivityRow row_of(const arch::NeuronWork& w) {
    ActivityRow r{w.name, "neurons"};
    r.errors = size_of(w.error), r.nonzero_errors = w.error.ones();
    r.derivatives = size_of(w.derivative), r.nonzero_derivatives = w.derivative.ones();
    r.spikes = w.spikes.ones(), r.updates = size_of(w.spikes);
    return r;
}

/// T or const T.
template <class Row, class T>
concept Of = std::same_as<std::remove_const_t<Row>, T>;

/// Calls f(name, member) for the counters of a row; one list for adding, writing and reading.
template <class Row, class F>
void each_count(Row& r, F f) {
    f("inputs", r.inputs), f("nonzero_inputs", r.nonzero_inputs);
    f("errors", r.errors), f("nonzero_errors", r.nonzero_errors);
    f("derivatives", r.derivatives), f("nonzero_derivatives", r.nonzero_derivatives);
    f("spikes", r.spikes), f("updates", r.updates);
}
template <class F>
void each_member(Of<StepRow> auto& r, F f) {
    f("epoch", r.epoch), f("samples", r.samples), f("correct", r.correct), f("cycles", r.cycles);
    f("loss", r.loss);
}
template <class F>
void each_member(Of<EpochRow> auto& r, F f) {
    f("epoch", r.epoch), f("steps", r.steps), f("samples", r.samples), f("correct", r.correct);
    f("loss", r.loss), f("test_samples", r.test_samples), f("test_correct", r.test_correct),
        f("test_undecided", r.test_undecided);
    f("test_loss", r.test_loss);
}
template <class F>
void each_member(Of<ActivityRow> auto& r, F f) {
    f("name", r.name), f("kind", r.kind);
    each_count(r, f);
}

template <class F>
void each_member(Of<ArrayRow> auto& r, F f) {
    f("name", r.name), f("forward_codes", r.forward_codes), f("forward_clipped", r.forward_clipped);
    f("backward_codes", r.backward_codes), f("backward_clipped", r.backward_clipped);
}

template <class Row>
Json rows_json(const std::vector<Row>& rows) {
    Json list = Json::array();
    for (const Row& r : rows) {
        Json j;
        each_member(r, [&](const char* name, const auto& v) { j[name] = v; });
        list.push_back(std::move(j));
    }
    return list;
}
template <class Row>
std::vector<Row> rows_from(const Json& list) {
    std::vector<Row> rows;
    for (const Json& j : list) {
        Row r;
        each_member(r, [&](const char* name, auto& v) { j.at(name).get_to(v); });
        rows.push_back(std::move(r));
    }
    return rows;
}

}  // namespace

void TrainState::add_activity(const Work& work) {
    std::vector<ActivityRow> rows;
    for (const arch::WorkItem& item : work.items) {
        if (item.kind == arch::WorkKind::Linear) rows.push_back(row_of(work.linear[item.index]));
        if (item.kind == arch::WorkKind::Neuron) rows.push_back(row_of(work.neurons[item.index]));
    }
    ++activity_steps;
    if (activity.empty()) {
        activity = std::move(rows);
        return;
    }
    for (std::size_t i = 0; i < rows.size(); ++i) {
        std::vector<std::uint64_t> add;
        each_count(rows[i], [&](const char*, std::uint64_t v) { add.push_back(v); });
        std::size_t k = 0;
        each_count(activity[i], [&](const char*, std::uint64_t& v) { v += add[k++]; });
    }
}

void TrainState::add_format_counts(const learn::CountedFormats& of_step) {
    for (std::size_t r = 0; r < formats.size(); ++r) {
        const auto& counts = of_step.counts(static_cast<learn::Role>(r));
        formats[r].rounded += counts.rounded;
        formats[r].saturated += counts.saturated;
    }
}

void TrainState::take_arrays(const learn::Network& network) {
    arrays.clear();
    network.each_arithmetic([&](const learn::LinearLayer& layer) {
        const learn::CodeCounts &f = layer.arithmetic->forward_codes, &b = layer.arithmetic->backward_codes;
        arrays.push_back({layer.name, f.codes, f.clipped, b.codes, b.clipped});
    });
}

void TrainState::restore_arrays(learn::Network& network) const {
    network.each_arithmetic([&](learn::LinearLayer& layer) {
        const auto r = std::ranges::find(arrays, layer.name, &ArrayRow::name);
        if (r == arrays.end()) return;
        layer.arithmetic->forward_codes = {r->forward_codes, r->forward_clipped};
        layer.arithmetic->backward_codes = {r->backward_codes, r->backward_clipped};
    });
}

Json TrainState::to_json() const {
    Json j;
    j["step"] = step;
    j["steps"] = rows_json(steps);
    j["epochs"] = rows_json(epochs);
    j["activity_steps"] = activity_steps;
    j["activity"] = rows_json(activity);
    j["formats"] = Json::array();
    for (const auto& counts : formats) j["formats"].push_back({counts.rounded, counts.saturated});
    j["gradient_error"] = gradient_error;
    j["arrays"] = rows_json(arrays);
    j["estimate"] = estimate;
    j["ann"] = ann;
    return j;
}

TrainState TrainState::from_json(const Json& j) {
    TrainState s;
    j.at("step").get_to(s.step);
    s.steps = rows_from<StepRow>(j.at("steps"));
    s.epochs = rows_from<EpochRow>(j.at("epochs"));
    j.at("activity_steps").get_to(s.activity_steps);
    s.activity = rows_from<ActivityRow>(j.at("activity"));
    for (std::size_t r = 0; r < s.formats.size(); ++r) {
        j.at("formats").at(r).at(0).get_to(s.formats[r].rounded);
        j.at("formats").at(r).at(1).get_to(s.formats[r].saturated);
    }
    s.gradient_error = j.at("gradient_error");
    s.arrays = rows_from<ArrayRow>(j.at("arrays"));
    s.estimate = j.at("estimate");
    s.ann = j.at("ann");
    return s;
}

}  // namespace loom::app
