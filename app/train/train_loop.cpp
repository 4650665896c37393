// SPDX-License-Identifier: Apache-2.0
#include "app/train/train_loop.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>

#include "app/progress.hpp"
#include "app/train/train_estimate.hpp"
#include "app/train/train_estimate_work.hpp"
#include "app/train/train_report.hpp"
#include "base/error.hpp"
#include "base/json/figures.hpp"
#include "training/learn/gradient_error.hpp"
#include "training/learn/work_recorder.hpp"

namespace loom::app {
namespace {

/// SATA_Sim's formula for the densities of a step; null for layers that it does not know.
Json estimate_of(const TrainSpec& spec, const arch::TrainingWork& work) {
    train_estimate::SataSetting setting;
    setting.variant = train_estimate::Variant::Corrected;
    setting.bits = 16;
    if (spec.estimate) setting = spec.estimate->setting;
    setting.timesteps = spec.train.timesteps;
    setting.batch = spec.train.batch;
    try {
        const MeasuredLayers measured = measured_layers(work);
        return train_estimate_json(measured.layers, measured.activity, setting);
    } catch (const UnsupportedError&) {
        return nullptr;
    }
}

class Loop {
  public:
    Loop(Training& t, const TrainSpec& spec, TrainState& state, const TrainHooks& hooks)
        : t_(t),
          spec_(spec),
          state_(state),
          hooks_(hooks),
          length_(length_of(spec, *t.data)),
          cycles_before_(state.executed.cycles) {
        if (t_.engine) t_.engine->resume(state.executed);
        if (hooks_.dump && t_.trainer->schedule().online) signals_.emplace(*t_.trainer);
        state.restore_arrays(t_.trainer->network());
    }

    void run() {
        Progress progress("training", length_.steps, hooks_.quiet);
        progress.start_from(state_.step);
        const std::uint64_t resumed = cycles_before_;
        while (state_.step < length_.steps) {
            one_step();
            progress.update(state_.step, cycles_before_ - resumed);
        }
        progress.finish();
    }

  private:
    void one_step() {
        const std::uint64_t step = state_.step, epoch = step / length_.steps_per_epoch;
        const std::uint64_t at = step % length_.steps_per_epoch;
        if (at == 0 || order_.empty()) order_ = t_.data->order(epoch);
        const std::size_t first = at * length_.batch;
        const std::size_t count = std::min<std::size_t>(length_.batch, order_.size() - first);
        t_.data->batch(std::span(order_).subspan(first, count), epoch, input_, labels_);
        const bool last = step + 1 == length_.steps;
        const learn::StepResult result = step_and_execute(step, epoch, last);
        note(result, epoch, at == 0, count);
        if (hooks_.dump) hooks_.dump(step, signals_ ? &*signals_ : nullptr);
        if (last && t_.formats) state_.gradient_error = gradient_error_json();
        const bool epoch_ends = at + 1 == length_.steps_per_epoch;
        if (epoch_ends || last) test();
        ++state_.step;
        const std::uint64_t every = spec_.train.checkpoint;
        const bool due = epoch_ends || last || (every != 0 && state_.step % every == 0);
        if (due && t_.engine) state_.executed = t_.engine->record();
        if (due) state_.take_arrays(t_.trainer->network());
        if (due && hooks_.checkpoint) hooks_.checkpoint();
    }

    /// The engine executes the step; without one, the zeros of the last step are counted.
    learn::StepResult step_and_execute(std::uint64_t step, std::uint64_t epoch, bool last) {
        std::optional<learn::WorkRecorder> recorder;
        if (t_.engine || last) recorder.emplace(*t_.trainer, t_.engine != nullptr);
        if (signals_) signals_->clear();
        if (t_.formats) t_.formats->clear_counts();
        t_.trainer->progress = static_cast<double>(step) / static_cast<double>(length_.steps);
        learn::StepResult result;
        try {
            result = t_.trainer->step(input_, labels_);
        } catch (const ModelError&) {
            result.loss = std::nan("");
        }
        check(result, step, epoch);
        if (t_.formats) state_.add_format_counts(*t_.formats);
        if (!recorder) return result;
        arch::TrainingWork work = recorder->take();
        if (!t_.engine) state_.activity.clear(), state_.activity_steps = 0;
        state_.add_activity(work);
        if (last && !work.items.empty()) state_.estimate = estimate_of(spec_, work);
        if (!t_.engine) return result;
        t_.engine->execute(work);
        if (last) state_.ann = ann_step(*t_.target, work);
        return result;
    }

    /// What the formats do to the gradients of the last minibatch, at the weights after it.
    Json gradient_error_json() {
        Json list = Json::array();
        for (const learn::GradientError& e : learn::gradient_error(*t_.trainer, input_, labels_))
            list.push_back({{"layer", e.layer},
                            {"parameter", e.parameter},
                            {"largest", finite_or_null(e.largest)},
                            {"relative", finite_or_null(e.relative)},
                            {"cosine", finite_or_null(e.cosine)}});
        return list;
    }

    void note(const learn::StepResult& result, std::uint64_t epoch, bool first, std::size_t count) {
        const std::uint64_t all = t_.engine ? t_.engine->record().cycles : 0, cycles = all - cycles_before_;
        cycles_before_ = all;
        state_.steps.push_back({epoch, count, result.correct, cycles, result.loss});
        if (first || state_.epochs.empty()) state_.epochs.push_back({.epoch = epoch});
        EpochRow& row = state_.epochs.back();
        row.loss =
            (row.loss * static_cast<double>(row.steps) + result.loss) / static_cast<double>(row.steps + 1);
        row.steps += 1;
        row.samples += count;
        row.correct += result.correct;
    }

    void check(const learn::StepResult& result, std::uint64_t step, std::uint64_t epoch) {
        const bool finite = std::isfinite(result.loss) && all_finite(t_.trainer->network());
        if (finite && result.loss <= spec_.train.loss_limit) return;
        const std::string where = first_not_finite(t_.trainer->network());
        const std::string what = where.empty() ? fmt::format("the loss is {}, above train.loss_limit {}",
                                                             result.loss, spec_.train.loss_limit)
                                               : "the first value that is not finite is in " + where;
        throw ModelError(
            fmt::format("training diverged in step {} (epoch {}): {}; a smaller learning rate may help", step,
                        epoch, what));
    }

    void test() {
        EpochRow& row = state_.epochs.back();
        row.test_samples = t_.data->test_samples();
        row.test_correct = row.test_undecided = 0;
        double loss = 0;
        for (std::size_t first = 0; first < row.test_samples; first += length_.batch) {
            const std::size_t count = std::min<std::size_t>(length_.batch, row.test_samples - first);
            t_.data->test_batch(first, count, input_, labels_);
            t_.trainer->first_sample = first;
            const learn::StepResult r = t_.trainer->evaluate(input_, labels_);
            row.test_correct += r.correct, row.test_undecided += r.undecided;
            loss += r.loss * static_cast<double>(count);
        }
        t_.trainer->first_sample = 0;
        if (row.test_samples != 0) row.test_loss = loss / static_cast<double>(row.test_samples);
    }

    Training& t_;
    const TrainSpec& spec_;
    TrainState& state_;
    const TrainHooks& hooks_;
    TrainLength length_;
    std::uint64_t cycles_before_ = 0;  ///< the step
    std::optional<learn::SignalRecorder> signals_;
    std::vector<std::uint32_t> order_;
    learn::Signal input_;
    std::vector<std::int64_t> labels_;
};

}  // namespace

TrainLength length_of(const TrainSpec& spec, const TrainData& data) {
    TrainLength l;
    l.batch = spec.train.batch;
    l.samples = data.samples();
    l.drop_last = spec.data.drop_last;
    l.steps_per_epoch = l.drop_last ? l.samples / l.batch : (l.samples + l.batch - 1) / l.batch;
    l.steps = spec.train.steps != 0 ? spec.train.steps : spec.train.epochs * l.steps_per_epoch;
    return l;
}

void run_training(Training& training, const TrainSpec& spec, TrainState& state, const TrainHooks& hooks) {
    Loop(training, spec, state, hooks).run();
}

}  // namespace loom::app
