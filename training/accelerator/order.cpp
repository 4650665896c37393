// SPDX-License-Identifier: Apache-2.0
#include "training/accelerator/order.hpp"

#include <algorithm>
#include <map>

namespace loom::training {
namespace {

using arch::GradientRule;
using arch::KeepRule;
using arch::LoopOrder;
using arch::WorkKind;

/// Samples and timesteps that go forward, then backward. BPTT: all timesteps of a block; without errors
/// through time each timestep by itself.
struct Round {
    std::uint32_t t0, t1, b0, b1;
};

class Orderer {
  public:
    Orderer(const Setup& setup, UnitPlan units, std::size_t block)
        : setup_(setup),
          work_(setup.work),
          units_(units),
          order_(setup.recurrent()              ? LoopOrder::Time
                 : setup.statistics_steps() > 1 ? LoopOrder::Layer
                                                : setup.chip.schedule.order) {
        const auto steps = static_cast<std::uint32_t>(work_.steps);
        for (std::uint32_t t = 0; t < (work_.temporal ? 1 : steps); ++t)
            for (std::size_t b = 0; b < work_.batch; b += block)
                rounds_.push_back({work_.temporal ? 0 : t, work_.temporal ? steps : t + 1,
                                   static_cast<std::uint32_t>(b),
                                   static_cast<std::uint32_t>(std::min(work_.batch, b + block))});
    }

    std::vector<Segment> run() {
        std::size_t blocks = 0;
        for (const Round& r : rounds_) blocks += r.t0 == rounds_[0].t0 ? 1U : 0U;
        const bool often = !work_.temporal && work_.updates > 1;  // an update after every timestep
        const bool ahead = units_ == UnitPlan::Three && !often;
        for (std::size_t r = 0; r < rounds_.size(); ++r) {
            if (!ahead || r == 0) forward(r);
            if (ahead && r + 1 < rounds_.size()) forward(r + 1);
            backward(r);
            if (often && (r + 1) % blocks == 0) update();
        }
        if (!often) update();
        return std::move(out_);
    }
    std::size_t tokens() const { return tokens_; }

  private:
    std::uint32_t items() const { return static_cast<std::uint32_t>(work_.items.size()); }
    bool three() const { return units_ == UnitPlan::Three; }
    Segment& add(Kind kind, Phase phase, std::uint32_t item, std::uint32_t t0, std::uint32_t t1,
                 const Round& r) {
        Segment s;
        s.kind = kind;
        s.phase = phase;
        s.item = item;
        s.t0 = t0, s.t1 = t1, s.b0 = r.b0, s.b1 = r.b1;
        if (three()) s.unit = phase == Phase::Forward ? 0 : phase == Phase::Backward ? 1 : 2;
        out_.push_back(s);
        return out_.back();
    }
    std::uint32_t give(Segment& s) {
        if (!three()) return kNoToken;
        if (s.gives == kNoToken) s.gives = tokens_++;
        return s.gives;
    }

    void forward(std::size_t number) {
        const Round& r = rounds_[number];
        const std::size_t first = out_.size();
        const auto one = [&](std::uint32_t i, std::uint32_t t) {
            if (setup_.is_wiring(i)) return;
            static constexpr Kind kinds[]{Kind::LinearForward, Kind::NeuronForward, Kind::ElementForward};
            add(kinds[static_cast<std::size_t>(work_.items[i].kind)], Phase::Forward, i, t, t + 1, r);
        };
        if (order_ == LoopOrder::Time)
            for (std::uint32_t t = r.t0; t < r.t1; ++t)
                for (std::uint32_t i = 0; i < items(); ++i) one(i, t);
        else
            for (std::uint32_t i = 0; i < items(); ++i)
                for (std::uint32_t t = r.t0; t < r.t1; ++t) one(i, t);
        if (!three()) return;
        if (number >= 2)
            out_[first].waits = {backward_done_[number - 2], gradients_done_[number - 2], kNoToken};
        if (updated_ != kNoToken) out_[first].waits[2] = updated_;
        forward_done_.push_back(give(out_.back()));
    }

    void backward(std::size_t number) {
        const Round& r = rounds_[number];
        const std::size_t first = out_.size();
        ready_.clear();
        if (order_ == LoopOrder::Time) {
            for (std::uint32_t t = r.t1; t-- > r.t0;)
                for (std::uint32_t i = items(); i-- > 0;) {
                    errors(i, t, r);
                    if (setup_.chip.schedule.gradients == GradientRule::EachTimestep)
                        gradient(i, t, t + 1, r);
                }
            if (setup_.chip.schedule.gradients == GradientRule::AtEnd)
                for (std::uint32_t i = items(); i-- > 0;) gradient(i, r.t0, r.t1, r);
        } else {
            for (std::uint32_t i = items(); i-- > 0;) {
                if (setup_.chip.schedule.keep == KeepRule::Recompute &&
                    work_.items[i].kind == WorkKind::Neuron)
                    again(i, r);
                for (std::uint32_t t = r.t1; t-- > r.t0;) errors(i, t, r);
                if (setup_.chip.schedule.gradients == GradientRule::EachTimestep)
                    for (std::uint32_t t = r.t1; t-- > r.t0;) gradient(i, t, t + 1, r);
                else
                    gradient(i, r.t0, r.t1, r);
            }
        }
        if (!three()) return;
        std::size_t last_error = first, last_gradient = out_.size();
        for (std::size_t i = first; i < out_.size(); ++i)
            (out_[i].unit == 1 ? last_error : last_gradient) = i;
        for (std::size_t i = first; i < out_.size(); ++i)
            if (out_[i].unit == 1) {
                out_[i].waits[0] = forward_done_[number];
                break;
            }
        backward_done_.push_back(give(out_[last_error]));
        gradients_done_.push_back(last_gradient < out_.size() ? give(out_[last_gradient]) : kNoToken);
    }
    void errors(std::uint32_t i, std::uint32_t t, const Round& r) {
        switch (work_.items[i].kind) {
            case WorkKind::Neuron:
                ready_[{i, t}] = give(add(Kind::NeuronBackward, Phase::Backward, i, t, t + 1, r));
                break;
            case WorkKind::Element:
                if (below_trains(i) && !setup_.is_wiring(i))
                    ready_[{i, t}] = give(add(Kind::ElementBackward, Phase::Backward, i, t, t + 1, r));
                break;
            case WorkKind::Linear:
                if (setup_.linear(i).sends_error) add(Kind::ErrorBackward, Phase::Backward, i, t, t + 1, r);
        }
    }
    bool below_trains(std::uint32_t item) const {
        for (const std::uint32_t s : work_.items[item].sources)
            if (s != UINT32_MAX && (setup_.parameters(s) != 0 || below_trains(s))) return true;
        return false;
    }
    void gradient(std::uint32_t i, std::uint32_t t0, std::uint32_t t1, const Round& r) {
        if (work_.items[i].kind != WorkKind::Linear) return;
        if (work_.traces)
            for (std::uint32_t t = t0; t < t1; ++t) add(Kind::Trace, Phase::WeightGradient, i, t, t + 1, r);
        Segment& s = add(Kind::Gradient, Phase::WeightGradient, i, t0, t1, r);
        s.adds_to_gradient = !started_.insert({i, true}).second;
        if (!three()) return;
        for (const std::uint32_t u : setup_.links[i].users)  // its error is there
            if (const auto at = ready_.find({u, t0}); at != ready_.end()) s.waits[0] = at->second;
    }
    /// Forward again for the membranes of a population, from the spikes that were kept.
    void again(std::uint32_t neurons, const Round& r) {
        std::vector<std::uint32_t> chain{neurons};
        for (std::size_t at = 0; at < chain.size(); ++at)
            for (const std::uint32_t s : work_.items[chain[at]].sources)
                if (s != UINT32_MAX && work_.items[s].kind != WorkKind::Neuron) chain.push_back(s);
        std::sort(chain.begin(), chain.end());
        chain.erase(std::unique(chain.begin(), chain.end()), chain.end());
        for (std::uint32_t t = r.t0; t < r.t1; ++t)
            for (const std::uint32_t i : chain) {
                if (setup_.is_wiring(i)) continue;
                static constexpr Kind kinds[]{Kind::LinearForward, Kind::NeuronForward, Kind::ElementForward};
                add(kinds[static_cast<std::size_t>(work_.items[i].kind)], Phase::Backward, i, t, t + 1, r)
                    .again = true;
            }
    }
    void update() {
        const Round all{0, 1, 0, static_cast<std::uint32_t>(work_.batch)};
        bool first = true;
        for (std::uint32_t i = 0; i < items(); ++i) {
            if (setup_.parameters(i) == 0) continue;
            Segment& s = add(Kind::Update, Phase::WeightUpdate, i, 0, 1, all);
            if (first && three()) s.waits = {backward_done_.back(), forward_done_.back(), kNoToken};
            first = false;
        }
        for (std::uint32_t i = 0; i < items(); ++i)
            if (work_.items[i].kind == WorkKind::Linear && setup_.group(setup_.linear(i)) > 1)
                add(Kind::Tables, Phase::WeightUpdate, i, 0, 1, all);
        if (!first) updated_ = give(out_.back());
        started_.clear();
    }

    const Setup& setup_;
    const arch::TrainingWork& work_;
    UnitPlan units_;
    LoopOrder order_;  ///< what comes back in the next timestep, and statistics over time, leave only one
    std::vector<Round> rounds_;
    std::vector<Segment> out_;
    std::map<std::uint32_t, bool> started_;  ///< layers with a gradient so far
    std::map<std::pair<std::uint32_t, std::uint32_t>, std::uint32_t> ready_;  ///< errors of (item, t)
    std::vector<std::uint32_t> forward_done_, backward_done_, gradients_done_;
    std::uint32_t tokens_ = 0, updated_ = kNoToken;
};

}  // namespace

std::vector<Segment> order_segments(const Setup& setup, UnitPlan units, std::size_t block,
                                    std::size_t& tokens) {
    Orderer orderer(setup, units, block);
    std::vector<Segment> segments = orderer.run();
    tokens = orderer.tokens();
    return segments;
}

}  // namespace loom::training
