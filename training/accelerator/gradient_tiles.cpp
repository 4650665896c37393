// SPDX-License-Identifier: Apache-2.0
// Weight gradients: every processing element sums a few kernel elements over all places (timestep, sample,
// output position). With both sparsities it steps through the places where a spike and an error meet.
#include <algorithm>

#include "training/accelerator/tiles.hpp"

namespace loom::training {
namespace {

using arch::ZeroRule;

class GradientTiler {
  public:
    /// Of the channels of one group.
    GradientTiler(const Setup& setup, const arch::TrainingArraySpec& array, const Segment& s,
                  std::size_t channel_group)
        : setup_(setup),
          array_(array),
          s_(s),
          w_(setup.linear(s.item)),
          maps_(setup.forward[setup.work.items[s.item].index]),
          in_(ChannelRange::inputs(w_.shape, channel_group)),
          out_(ChannelRange::outputs(w_.shape, channel_group)),
          taps_(w_.shape.window.taps()),
          rows_(taps_ * in_.count),
          places_((s.t1 - s.t0) * s.samples() * maps_.positions()),
          group_(setup.group(w_)),
          inputs_(setup.work.traces && !w_.trace.empty() ? std::vector{&w_.trace} : setup.signals(w_)),
          spikes_(inputs_.size(), Places(rows_, places_)),
          errors_(out_.count, places_),
          valid_(taps_, places_) {
        gather();
        for (std::size_t k = 0; k < out_.count; ++k) error_words_.push_back(errors_.ones(k));
        if (group_ > 1) {
            for (Places& plane : spikes_) plane.fold(group_);
            errors_.fold(group_);
            valid_.fold(group_);
        }
        spike_ones_.resize(rows_);
        for (const Places& plane : spikes_)
            for (std::size_t r = 0; r < rows_; ++r) spike_ones_[r] += plane.ones(r);
        for (std::size_t t = 0; t < taps_; ++t) valid_ones_.push_back(valid_.ones(t));
    }

    void make(std::vector<Task>& tasks) {
        const std::size_t tile_rows = array_.rows * array_.accumulators;
        for (std::size_t k = 0; k < out_.count; k += array_.columns)
            for (std::size_t r = 0; r < rows_; r += tile_rows)
                tile(r, std::min(rows_, r + tile_rows), k,
                     std::min<std::size_t>(out_.count, k + array_.columns), tasks);
    }
    /// Additions that the gradient of the biases takes.
    std::uint64_t bias_adds() const {
        const bool dense = setup_.chip.sparsity.errors == ZeroRule::Dense;
        std::uint64_t adds = 0;
        for (const std::uint64_t n : error_words_) adds += dense ? places_ : n;
        return adds;
    }
    void bias(std::uint64_t adds, std::vector<Task>& tasks) const {
        Task t;
        t.compute = ceil_div(adds, array_.elements()) + array_.tile_cycles;
        t.busy = adds;
        t.count(&TrainingCounters::add, adds);
        setup_.read(t, Tensor::Errors, &TrainingCounters::error_read, adds, setup_.chip.bits.error);
        store(t, w_.shape.out_c);
        tasks.push_back(t);
    }

  private:
    void gather() {
        const std::size_t pixels = w_.shape.in_h * w_.shape.in_w, positions = maps_.positions();
        std::size_t place = 0;
        for (std::size_t t = s_.t0; t < s_.t1; ++t)
            for (std::size_t b = s_.b0; b < s_.b1; ++b, place += positions) {
                const Pixels g({&w_.error}, t, b, b + 1, positions, out_);
                for (std::size_t p = 0; p < positions; ++p) {
                    each_bit(g.words(p), [&](std::size_t k) { errors_.set(k, place + p); });
                    for (const Neighbours::Entry& e : maps_.of(p)) valid_.set(e.tap, place + p);
                }
                for (std::size_t plane = 0; plane < inputs_.size(); ++plane) {
                    const Pixels x({inputs_[plane]}, t, b, b + 1, pixels, in_);
                    for (std::size_t p = 0; p < positions; ++p)
                        for (const Neighbours::Entry& e : maps_.of(p))
                            each_bit(x.words(e.position), [&](std::size_t c) {
                                spikes_[plane].set(e.tap * in_.count + c, place + p);
                            });
                }
            }
    }
    template <class F>
    static void each_bit(std::span<const std::uint64_t> words, F f) {
        for (std::size_t i = 0; i < words.size(); ++i)
            for (std::uint64_t w = words[i]; w != 0; w &= w - 1)
                f(i * 64 + static_cast<std::size_t>(std::countr_zero(w)));
    }
    /// Places of element (r, k) when zero spikes and/or zero errors are left out.
    std::uint64_t met(std::size_t r, std::size_t k, bool spikes, bool errors) const {
        if (spikes && errors) {
            std::uint64_t n = 0;
            for (const Places& plane : spikes_) n += plane.pairs(r, errors_, k);
            return n;
        }
        if (spikes) return spike_ones_[r];
        const std::size_t tap = r / in_.count;
        return spikes_.size() * (errors ? valid_.pairs(tap, errors_, k) : valid_ones_[tap]);
    }

    void tile(std::size_t r0, std::size_t r1, std::size_t k0, std::size_t k1, std::vector<Task>& tasks) {
        const arch::SparsityRules& rules = setup_.chip.sparsity;
        const bool skip_s = rules.spikes == ZeroRule::Skip, skip_g = rules.errors == ZeroRule::Skip;
        const bool use_s = rules.spikes != ZeroRule::Dense, use_g = rules.errors != ZeroRule::Dense;
        std::uint64_t all = 0, operations = 0, busiest = 0, words = 0;
        for (std::size_t k = k0; k < k1; ++k) {
            words += skip_g ? error_words_[k] : places_;
            for (std::size_t row = 0; row < array_.rows; ++row) {
                std::uint64_t cycles = 0;
                for (std::size_t r = r0 + row; r < r1; r += array_.rows) {
                    const std::uint64_t n = met(r, k, skip_s, skip_g);
                    cycles += n;
                    operations += use_s == skip_s && use_g == skip_g ? n : met(r, k, use_s, use_g);
                }
                all += cycles;
                busiest = std::max(busiest, cycles);
            }
        }
        Task t;
        const bool binary = setup_.binary(w_) && !setup_.work.traces && !setup_.chip.multiplies_spikes;
        t.compute = busiest + array_.tile_cycles;
        t.busy = operations;
        t.gated = all - operations;
        t.count(binary ? &TrainingCounters::ac : &TrainingCounters::mac, operations);
        t.count(&TrainingCounters::gated, t.gated);
        t.count(&TrainingCounters::pad_write, words * array_.rows);
        if (group_ > 1)
            tables(t, k0, k1, operations);
        else
            t.count(&TrainingCounters::pad_read, operations);
        const std::uint64_t value = setup_.work.traces ? setup_.chip.bits.membrane : setup_.input_bits(w_);
        setup_.read(t, Tensor::Spikes, &TrainingCounters::spike_read,
                    places_ * (r1 - r0) * value * inputs_.size(), 1);
        setup_.read(t, Tensor::Errors, &TrainingCounters::error_read, words, setup_.chip.bits.error);
        store(t, (r1 - r0) * (k1 - k0));
        tasks.push_back(t);
    }
    /// Partial sums of the errors of neighbouring places, addressed by spikes; made anew for every tile by
    /// all rows together.
    void tables(Task& t, std::size_t k0, std::size_t k1, std::uint64_t operations) const {
        std::uint64_t groups = 0;
        for (std::size_t k = k0; k < k1; ++k)
            groups +=
                setup_.chip.sparsity.errors == ZeroRule::Skip ? errors_.ones(k) : ceil_div(places_, group_);
        const std::uint64_t entries = std::uint64_t{1} << group_, sums = entries - group_ - 1;
        const std::uint64_t elements = array_.rows * (k1 - k0);
        t.compute += ceil_div(groups * sums, elements);
        t.busy += groups * sums;
        t.count(&TrainingCounters::add, groups * sums);
        t.count(&TrainingCounters::lut_write, groups * entries);
        t.count(&TrainingCounters::lut_read, operations);
    }
    void store(Task& t, std::uint64_t n) const {
        if (s_.adds_to_gradient)
            setup_.read(t, Tensor::Gradients, &TrainingCounters::gradient_read, n, setup_.chip.bits.gradient);
        setup_.write(t, Tensor::Gradients, &TrainingCounters::gradient_write, n, setup_.chip.bits.gradient);
    }

    const Setup& setup_;
    const arch::TrainingArraySpec& array_;
    const Segment& s_;
    const arch::LinearWork& w_;
    const Neighbours& maps_;
    ChannelRange in_, out_;
    std::size_t taps_, rows_, places_, group_;
    std::vector<const arch::BitSignal*> inputs_;
    std::vector<Places> spikes_;  ///< by plane of the input
    Places errors_, valid_;
    std::vector<std::uint64_t> spike_ones_, valid_ones_, error_words_;
};

}  // namespace

void gradient_tiles(const Setup& setup, const arch::TrainingArraySpec& array, const Segment& segment,
                    std::vector<Task>& tasks) {
    const arch::LinearWork& w = setup.linear(segment.item);
    std::uint64_t bias_adds = 0;
    for (std::size_t g = 0; g < w.shape.groups; ++g) {
        GradientTiler tiler(setup, array, segment, g);
        tiler.make(tasks);
        bias_adds += tiler.bias_adds();
        if (w.bias && g + 1 == w.shape.groups) tiler.bias(bias_adds, tasks);
    }
}

}  // namespace loom::training
