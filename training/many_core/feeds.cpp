// SPDX-License-Identifier: Apache-2.0
#include "training/many_core/feeds.hpp"

#include <algorithm>
#include <functional>

#include "base/error.hpp"

namespace loom::training {
namespace {

using arch::NetworkLayout;
using arch::WorkKind;
constexpr std::uint32_t kInput = UINT32_MAX;

/// Walks the items against the flow.
class FeedFinder {
  public:
    FeedFinder(const NetworkLayout& work, Placement& placement)
        : work_(work), p_(placement), taken_(work.elements.size()), fed_(work.linear.size()) {
        p_.populations.resize(work.neurons.size());
        if (p_.populations.empty())
            throw UnsupportedError("training on many cores: a network without neurons");
        for (const arch::WorkItem& item : work.items)
            if (item.kind == WorkKind::Neuron) find_population(item);
        for (std::size_t l = 0; l < fed_.size(); ++l)
            if (!fed_[l])
                throw UnsupportedError("training on many cores: matrix " + work.linear[l].name +
                                       " feeds no neurons");
        for (std::uint32_t i = 0; i < work.items.size(); ++i)  // behind the last neurons
            if (work.items[i].kind == WorkKind::Element) take(i, population_below(i));
    }

  private:
    void find_population(const arch::WorkItem& item) {
        Population& pop = p_.populations[item.index];
        collect_matrices(item.sources, item.index, 0);
        if (pop.feeds.empty()) fail(item.index);
        const arch::LinearShape& shape = work_.linear[p_.feeds[pop.feeds[0]].linear].shape;
        pop.height = shape.out_h, pop.width = shape.out_w, pop.channels = shape.out_c;
        if (shape.outputs() != work_.neurons[item.index].count) fail(item.index);
        for (const std::uint32_t f : pop.feeds) pop.window = std::max(pop.window, p_.feeds[f].window);
    }
    [[noreturn]] void fail(std::uint32_t population) const {
        throw UnsupportedError("training on many cores: neurons " + work_.neurons[population].name +
                               " must be fed by dense layers or convolutions of their shape");
    }
    [[noreturn]] static void fail_norm(const arch::ElementLayout& e) {
        throw UnsupportedError("training on many cores: norm " + e.name +
                               " must be the only one between a matrix and its neurons");
    }
    void take(std::uint32_t item, std::uint32_t population, std::uint32_t linear = UINT32_MAX) {
        const std::uint32_t element = work_.items[item].index;
        if (taken_[element]) return;
        taken_[element] = true;
        p_.populations[population].elements.push_back({element, item, linear});
    }
    std::uint32_t population_below(std::uint32_t i) const {
        for (const std::uint32_t s : work_.items[i].sources) {
            if (s == kInput) continue;
            if (work_.items[s].kind == WorkKind::Neuron) return work_.items[s].index;
            if (work_.items[s].kind == WorkKind::Element) return population_below(s);
            for (const Feed& f : p_.feeds)
                if (f.linear == work_.items[s].index) return f.target;
        }
        return 0;
    }
    /// From neurons down to their matrices, over norms and sums. `window`: statistics met so far.
    void collect_matrices(const std::vector<std::uint32_t>& sources, std::uint32_t target,
                          std::size_t window) {
        for (const std::uint32_t s : sources) {
            if (s == kInput) fail(target);
            const arch::WorkItem& item = work_.items[s];
            if (item.kind == WorkKind::Neuron) fail(target);
            if (item.kind == WorkKind::Element) {
                const arch::ElementLayout& e = work_.elements[item.index];
                if (window != 0 && e.statistics_steps != 0) fail_norm(e);
                take(s, target);
                collect_matrices(item.sources, target, std::max(window, e.statistics_steps));
                continue;
            }
            collect_feed(s, target, window);
        }
    }
    void collect_feed(std::uint32_t number, std::uint32_t target, std::size_t window) {
        const arch::WorkItem& item = work_.items[number];
        Feed feed;
        feed.linear = item.index;
        feed.target = target;
        feed.window = window;
        fed_[item.index] = true;
        for (const std::uint32_t s : item.sources) feed.delayed |= s != kInput && s >= number;
        collect_sources(item.sources, feed, [](std::size_t i, const Visit& f) { f(i); });
        invert(feed);
        classify(feed);
        p_.populations[target].feeds.push_back(static_cast<std::uint32_t>(p_.feeds.size()));
        p_.feeds.push_back(std::move(feed));
    }
    using Visit = std::function<void(std::size_t)>;
    /// From a matrix down to neurons; `places` calls a visitor for the input elements of the matrix where an
    /// element of `sources` is.
    void collect_sources(const std::vector<std::uint32_t>& sources, Feed& feed,
                         const std::function<void(std::size_t, const Visit&)>& places) {
        for (const std::uint32_t s : sources) {
            if (s == kInput) {
                feed.from_input = true;
                continue;
            }
            const arch::WorkItem& item = work_.items[s];
            if (item.kind == WorkKind::Linear) fail(feed.target);
            if (item.kind == WorkKind::Element) {
                const arch::ElementLayout& e = work_.elements[item.index];
                if (e.statistics_steps != 0) fail_norm(e);
                take(s, feed.target, feed.linear);
                collect_sources(item.sources, feed, [&e, &places](std::size_t i, const Visit& f) {
                    e.each_output(i, [&](std::size_t o) { places(o, f); });
                });
                continue;
            }
            SourceMap map;
            map.population = item.index;
            for (std::size_t i = 0; i < work_.neurons[item.index].count; ++i) {
                places(i, [&](std::size_t e) { map.inputs.push_back(static_cast<std::uint32_t>(e)); });
                map.first.push_back(static_cast<std::uint32_t>(map.inputs.size()));
            }
            feed.sources.push_back(std::move(map));
        }
    }
    void invert(Feed& feed) const {
        feed.back.resize(work_.linear[feed.linear].shape.inputs());
        for (std::uint32_t s = 0; s < feed.sources.size(); ++s)
            for (std::uint32_t n = 0; n + 1 < feed.sources[s].first.size(); ++n)
                for (const std::uint32_t e : feed.sources[s].inputs_of(n)) feed.back[e].emplace_back(s, n);
    }
    void classify(Feed& feed) const {
        const bool binary = work_.linear[feed.linear].binary_input;
        const auto fires = [&](const SourceMap& s) { return work_.neurons[s.population].fires; };
        feed.values = !binary && (feed.from_input || !std::ranges::all_of(feed.sources, fires));
        if (std::ranges::all_of(feed.back, [&](const auto& n) { return feed.packets(n.size()) <= 1; }))
            return;
        if (binary)
            feed.join = Join::First;
        else if (std::ranges::none_of(feed.sources, fires))
            feed.join = Join::Sum;
    }

    const NetworkLayout& work_;
    Placement& p_;
    std::vector<bool> taken_;  ///< [element]
    std::vector<bool> fed_;    ///< [matrix]
};

}  // namespace

void find_feeds(const NetworkLayout& work, Placement& placement) {
    FeedFinder(work, placement);
    const bool statistics = std::ranges::any_of(
        work.elements, [](const arch::ElementLayout& e) { return e.statistics_steps != 0; });
    if (statistics || work.updates > 1) placement.samples = std::max<std::size_t>(1, work.batch);
}

void set_steps(const NetworkLayout& work, Placement& p) {
    const std::size_t most = work.temporal ? work.steps : 1;
    for (Population& pop : p.populations) {
        const auto number = static_cast<std::uint32_t>(&pop - p.populations.data());
        for (const SharedKernel& kernel : p.shared)
            if (pop.window != 0 && p.blocks[kernel.owner].population == number)
                pop.statistics_travel |= !kernel.copies.empty();
        for (const std::uint32_t f : pop.feeds)
            for (const SourceMap& s : p.feeds[f].sources)
                if (!p.feeds[f].delayed)
                    pop.sums_ready = std::max(pop.sums_ready, p.populations[s.population].fires);
        pop.sums_ready += 1;
        const std::size_t wait = std::min(pop.window, most) * p.samples;
        pop.fires = pop.sums_ready + wait + (pop.statistics_travel ? 1 : 0);
        p.forward_steps = std::max(p.forward_steps, pop.fires);
    }
    for (std::size_t i = p.populations.size(); i-- > 0;) {
        Population& pop = p.populations[i];
        const std::size_t wait = std::min(pop.window, most) * p.samples;
        pop.errors_out = pop.recursion + wait + (pop.statistics_travel ? 1 : 0);
        p.backward_steps = std::max(p.backward_steps, pop.errors_out);
        for (const std::uint32_t f : pop.feeds) {
            if (p.feeds[f].delayed) continue;
            for (const SourceMap& s : p.feeds[f].sources) {
                std::size_t& below = p.populations[s.population].recursion;
                below = std::max(below, (p.feeds[f].window != 0 ? pop.errors_out : pop.recursion) + 1);
            }
        }
    }
}

}  // namespace loom::training
