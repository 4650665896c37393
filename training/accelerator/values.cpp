// SPDX-License-Identifier: Apache-2.0
#include "training/accelerator/values.hpp"

namespace loom::training {
namespace {

using arch::WorkKind;
using What = ValueKey::What;

/// Builds the values of one segment.
class Lister {
  public:
    Lister(const Setup& setup, const Segment& s, const std::function<void(const Value&, Access, bool)>& f)
        : setup_(setup), s_(s), f_(f) {}

    void run() {
        const std::uint32_t i = s_.item;
        switch (s_.kind) {
            case Kind::LinearForward:
                if (setup_.reused(setup_.linear(i), s_.t0)) return;
                inputs(i, s_.t0);
                if (!setup_.links[i].sums_stay || reused_later(i)) give(output(i, s_.t0), Access::Write);
                return;
            case Kind::NeuronForward:
                neuron_forward(i);
                return;
            case Kind::ElementForward:
                if (setup_.is_wiring(i)) return;
                inputs(i, s_.t0);
                give(output(i, s_.t0), Access::Write);
                return;
            case Kind::NeuronBackward:
                neuron_backward(i);
                return;
            case Kind::ErrorBackward:
                give(error_of(i, s_.t0), Access::Read, true);
                directs(i);
                return;
            case Kind::ElementBackward:
                if (setup_.is_wiring(i)) return;
                give(error_of(i, s_.t0), Access::Read);
                if (setup_.element(i).statistics_steps != 0) inputs(i, s_.t0);
                directs(i);
                return;
            case Kind::Trace:
                inputs(i, s_.t0);
                state(What::Trace, i, setup_.linear(i).shape.inputs());
                return;
            case Kind::Gradient:
                for (std::uint32_t t = s_.t0; t < s_.t1; ++t) {
                    if (setup_.work.traces)
                        give(trace(i), Access::Read);
                    else
                        inputs(i, t);
                    give(error_of(i, t), Access::Read);
                }
                return;
            case Kind::Update:
            case Kind::Tables:
                return;
        }
    }

  private:
    std::uint64_t samples() const { return s_.samples(); }
    void give(const Value& v, Access a, bool operand = false) { f_(v, a, operand); }
    Value make(What what, std::uint32_t item, std::uint32_t t, Tensor tensor, std::uint64_t bits) const {
        return {{what, item, t, s_.b0, s_.again}, tensor, bits * samples()};
    }
    bool reused_later(std::uint32_t i) const {
        return setup_.linear(i).constant_input && setup_.chip.schedule.reuse_constant_input &&
               setup_.work.steps > 1;
    }
    bool feeds_linear(std::uint32_t i) const {
        for (const std::uint32_t u : setup_.links[i].users) {
            if (setup_.work.items[u].kind == WorkKind::Linear) return true;
            if (setup_.is_wiring(u) && feeds_linear(u)) return true;
        }
        return false;
    }
    /// What an item (not mere wiring) puts out.
    Value output(std::uint32_t i, std::uint32_t t) const {
        const WorkKind kind = setup_.work.items[i].kind;
        const bool spikes =
            kind == WorkKind::Neuron ? setup_.neurons(i).fires : kind == WorkKind::Element && feeds_linear(i);
        Value v = make(spikes ? What::Spikes : What::Sums, i, t, spikes ? Tensor::Spikes : Tensor::Membranes,
                       setup_.outputs(i) * setup_.output_bits(i));
        if (spikes) v.key.again = false;
        return v;
    }
    void inputs(std::uint32_t i, std::uint32_t t) {
        const bool operand = setup_.work.items[i].kind == WorkKind::Linear;
        for (const std::uint32_t s : setup_.work.items[i].sources) {
            const std::uint32_t from = setup_.origin(s);
            if (Setup::late(i, s)) {
                if (t > 0) give(output(from, t - 1), Access::Read, operand);
            } else if (from != UINT32_MAX) {
                give(output(from, t), Access::Read, operand);
            } else if (operand) {
                const arch::LinearWork& w = setup_.linear(i);
                Value v = make(What::Input, 0, w.constant_input ? 0 : t, Tensor::Spikes,
                               w.shape.inputs() * setup_.input_bits(w));
                v.key.again = false;
                give(v, Access::Read, true);
            }
        }
    }
    void state(What what, std::uint32_t i, std::uint64_t words) {
        const Value v = make(what, i, 0, Tensor::Membranes, words * setup_.chip.bits.membrane);
        if (s_.t0 != 0) give(v, Access::Read);
        give(v, Access::Write);
    }
    Value trace(std::uint32_t i) const {
        return make(What::Trace, i, 0, Tensor::Membranes,
                    setup_.linear(i).shape.inputs() * setup_.chip.bits.membrane);
    }
    Value kept(std::uint32_t i, std::uint32_t t, std::uint64_t bits) const {
        return {{What::Kept, i, t, s_.b0, false},
                bits == 1 ? Tensor::Masks : Tensor::Membranes,
                bits * setup_.neurons(i).count * samples()};
    }
    std::uint64_t kept_bits(std::uint32_t i) const {
        const arch::NeuronWork& n = setup_.neurons(i);
        if (!n.fires) return 0;
        const std::uint64_t bits = setup_.kept_bits(n);
        return bits == 0 ? setup_.chip.bits.membrane : bits;  // recomputed ones live for a while, too
    }
    void neuron_forward(std::uint32_t i) {
        const arch::NeuronWork& n = setup_.neurons(i);
        for (const std::uint32_t s : setup_.work.items[i].sources) {
            const std::uint32_t from = setup_.origin(s);
            if (from == UINT32_MAX) continue;
            const bool linear = setup_.work.items[from].kind == WorkKind::Linear;
            const bool once = linear && reused_later(from);
            if (!setup_.links[from].sums_stay || once) give(output(from, once ? 0 : s_.t0), Access::Read);
        }
        state(What::State, i, n.count * n.states());
        if (n.fires && !s_.again) give(output(i, s_.t0), Access::Write);
        if (kept_bits(i) != 0 && (setup_.kept_bits(n) != 0 || s_.again))
            give(kept(i, s_.t0, kept_bits(i)), Access::Write);
    }
    void neuron_backward(std::uint32_t i) {
        const arch::NeuronWork& n = setup_.neurons(i);
        if (kept_bits(i) != 0) give(kept(i, s_.t0, kept_bits(i)), Access::Read);
        if (n.fires && n.hard_reset && setup_.work.temporal) give(output(i, s_.t0), Access::Read);
        if (setup_.joined(s_.t0) && s_.t0 + 1 < setup_.work.steps) give(error(i, s_.t0 + 1), Access::Read);
        if (!setup_.links[i].errors_stay && !setup_.links[i].users.empty())
            give(direct(i, s_.t0), Access::Read);
        if (setup_.work.temporal && n.carried_errors() != 0) {
            const Value v = make(What::Carried, i, 0, Tensor::Errors,
                                 n.count * n.carried_errors() * setup_.chip.bits.error);
            if (setup_.joined(s_.t0) && s_.t0 + 1 < setup_.work.steps) give(v, Access::Read);
            give(v, Access::Write);
        }
        give(error(i, s_.t0), Access::Write);
    }
    Value error(std::uint32_t neurons, std::uint32_t t) const {
        const arch::NeuronWork& n = setup_.neurons(neurons);
        const std::uint64_t words = n.filters_current ? 2 * n.count : n.count;  // dL/du and dL/d current
        return make(What::Error, neurons, t, Tensor::Errors, words * setup_.chip.bits.error);
    }
    Value direct(std::uint32_t i, std::uint32_t t) const {
        return make(What::Direct, i, t, Tensor::Errors, setup_.outputs(i) * setup_.chip.bits.error);
    }
    /// Error of an item's output, as the one above left it.
    Value error_of(std::uint32_t i, std::uint32_t t) const {
        const auto& users = setup_.links[i].users;
        if (users.size() == 1 && setup_.work.items[users[0]].kind == WorkKind::Neuron)
            return error(users[0], t);
        return direct(i, t);
    }
    void directs(std::uint32_t i) {
        for (const std::uint32_t s : setup_.work.items[i].sources) {
            if (s == UINT32_MAX || setup_.links[s].errors_stay) continue;
            const std::uint32_t to = setup_.origin(s);
            if (to == UINT32_MAX) continue;
            const auto& users = setup_.links[to].users;
            const bool fused = users.size() == 1 && setup_.work.items[users[0]].kind == WorkKind::Neuron;
            const bool late = Setup::late(i, s);
            if (!fused && !(late && s_.t0 == 0)) give(direct(to, late ? s_.t0 - 1 : s_.t0), Access::Write);
        }
    }

    const Setup& setup_;
    const Segment& s_;
    const std::function<void(const Value&, Access, bool)>& f_;
};

}  // namespace

void each_value(const Setup& setup, const Segment& segment,
                const std::function<void(const Value&, Access, bool)>& f) {
    Lister(setup, segment, f).run();
}

}  // namespace loom::training
