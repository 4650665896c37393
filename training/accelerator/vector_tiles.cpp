// SPDX-License-Identifier: Apache-2.0
// Work that is alike for all elements: neurons, errors through time, pooling and norms, traces, optimiser,
// tables of partial sums. Operations are counted for the whole segment, then shared out over tiles.
#include <algorithm>

#include "base/counter_math.hpp"
#include "training/accelerator/neuron_counts.hpp"
#include "training/accelerator/tiles.hpp"

namespace loom::training {
namespace {

using arch::WorkKind;
using arch::ZeroRule;

constexpr std::uint64_t kPerElement = 64;  ///< of a tile: elements for each processing element

/// The whole segment as one task of `elements` items that take `cycles` each.
struct Bulk {
    Task task;
    std::uint64_t elements = 0, cycles = 1, active = 0;  ///< active: those that are no zeros
};

void cut(const arch::TrainingArraySpec& array, const Bulk& bulk, std::vector<Task>& tasks) {
    const std::uint64_t parts =
        std::max<std::uint64_t>(1, ceil_div(bulk.elements, array.elements() * kPerElement));
    for (std::uint64_t i = 0; i < parts; ++i) {
        Task t;
        const std::uint64_t n = share(bulk.elements, i, parts);
        t.compute = ceil_div(n, array.elements()) * bulk.cycles + array.tile_cycles;
        t.busy = share(bulk.active, i, parts) * bulk.cycles;
        t.gated = n * bulk.cycles - t.busy;
        t.counts = combine(bulk.task.counts, bulk.task.counts,
                           [&](std::uint64_t all, std::uint64_t) { return share(all, i, parts); });
        for (std::size_t b = 0; b < kMaxBuffers; ++b) {
            t.read[b] = share(bulk.task.read[b], i, parts);
            t.write[b] = share(bulk.task.write[b], i, parts);
        }
        t.count(&TrainingCounters::gated, t.gated);
        tasks.push_back(t);
    }
}

std::uint64_t ones(const arch::BitSignal& s, std::size_t t, const Segment& g) {
    std::uint64_t n = 0;
    for (std::size_t b = g.b0; b < g.b1; ++b) n += s.ones(t, b);
    return n;
}
std::uint64_t ones_of_either(const arch::BitSignal& a, std::size_t ta, const arch::BitSignal& c,
                             std::size_t tc, const Segment& g) {
    std::uint64_t n = 0;
    for (std::size_t b = g.b0; b < g.b1; ++b) {
        const auto x = a.row(ta, b), y = c.row(tc, b);
        for (std::size_t w = 0; w < x.size(); ++w)
            n += static_cast<std::uint64_t>(std::popcount(x[w] | y[w]));
    }
    return n;
}

TrainingEvent leak_event(const Setup& s) {
    return s.chip.schedule.leak_shift ? &TrainingCounters::shift : &TrainingCounters::multiply;
}

Bulk neurons_forward(const Setup& setup, const arch::TrainingArraySpec& array, const Segment& s) {
    const arch::NeuronWork& n = setup.neurons(s.item);
    const std::uint64_t all = n.count * s.samples(), word = setup.chip.bits.membrane;
    Bulk b{{}, all, array.neuron_cycles, all};
    Task& t = b.task;
    add_forward(n, all, leak_event(setup), t.counts);
    if (n.fires && !s.again) setup.write(t, Tensor::Spikes, &TrainingCounters::spike_write, all, 1);
    setup.read(t, Tensor::Membranes, &TrainingCounters::membrane_read, all * n.states(), word);
    setup.write(t, Tensor::Membranes, &TrainingCounters::membrane_write, all * n.states(), word);
    if (setup.keeps_mask(n)) {
        t.count(&TrainingCounters::compare, all * n.compare);
        setup.write(t, Tensor::Masks, &TrainingCounters::mask_write, all, 1);
    } else if (setup.kept_bits(n) != 0 || s.again) {
        setup.write(t, Tensor::Membranes, &TrainingCounters::membrane_write, all, word);
    }
    const auto& sources = setup.work.items[s.item].sources;
    for (const std::uint32_t from : sources) {
        if (from == UINT32_MAX) continue;
        const bool linear = setup.work.items[from].kind == WorkKind::Linear;
        const bool constant =
            linear && setup.linear(from).constant_input && setup.chip.schedule.reuse_constant_input;
        if (!setup.links[from].sums_stay || (constant && s.t0 > 0))
            setup.read(t, Tensor::Membranes, &TrainingCounters::membrane_read, all, word);
        else if (constant && setup.work.steps > 1)  // the sums serve all timesteps
            setup.write(t, Tensor::Membranes, &TrainingCounters::membrane_write, all, word);
    }
    if (sources.size() > 1) t.count(&TrainingCounters::add, all * (sources.size() - 1));
    return b;
}

Bulk neurons_backward(const Setup& setup, const arch::TrainingArraySpec& array, const Segment& s) {
    const arch::NeuronWork& n = setup.neurons(s.item);
    const arch::TrainingWork& work = setup.work;
    const arch::SparsityRules& rules = setup.chip.sparsity;
    const std::size_t t0 = s.t0;
    const std::uint64_t all = n.count * s.samples(), word = setup.chip.bits.error;
    const bool time = setup.joined(t0);
    const std::uint64_t passing =
        n.fires && rules.derivative != ZeroRule::Dense ? ones(n.derivative, t0, s) : all;
    std::uint64_t later = time ? all : 0;
    if (time && rules.errors != ZeroRule::Dense) later = t0 + 1 < work.steps ? ones(n.error, t0 + 1, s) : 0;
    const auto either = [&](bool derivative, bool errors) {
        if (!n.fires || !derivative || (time && !errors)) return all;
        if (!time || t0 + 1 == work.steps) return ones(n.derivative, t0, s);
        return ones_of_either(n.derivative, t0, n.error, t0 + 1, s);
    };
    Bulk b{{}, 0, array.neuron_cycles, 0};
    b.elements = either(rules.derivative == ZeroRule::Skip, rules.errors == ZeroRule::Skip);
    b.active = either(rules.derivative != ZeroRule::Dense, rules.errors != ZeroRule::Dense);
    Task& t = b.task;
    NeuronErrors e{.all = all, .open = passing, .later = later, .now = all};
    e.joined = time, e.through_reset = !work.detach_reset, e.mask = setup.keeps_mask(n);
    if (rules.errors != ZeroRule::Dense) e.now = ones(n.error, t0, s);
    e.carried = rules.errors == ZeroRule::Dense || t0 + 1 < work.steps ? all : 0;
    add_backward(n, e, leak_event(setup), t.counts);
    if (n.fires) {
        if (e.mask)
            setup.read(t, Tensor::Masks, &TrainingCounters::mask_read, all, 1);
        else
            setup.read(t, Tensor::Membranes, &TrainingCounters::membrane_read, all, setup.chip.bits.membrane);
    }
    if (time) {
        if (n.fires && n.hard_reset) setup.read(t, Tensor::Spikes, &TrainingCounters::spike_read, all, 1);
        const std::uint64_t read = rules.errors == ZeroRule::Skip ? later : all;
        setup.read(t, Tensor::Errors, &TrainingCounters::error_read, read, word);
        const std::uint64_t carried = t0 + 1 < work.steps ? all * n.carried_errors() : 0;
        setup.read(t, Tensor::Errors, &TrainingCounters::error_read, carried, word);
    }
    if (work.temporal)
        setup.write(t, Tensor::Errors, &TrainingCounters::error_write, all * n.carried_errors(), word);
    if (n.learns_leak)  // membranes of the timestep before, and currents
        setup.read(t, Tensor::Membranes, &TrainingCounters::membrane_read, n.scales_input ? 2 * all : all,
                   setup.chip.bits.membrane);
    const auto& links = setup.links[s.item];
    if (!links.errors_stay)
        setup.read(t, Tensor::Errors, &TrainingCounters::error_read,
                   all * std::max<std::size_t>(1, links.users.size()), word);
    const std::uint64_t kept = rules.errors == ZeroRule::Skip ? ones(n.error, t0, s) : all;
    setup.write(t, Tensor::Errors, &TrainingCounters::error_write, kept, word);
    return b;
}

/// What of a total over the minibatch falls to a timestep and some samples.
std::uint64_t part(const Setup& setup, const Segment& s, std::uint64_t total) {
    const std::uint64_t step = share(total, s.t0, setup.work.steps), batch = setup.work.batch;
    return step * s.b1 / batch - step * s.b0 / batch;
}

Bulk elements(const Setup& setup, const arch::TrainingArraySpec& array, const Segment& s) {
    const arch::ElementWork& e = setup.element(s.item);
    const bool forward = s.kind == Kind::ElementForward;
    const arch::ElementOperations& all = forward ? e.forward : e.backward;
    const std::uint64_t add = part(setup, s, all.add), multiply = part(setup, s, all.multiply);
    const std::uint64_t divide = part(setup, s, all.divide), root = part(setup, s, all.sqrt);
    Bulk b;
    b.elements = b.active = add + multiply + (divide + root) * array.divide_cycles;
    Task& t = b.task;
    t.count(&TrainingCounters::add, add);
    t.count(&TrainingCounters::multiply, multiply);
    t.count(&TrainingCounters::divide, divide);
    t.count(&TrainingCounters::square_root, root);
    const std::uint64_t n = e.outputs * s.samples();
    const std::uint64_t passes = e.statistics_steps == 0 ? 1 : 2;  // for the statistics, and to apply them
    const auto read_inputs = [&] {
        for (const std::uint32_t from : setup.work.items[s.item].sources) {
            if (from == UINT32_MAX) continue;
            const std::uint64_t bits = setup.output_bits(from),
                                in = passes * setup.outputs(from) * s.samples();
            if (setup.work.items[from].kind == WorkKind::Neuron)
                setup.read(t, Tensor::Spikes, &TrainingCounters::spike_read, in * bits, 1);
            else
                setup.read(t, Tensor::Membranes, &TrainingCounters::membrane_read, in, bits);
        }
    };
    if (forward) {
        read_inputs();
        bool feeds_linear = false;
        for (const std::uint32_t u : setup.links[s.item].users)
            feeds_linear |= setup.work.items[u].kind == WorkKind::Linear;
        if (feeds_linear)
            setup.write(t, Tensor::Spikes, &TrainingCounters::spike_write, n * setup.output_bits(s.item), 1);
        else
            setup.write(t, Tensor::Membranes, &TrainingCounters::membrane_write, n, setup.chip.bits.membrane);
    } else {
        if (e.statistics_steps != 0) read_inputs();
        setup.read(t, Tensor::Errors, &TrainingCounters::error_read, passes * n, setup.chip.bits.error);
        for (const std::uint32_t from : setup.work.items[s.item].sources)
            if (from != UINT32_MAX)
                setup.write(t, Tensor::Errors, &TrainingCounters::error_write,
                            setup.outputs(from) * s.samples(), setup.chip.bits.error);
    }
    return b;
}

Bulk traces(const Setup& setup, const Segment& s) {
    const std::uint64_t n = setup.linear(s.item).shape.inputs() * s.samples();
    Bulk b{{}, n, 1, n};
    b.task.count(&TrainingCounters::shift, n);
    b.task.count(&TrainingCounters::add, n);
    setup.read(b.task, Tensor::Membranes, &TrainingCounters::membrane_read, n, setup.chip.bits.membrane);
    setup.write(b.task, Tensor::Membranes, &TrainingCounters::membrane_write, n, setup.chip.bits.membrane);
    return b;
}

Bulk update(const Setup& setup, const arch::TrainingArraySpec& array, const Segment& s) {
    const arch::TrainingWork& w = setup.work;
    const std::uint64_t n = setup.parameters(s.item);
    Bulk b{{}, n, 1, n};
    b.cycles =
        std::max(w.update_multiply, w.update_add) + (w.update_sqrt + w.update_divide) * array.divide_cycles;
    Task& t = b.task;
    t.count(&TrainingCounters::multiply, n * w.update_multiply);
    t.count(&TrainingCounters::add, n * w.update_add);
    t.count(&TrainingCounters::square_root, n * w.update_sqrt);
    t.count(&TrainingCounters::divide, n * w.update_divide);
    setup.read(t, Tensor::Gradients, &TrainingCounters::gradient_read, n, setup.chip.bits.gradient);
    setup.read(t, Tensor::Weights, &TrainingCounters::weight_read, n, setup.chip.bits.weight);
    setup.write(t, Tensor::Weights, &TrainingCounters::weight_write, n, setup.chip.bits.weight);
    setup.read(t, Tensor::State, &TrainingCounters::state_read, n * w.state_words, setup.chip.bits.state);
    setup.write(t, Tensor::State, &TrainingCounters::state_write, n * w.state_words, setup.chip.bits.state);
    return b;
}

/// All sums of each group of neighbouring weights; those of one weight are copies.
Bulk tables(const Setup& setup, const Segment& s) {
    const arch::LinearWork& w = setup.linear(s.item);
    const std::uint64_t k = setup.group(w), entries = std::uint64_t{1} << k;
    const std::uint64_t groups = ceil_div(w.shape.group_inputs(), k) * w.shape.window.taps() * w.shape.out_c;
    Bulk b;
    b.elements = b.active = groups * (entries - k - 1);
    b.task.count(&TrainingCounters::add, b.elements);
    b.task.count(&TrainingCounters::lut_write, groups * entries);
    setup.read(b.task, Tensor::Weights, &TrainingCounters::weight_read, w.shape.weights(),
               setup.chip.bits.weight);
    return b;
}

}  // namespace

void vector_tiles(const Setup& setup, const arch::TrainingArraySpec& array, const Segment& s,
                  std::vector<Task>& tasks) {
    Bulk b;
    switch (s.kind) {
        case Kind::NeuronForward:
            b = neurons_forward(setup, array, s);
            break;
        case Kind::NeuronBackward:
            b = neurons_backward(setup, array, s);
            break;
        case Kind::ElementForward:
        case Kind::ElementBackward:
            if (setup.is_wiring(s.item)) return;
            b = elements(setup, array, s);
            break;
        case Kind::Trace:
            b = traces(setup, s);
            break;
        case Kind::Update:
            b = update(setup, array, s);
            break;
        default:
            b = tables(setup, s);
    }
    cut(array, b, tasks);
}

}  // namespace loom::training
