// SPDX-License-Identifier: Apache-2.0
#include "training/learn/pulse_update.hpp"

#include <algorithm>
#include <cmath>

#include "base/error.hpp"
#include "base/portable_math.hpp"
#include "base/rng.hpp"

namespace loom::learn {
namespace {

/// Streams of the counter-based random numbers.
constexpr std::uint32_t kPulseNoise = 0x70756c73, kPulseLife = 0x70756c6c, kPulseStuck = 0x70756c75;

/// A cell: matrix, weight, which of the pair.
std::uint64_t entity_of(std::size_t key, std::size_t weight, bool raising) {
    return (std::uint64_t{key} << 40) | (std::uint64_t{weight} << 1) | (raising ? 0 : 1);
}

}  // namespace

PulseSpec pulse_spec(const arch::CimSpec& cells, const arch::CimTrainingSpec& training, std::uint64_t seed) {
    const arch::CimWriteSpec& write = cells.write;
    return {.p_max = write.Pmax,
            .label_up = write.NL_plus,
            .label_down = write.NL_minus,
            .sigma_c2c = write.sigma_c2c,
            .w_range = training.w_range,
            .carry = training.carry,
            .endurance = write.endurance,
            .endurance_sigma = write.endurance_sigma,
            .p_sa0 = cells.device.p_sa0,
            .p_sa1 = cells.device.p_sa1,
            .seed = seed};
}

PulseUpdate::PulseUpdate(std::unique_ptr<Optimiser> inner, const PulseSpec& spec)
    : inner_(std::move(inner)),
      spec_(spec),
      device_(spec.label_up, spec.label_down, static_cast<double>(spec.p_max), spec.sigma_c2c, 0, 1),
      step_(spec.w_range / static_cast<double>(spec.p_max)) {
    if (!(spec.w_range > 0) || spec.p_max == 0)
        throw ConfigError("train.pulses: w_range and Pmax must be above 0");
}

float PulseUpdate::weight(const Cells& c, std::size_t i) const {
    return static_cast<float>(spec_.w_range *
                              (static_cast<double>(c.up[i]) - static_cast<double>(c.down[i])));
}

void PulseUpdate::program(Network& network) {
    std::size_t key = 0;
    cells_.clear();
    for (auto& [layer, p] : network.parameters()) {
        const std::size_t k = key++;
        if (p != 0 || dynamic_cast<LinearLayer*>(layer) == nullptr) continue;
        Parameter& weights = layer->parameters()[p];
        Cells& c = cells_[k];
        const std::size_t n = weights.value.size();
        c.up.resize(n), c.down.resize(n), c.life_up.resize(n), c.life_down.resize(n);
        if (spec_.carry) c.carry.resize(n);
        for (std::size_t i = 0; i < n; ++i) {
            const double w = std::clamp(static_cast<double>(weights.value[i]) / spec_.w_range, -1.0, 1.0);
            c.up[i] = static_cast<float>((1 + w) / 2);
            c.down[i] = static_cast<float>((1 - w) / 2);
        }
        find_stuck(c, k);
        for (std::size_t i = 0; i < n; ++i) weights.value[i] = weight(c, i);
    }
    network.updated();
}

/// A draw per cell, and the stuck ones to where they are stuck.
void PulseUpdate::find_stuck(Cells& c, std::size_t key) const {
    c.stuck.clear();
    if (spec_.p_sa0 == 0 && spec_.p_sa1 == 0) return;
    const CounterRng rng(spec_.seed, kPulseStuck);
    for (std::size_t i = 0; i < c.up.size(); ++i)
        for (const bool raising : {true, false}) {
            const double u = rng.uniform(entity_of(key, i, raising), 0);
            const bool low = u < spec_.p_sa0, high = u >= 1 - spec_.p_sa1;
            c.stuck.push_back(static_cast<std::int8_t>(low ? 0 : high ? 1 : -1));
            if (low || high) (raising ? c.up : c.down)[i] = low ? 0.0F : 1.0F;
        }
}

void PulseUpdate::update(Parameter& p, std::size_t key, std::uint64_t iteration) {
    const auto found = cells_.find(key);
    if (found == cells_.end()) {
        if (cells_.empty()) throw InternalError("PulseUpdate: program() comes before the first update");
        inner_->update(p, key, iteration);
        return;
    }
    Cells& c = found->second;
    const std::size_t n = p.value.size();
    c.last.worn = 0;
    c.last.pulses.assign(2 * n, 0);
    c.last.conductance.resize(2 * n);
    before_ = p.value;
    inner_->update(p, key, iteration);
    const double most = 2 * static_cast<double>(spec_.p_max);
    for (std::size_t i = 0; i < n; ++i) {
        c.last.conductance[2 * i] = c.up[i];
        c.last.conductance[2 * i + 1] = c.down[i];
        double wish = static_cast<double>(p.value[i]) - static_cast<double>(before_[i]);
        if (spec_.carry) wish += static_cast<double>(c.carry[i]);
        const double pulses = std::clamp(std::round(wish / step_), -most, most);
        if (spec_.carry)
            c.carry[i] = static_cast<float>(std::clamp(wish - pulses * step_, -step_ / 2, step_ / 2));
        if (pulses != 0) apply(c, i, static_cast<std::int32_t>(pulses), key, iteration);
        p.value[i] = weight(c, i);
    }
}

/// The pair's share of n pulses.
void PulseUpdate::apply(Cells& c, std::size_t i, std::int32_t n, std::size_t key, std::uint64_t iteration) {
    const std::int32_t size = std::abs(n), half = size / 2, odd = size % 2;
    const bool set_gets_odd = iteration % 2 == 0;
    const std::int32_t sets = half + (set_gets_odd ? odd : 0), resets = size - sets;
    const bool raise = n > 0;
    pulse(c, i, raise, sets, key, iteration);
    pulse(c, i, !raise, -resets, key, iteration);
}

/// n pulses (> 0: SET, < 0: RESET) on one cell of pair i.
void PulseUpdate::pulse(Cells& c, std::size_t i, bool raising, std::int32_t n, std::size_t key,
                        std::uint64_t iteration) {
    if (n == 0) return;
    const double size = std::abs(static_cast<double>(n));
    const std::uint64_t entity = entity_of(key, i, raising);
    float& g = raising ? c.up[i] : c.down[i];
    float& used = raising ? c.life_up[i] : c.life_down[i];
    c.last.pulses[2 * i + (raising ? 0 : 1)] = n;
    const auto before = static_cast<double>(used);
    used = static_cast<float>(before + size);
    if (!c.stuck.empty() && c.stuck[2 * i + (raising ? 0 : 1)] >= 0) return;
    if (spec_.endurance > 0) {
        const double limit = life(entity);
        if (before + size > limit) {
            if (before <= limit) ++c.last.worn;
            return;  // stuck where it is
        }
    }
    double normal = 0;
    if (device_.noisy())
        normal = CounterRng(spec_.seed, kPulseNoise).normal(entity, static_cast<std::uint32_t>(iteration));
    g = static_cast<float>(device_.after(static_cast<double>(g), n > 0, size, normal));
}

double PulseUpdate::life(std::uint64_t entity) const {
    return spec_.endurance *
           portable_exp(spec_.endurance_sigma * CounterRng(spec_.seed, kPulseLife).normal(entity, 0));
}

OptimiserCost PulseUpdate::cost() const {
    OptimiserCost cost = inner_->cost();
    cost.multiply += 1;  // to pulses
    if (spec_.carry) {
        cost.add += 2;
        cost.state_words += 1;
    }
    return cost;
}

std::vector<std::vector<float>*> PulseUpdate::state(std::size_t key, std::size_t size) {
    std::vector<std::vector<float>*> all = inner_->state(key, size);
    const auto found = cells_.find(key);
    if (found == cells_.end()) return all;
    Cells& c = found->second;
    all.insert(all.end(), {&c.up, &c.down, &c.life_up, &c.life_down});
    if (spec_.carry) all.push_back(&c.carry);
    return all;
}

std::uint64_t PulseUpdate::Cells::most_pulses() const {
    float most = 0;
    for (const float life : life_up) most = std::max(most, life);
    for (const float life : life_down) most = std::max(most, life);
    return static_cast<std::uint64_t>(most);
}

const PulseUpdate::Cells* PulseUpdate::find(const Network& network, const Layer& layer) const {
    if (dynamic_cast<const LinearLayer*>(&layer) == nullptr) return nullptr;
    std::size_t key = 0;
    for (const Network::Node& node : network.nodes()) {
        if (node.layer.get() == &layer) {
            const auto found = cells_.find(key);
            return found == cells_.end() ? nullptr : &found->second;
        }
        key += node.layer->parameters().size();
    }
    return nullptr;
}

CellPairs PulseUpdate::cells(const Network& network, const Layer& layer) const {
    const Cells* c = find(network, layer);
    return c == nullptr ? CellPairs{} : CellPairs{&c->up, &c->down};
}

PulseUpdate::Wear PulseUpdate::wear(const Network& network, const Layer& layer) const {
    const Cells* c = find(network, layer);
    if (c == nullptr) return {};
    Wear w{c->most_pulses(), 0};
    for (const std::int8_t s : c->stuck) w.stuck_cells += s >= 0 ? 1 : 0;
    return w;
}

void PulseUpdate::describe(const Network& network, arch::TrainingWork& work) const {
    for (const Network::Node& node : network.nodes()) {
        const auto to = std::ranges::find(work.linear, node.layer->name, &arch::LinearWork::name);
        const Cells* c = find(network, *node.layer);
        if (c == nullptr || to == work.linear.end()) continue;
        to->cells = c->last;
        to->cells.most_pulses = c->most_pulses();
    }
}

}  // namespace loom::learn
