// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>
#include <vector>

#include "base/rng.hpp"
#include "training/work/training_work.hpp"

namespace loom::training {

struct RandomWork {
    std::size_t steps = 4, batch = 4;
    double spikes = 0.2, errors = 0.5, derivative = 0.5;
    std::uint64_t seed = 1;
};

/// Bits that are set with a probability, the same for the same key.
inline arch::BitSignal random_bits(const RandomWork& r, std::size_t count, double density,
                                   std::uint64_t key) {
    arch::BitSignal s(r.steps, r.batch, count);
    const CounterRng rng(r.seed, static_cast<std::uint32_t>(key));
    const auto limit = static_cast<std::uint64_t>(density * 65536);
    for (std::size_t t = 0; t < r.steps; ++t)
        for (std::size_t b = 0; b < r.batch; ++b)
            for (std::size_t i = 0; i < count; i += 2) {
                const std::uint32_t word = rng.word(t * r.batch + b, static_cast<std::uint32_t>(i));
                for (std::size_t j = 0; j < 2 && i + j < count; ++j)
                    if ((word >> 16 * j & 0xFFFF) < limit) s.set(t, b, i + j);
            }
    return s;
}

/// Neurons after every matrix; `shapes`: matrices in a chain, where the outputs of one are the inputs of the
/// next.
inline arch::TrainingWork random_chain(const std::vector<arch::LinearShape>& shapes, const RandomWork& r) {
    arch::TrainingWork w;
    w.steps = r.steps;
    w.batch = r.batch;
    arch::BitSignal below = random_bits(r, shapes[0].inputs(), r.spikes, 0), wanted;
    std::uint32_t last = UINT32_MAX;
    for (std::size_t l = 0; l < shapes.size(); ++l) {
        arch::LinearWork m;
        m.name = "w" + std::to_string(l + 1);
        m.shape = shapes[l];
        m.sends_error = l > 0;
        m.input = below;
        m.wanted = wanted;
        m.error = random_bits(r, shapes[l].outputs(), r.errors, 3 * l + 1);
        arch::NeuronWork n;
        n.name = "lif" + std::to_string(l + 1);
        n.count = shapes[l].outputs();
        n.compare = 2;
        n.spikes = below = random_bits(r, n.count, r.spikes, 3 * l + 2);
        n.error = m.error;
        n.derivative = wanted = random_bits(r, n.count, r.derivative, 3 * l + 3);
        w.parameters += shapes[l].weights();
        w.linear.push_back(std::move(m));
        w.neurons.push_back(std::move(n));
        const auto at = static_cast<std::uint32_t>(l);
        w.items.push_back({arch::WorkKind::Linear, at, {last}});
        w.items.push_back({arch::WorkKind::Neuron, at, {static_cast<std::uint32_t>(w.items.size() - 1)}});
        last = static_cast<std::uint32_t>(w.items.size() - 1);
    }
    return w;
}

/// Dense layers of these widths.
inline arch::TrainingWork random_network(const std::vector<std::size_t>& widths, const RandomWork& r) {
    std::vector<arch::LinearShape> shapes;
    for (std::size_t l = 0; l + 1 < widths.size(); ++l) {
        arch::LinearShape s;
        s.in_c = widths[l];
        s.out_c = widths[l + 1];
        shapes.push_back(s);
    }
    return random_chain(shapes, r);
}

/// f(output position, input position, tap) for every pair of positions of which none is in the padding.
template <class F>
void each_pair(const arch::LinearShape& s, F f) {
    const auto at = [](const arch::WindowAxis& a, std::size_t o, std::size_t k) {
        return static_cast<long>(o * a.stride + k * a.dilation) - static_cast<long>(a.before);
    };
    const std::size_t wide = s.window.columns.kernel;
    for (std::size_t oy = 0; oy < s.out_h; ++oy)
        for (std::size_t ox = 0; ox < s.out_w; ++ox)
            for (std::size_t tap = 0; tap < s.window.rows.kernel * wide; ++tap) {
                const long y = at(s.window.rows, oy, tap / wide), x = at(s.window.columns, ox, tap % wide);
                if (y < 0 || x < 0 || y >= static_cast<long>(s.in_h) || x >= static_cast<long>(s.in_w))
                    continue;
                f(oy * s.out_w + ox, static_cast<std::size_t>(y) * s.in_w + static_cast<std::size_t>(x), tap);
            }
}

inline arch::LinearShape conv_shape(std::size_t side, std::size_t in, std::size_t out,
                                    std::size_t stride = 1) {
    arch::LinearShape s;
    s.in_h = s.in_w = side;
    s.in_c = in;
    s.out_c = out;
    s.window = arch::square_window(3, stride, 1);
    s.out_h = s.out_w = (side - 1) / stride + 1;
    return s;
}

}  // namespace loom::training
