// SPDX-License-Identifier: Apache-2.0
#include "training/accelerator/setup.hpp"

#include <algorithm>
#include <functional>
#include <span>

namespace loom::training {

using arch::WorkKind;

namespace {

/// Calls f(element) for every place to which element `i` comes through layers, the last of `chain` first.
void each_end(std::span<const arch::ElementWork* const> chain, std::size_t i,
              const std::function<void(std::size_t)>& f) {
    if (chain.empty()) return f(i);
    chain.back()->each_output(i, [&](std::size_t o) { each_end(chain.first(chain.size() - 1), o, f); });
}

}  // namespace

Setup::Setup(const arch::TrainingChip& c, const BufferMap& b, const arch::TrainingWork& w)
    : chip(c), buffers(b), work(w), links(w.items.size()) {
    for (const arch::LinearWork& l : work.linear) {
        forward.push_back(Neighbours::forward(l.shape));
        backward.push_back(Neighbours::backward(l.shape));
    }
    for (std::uint32_t i = 0; i < work.items.size(); ++i)
        for (const std::uint32_t s : work.items[i].sources)
            if (s != UINT32_MAX) links[s].users.push_back(i);
    planes.resize(work.linear.size());
    if (chip.schedule.spikes_through_pools) through_pools();
    for (std::uint32_t i = 0; i < work.items.size(); ++i) {
        const auto& users = links[i].users;
        if (users.size() != 1) continue;
        const arch::WorkItem& next = work.items[users[0]];
        if (work.items[i].kind == WorkKind::Linear)
            links[i].sums_stay = next.kind == WorkKind::Neuron && next.sources.size() == 1;
        if (work.items[i].kind == WorkKind::Neuron)
            links[i].errors_stay = next.kind == WorkKind::Linear && !late(users[0], i);
    }
}

std::uint64_t Setup::parameters(std::uint32_t item) const {
    switch (work.items[item].kind) {
        case WorkKind::Linear: {
            const arch::LinearWork& w = linear(item);
            return w.shape.weights() + (w.bias ? w.shape.out_c : 0);
        }
        case WorkKind::Neuron:
            return neurons(item).parameters();
        default:
            return element(item).parameters;
    }
}

std::uint64_t Setup::outputs(std::uint32_t item) const {
    switch (work.items[item].kind) {
        case WorkKind::Linear:
            return linear(item).shape.outputs();
        case WorkKind::Neuron:
            return neurons(item).count;
        default:
            return element(item).outputs;
    }
}

std::uint64_t Setup::output_bits(std::uint32_t item) const {
    switch (work.items[item].kind) {
        case WorkKind::Linear:
            return chip.bits.membrane;
        case WorkKind::Neuron:
            return neurons(item).fires ? 1 : chip.bits.membrane;
        default: {
            for (const std::uint32_t u : links[item].users)
                if (work.items[u].kind == WorkKind::Linear) return input_bits(linear(u));
            return chip.bits.membrane;
        }
    }
}

std::vector<const arch::BitSignal*> Setup::signals(const arch::LinearWork& w) const {
    const auto& p = planes[index_of(w)];
    if (p.empty()) return {&w.input};
    std::vector<const arch::BitSignal*> all;
    for (const arch::BitSignal& plane : p) all.push_back(&plane);
    return all;
}

/// Planes of every matrix that is fed by spikes through average pooling.
void Setup::through_pools() {
    for (std::uint32_t i = 0; i < work.items.size(); ++i) {
        if (work.items[i].kind != WorkKind::Linear || linear(i).binary_input || linear(i).constant_input)
            continue;
        std::vector<const arch::ElementWork*> chain;
        std::size_t spikes = 1;
        std::uint32_t at = i;
        do {
            at = work.items[at].sources.size() == 1 ? work.items[at].sources[0] : UINT32_MAX;
            if (at == UINT32_MAX || work.items[at].kind != WorkKind::Element) break;
            chain.push_back(&element(at));
            spikes *= element(at).window.taps();
            // Only pooling and flattening move spikes without changing them.
            if (element(at).move == arch::ElementMove::Same) at = UINT32_MAX;
        } while (at != UINT32_MAX);
        if (at == UINT32_MAX || chain.empty() || work.items[at].kind != WorkKind::Neuron) continue;
        const arch::NeuronWork& from = neurons(at);
        if (!from.fires) continue;
        auto& p = planes[work.items[i].index];
        p.assign(spikes, arch::BitSignal(work.steps, work.batch, linear(i).shape.inputs()));
        for (std::size_t t = 0; t < work.steps; ++t)
            for (std::size_t b = 0; b < work.batch; ++b)
                for (std::size_t n = 0; n < from.count; ++n) {
                    if (!from.spikes.test(t, b, n)) continue;
                    each_end(chain, n, [&](std::size_t to) {
                        std::size_t plane = 0;
                        while (p[plane].test(t, b, to)) ++plane;
                        p[plane].set(t, b, to);
                    });
                }
    }
}

bool Setup::pooled_by_planes(std::uint32_t item) const {
    for (const std::uint32_t u : links[item].users) {
        const bool taken = work.items[u].kind == WorkKind::Linear
                               ? !planes[work.items[u].index].empty()
                               : work.items[u].kind == WorkKind::Element && pooled_by_planes(u);
        if (!taken) return false;
    }
    return !links[item].users.empty();
}

bool Setup::is_wiring(std::uint32_t item) const {
    if (work.items[item].kind != WorkKind::Element || work.items[item].sources.size() != 1) return false;
    if (pooled_by_planes(item)) return true;
    const arch::ElementWork& e = element(item);
    return (e.forward + e.backward).all() == 0;
}

bool Setup::recurrent() const {
    for (std::uint32_t i = 0; i < work.items.size(); ++i)
        for (const std::uint32_t s : work.items[i].sources)
            if (late(i, s)) return true;
    return false;
}

std::size_t Setup::statistics_steps() const {
    std::size_t most = 0;
    for (const arch::ElementWork& e : work.elements) most = std::max(most, e.statistics_steps);
    return most;
}

std::uint32_t Setup::origin(std::uint32_t item) const {
    while (item != UINT32_MAX && is_wiring(item)) item = work.items[item].sources[0];
    return item;
}

bool Setup::keeps_mask(const arch::NeuronWork& n) const {
    const bool rectangle = n.compare != 0 && n.lut == 0 && n.multiply == 0 && n.add == 0 && n.divide == 0;
    return chip.schedule.keep == arch::KeepRule::Masks && n.fires && rectangle && !n.learns_leak &&
           !n.learns_window && (work.detach_reset || !work.temporal);
}

std::uint64_t Setup::kept_bits(const arch::NeuronWork& n) const {
    if (chip.schedule.keep == arch::KeepRule::Recompute || !n.fires) return 0;
    return keeps_mask(n) ? 1 : chip.bits.membrane;
}

}  // namespace loom::training
