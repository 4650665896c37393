// SPDX-License-Identifier: Apache-2.0
#include "training/accelerator/residency.hpp"

#include <algorithm>
#include <map>

#include "training/accelerator/tiles.hpp"
#include "training/accelerator/values.hpp"
#include "base/error.hpp"

namespace loom::training {
namespace {

using arch::WorkKind;

std::uint64_t bytes(std::uint64_t bits) {
    return ceil_div(bits, 8);
}

class Allocator {
  public:
    Allocator(const Setup& setup, const Arrays& arrays, std::vector<Segment>& segments, bool warm)
        : setup_(setup), arrays_(arrays), segments_(segments), warm_(warm) {
        for (const arch::TrainingBufferSpec& b : setup.chip.buffers)
            result_.use.push_back({b.name, b.capacity, 0, 0});
        used_.resize(result_.use.size());
        spilled_.resize(result_.use.size());
    }

    Residency run() {
        reserve();
        parameters();
        find_last_uses();
        for (std::size_t i = 0; i < segments_.size(); ++i) {
            now_ = static_cast<std::uint32_t>(i);
            visit(segments_[i]);
        }
        for (const Segment& s : segments_) result_.dram_bytes += s.load + s.store;
        return std::move(result_);
    }

  private:
    struct Place {
        std::uint32_t last = 0, fetched = UINT32_MAX;  ///< segments
        bool made = false, on_chip = false;
    };

    std::uint64_t room(std::size_t buffer) const {
        return setup_.chip.buffers[buffer].capacity - used_[buffer];
    }
    void change(std::size_t buffer, std::int64_t bits) {
        used_[buffer] = static_cast<std::uint64_t>(static_cast<std::int64_t>(used_[buffer]) + bits);
        result_.use[buffer].peak_bits = std::max(result_.use[buffer].peak_bits, used_[buffer]);
        result_.changes.push_back({now_, static_cast<std::uint32_t>(buffer), bits});
    }
    void spill(std::size_t buffer, std::int64_t bits) {
        spilled_[buffer] += bits;
        auto& peak = result_.use[buffer].spilled_bits;
        peak = std::max(peak, static_cast<std::uint64_t>(spilled_[buffer]));
    }

    /// Two tiles of everything that may stream from DRAM.
    void reserve() {
        std::array<std::uint64_t, kTensors> need{};
        const auto at_least = [&](Tensor t, std::uint64_t bits) {
            auto& n = need[static_cast<std::size_t>(t)];
            n = std::max(n, 2 * bits);
        };
        const arch::TrainingBits& bits = setup_.chip.bits;
        for (const arch::LinearWork& w : setup_.work.linear) {
            const std::uint64_t taps = w.shape.window.taps();
            const arch::TrainingArraySpec& g = *arrays_.update;
            at_least(Tensor::Weights,
                     taps * std::max(arrays_.forward->columns, arrays_.backward->columns) * bits.weight);
            at_least(Tensor::Spikes, taps * w.shape.group_inputs() * setup_.input_bits(w));
            at_least(Tensor::Errors, taps * w.shape.group_outputs() * bits.error);
            at_least(
                Tensor::Gradients,
                std::min<std::uint64_t>(g.elements() * g.accumulators, w.shape.weights()) * bits.gradient);
        }
        at_least(Tensor::Membranes, arrays_.forward->elements() * bits.membrane);
        at_least(Tensor::Masks, arrays_.forward->elements());
        for (std::size_t t = 0; t < kTensors; ++t)
            if (const auto b = setup_.buffers.of(static_cast<Tensor>(t)); b && need[t] != 0) {
                if (used_[*b] + need[t] > setup_.chip.buffers[*b].capacity)
                    throw MappingError(setup_.chip.buffers[*b].name + " buffer, bits",
                                       "two tiles of everything it holds",
                                       static_cast<double>(used_[*b] + need[t]),
                                       static_cast<double>(setup_.chip.buffers[*b].capacity));
                change(*b, static_cast<std::int64_t>(need[t]));
            }
    }
    /// Weights, gradients, tables and optimiser state stay on chip when all of a kind fit.
    void parameters() {
        std::array<std::uint64_t, kTensors> total{};
        for (std::uint32_t i = 0; i < setup_.work.items.size(); ++i) {
            const std::uint64_t n = setup_.parameters(i);
            total[static_cast<std::size_t>(Tensor::Weights)] += n * setup_.chip.bits.weight;
            total[static_cast<std::size_t>(Tensor::Gradients)] += n * setup_.chip.bits.gradient;
            total[static_cast<std::size_t>(Tensor::State)] +=
                n * setup_.work.state_words * setup_.chip.bits.state;
            total[static_cast<std::size_t>(Tensor::Tables)] += table_bits(i);
        }
        for (const Tensor t : {Tensor::Weights, Tensor::Gradients, Tensor::Tables, Tensor::State}) {
            const auto b = setup_.buffers.of(t);
            const std::uint64_t bits = total[static_cast<std::size_t>(t)];
            bool& stays = stays_[static_cast<std::size_t>(t)];
            stays = b && bits <= room(*b);
            if (t == Tensor::Tables && !b) stays = true;  // in the processing elements
            if (!b || bits == 0) continue;
            if (stays)
                change(*b, static_cast<std::int64_t>(bits));
            else
                spill(*b, static_cast<std::int64_t>(bits));
        }
        result_.weights_resident = stays(Tensor::Weights);
        loaded_.assign(setup_.work.items.size(), warm_);
        tables_loaded_ = loaded_;
    }
    bool stays(Tensor t) const { return stays_[static_cast<std::size_t>(t)]; }
    std::uint64_t table_bits(std::uint32_t item) const {
        if (setup_.work.items[item].kind != WorkKind::Linear) return 0;
        const arch::LinearWork& w = setup_.linear(item);
        const std::uint64_t k = setup_.group(w);
        if (k == 1) return 0;
        return ceil_div(w.shape.group_inputs(), k) * w.shape.window.taps() * w.shape.out_c *
               (std::uint64_t{1} << k) * setup_.chip.bits.weight;
    }

    void find_last_uses() {
        for (std::size_t i = 0; i < segments_.size(); ++i)
            each_value(setup_, segments_[i], [&](const Value& v, Access, bool) {
                places_[v.key].last = static_cast<std::uint32_t>(i);
            });
    }

    void visit(Segment& s) {
        std::uint64_t operand = 0;  // bytes that inner loops may have to fetch again
        std::vector<Value> over;
        each_value(setup_, s, [&](const Value& v, Access access, bool inner) {
            Place& p = places_[v.key];
            const std::size_t buffer = *setup_.buffers.of(v.tensor);
            const bool first = !p.made;
            const bool from_outside = v.key.what == ValueKey::What::Input;
            if (first) {
                p.made = true;
                p.on_chip = v.bits <= room(buffer);
                if (p.on_chip)
                    change(buffer, static_cast<std::int64_t>(v.bits));
                else
                    spill(buffer, static_cast<std::int64_t>(v.bits));
            }
            if (access == Access::Read && (p.on_chip ? first && from_outside : p.fetched != now_)) {
                p.fetched = now_;
                s.load += bytes(v.bits);
                if (inner && !p.on_chip) operand += bytes(v.bits);
                s.load_after |= !from_outside;
            }
            if (access == Access::Write && !p.on_chip) s.store += bytes(v.bits);
            if (p.last == now_ && (over.empty() || !(over.back().key == v.key))) over.push_back(v);
        });
        weights(s, operand);
        for (const Value& v : over) {
            Place& p = places_[v.key];
            if (!p.made) continue;
            const std::size_t buffer = *setup_.buffers.of(v.tensor);
            if (p.on_chip)
                change(buffer, -static_cast<std::int64_t>(v.bits));
            else
                spill(buffer, -static_cast<std::int64_t>(v.bits));
            p.made = false;
        }
    }

    void weights(Segment& s, std::uint64_t operand) {
        const std::uint64_t n = setup_.parameters(s.item);
        const std::uint64_t weight = bytes(n * setup_.chip.bits.weight),
                            gradient = bytes(n * setup_.chip.bits.gradient);
        switch (s.kind) {
            case Kind::LinearForward:
            case Kind::ErrorBackward:
                matrix(s, operand);
                break;
            case Kind::Gradient:
                if (stays(Tensor::Gradients)) break;
                s.store += gradient;
                if (s.adds_to_gradient) s.load += gradient, s.load_after = true;
                break;
            case Kind::Update:
                if (!stays(Tensor::Gradients)) s.load += gradient, s.load_after = true;
                if (!stays(Tensor::Weights)) s.load += weight, s.store += weight;
                if (!stays(Tensor::State)) {
                    const std::uint64_t state = bytes(n * setup_.work.state_words * setup_.chip.bits.state);
                    s.load += state, s.store += state;
                }
                forget();
                break;
            case Kind::Tables:
                if (!stays(Tensor::Weights)) s.load += weight, s.load_after = true;
                if (!stays(Tensor::Tables)) s.store += bytes(table_bits(s.item));
                break;
            default:
                break;
        }
    }
    void matrix(Segment& s, std::uint64_t operand) {
        const arch::LinearWork& w = setup_.linear(s.item);
        const bool forward = s.kind == Kind::LinearForward;
        if (forward && setup_.reused(w, s.t0)) return;
        const bool tables = forward && setup_.group(w) > 1;
        s.weights_inside = true;
        if (tables) {
            if (!stays(Tensor::Tables) || !tables_loaded_[s.item]) s.load += bytes(table_bits(s.item));
            tables_loaded_[s.item] = true;
            return;
        }
        const std::uint64_t bits = setup_.parameters(s.item) * setup_.chip.bits.weight;
        if (stays(Tensor::Weights)) {
            if (!loaded_[s.item]) s.load += bytes(bits);
            loaded_[s.item] = true;
            return;
        }
        Cached& cached = cached_[s.unit];
        if (cached.bits != 0 && cached.item == s.item) return;
        const std::size_t buffer = *setup_.buffers.of(Tensor::Weights);
        if (cached.bits != 0) change(buffer, -static_cast<std::int64_t>(cached.bits));
        cached = {};
        if (bits <= room(buffer)) {
            cached = {s.item, bits};
            change(buffer, static_cast<std::int64_t>(bits));
            s.load += bytes(bits);
            return;
        }
        const arch::TrainingArraySpec& array = arrays_.of(s.phase);
        const std::uint64_t positions =
            (forward ? w.shape.out_h * w.shape.out_w : w.shape.in_h * w.shape.in_w) * s.samples();
        const std::uint64_t tiles = ceil_div(positions, array.rows * array.accumulators);
        const std::uint64_t blocks =
            ceil_div(forward ? w.shape.group_outputs() : w.shape.group_inputs(), array.columns);
        s.weights_inside = bytes(bits) * tiles < bytes(bits) + operand * (blocks - 1);
        s.load += s.weights_inside ? bytes(bits) * tiles : bytes(bits) + operand * (blocks - 1);
    }
    /// Weights changed: nothing of the old ones is kept.
    void forget() {
        for (Cached& c : cached_) {
            if (c.bits != 0) change(*setup_.buffers.of(Tensor::Weights), -static_cast<std::int64_t>(c.bits));
            c = {};
        }
    }

    struct Cached {
        std::uint32_t item = 0;
        std::uint64_t bits = 0;
    };

    const Setup& setup_;
    const Arrays& arrays_;
    std::vector<Segment>& segments_;
    bool warm_;
    Residency result_;
    std::vector<std::uint64_t> used_;
    std::vector<std::int64_t> spilled_;
    std::array<bool, kTensors> stays_{};
    std::vector<bool> loaded_, tables_loaded_;
    std::array<Cached, 3> cached_{};
    std::map<ValueKey, Place> places_;
    std::uint32_t now_ = 0;
};

}  // namespace

Residency allocate(const Setup& setup, const Arrays& arrays, std::vector<Segment>& segments, bool warm) {
    return Allocator(setup, arrays, segments, warm).run();
}

}  // namespace loom::training
