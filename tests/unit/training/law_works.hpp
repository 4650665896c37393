// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "tests/unit/training/chips.hpp"
#include "tests/unit/training/random_work.hpp"
#include "training/accelerator/make_engine.hpp"

namespace loom::training {

using arch::SparsityRules;
using arch::ZeroRule;

inline constexpr ZeroRule D = ZeroRule::Dense, G = ZeroRule::Gate, S = ZeroRule::Skip;

inline EngineRecord run(const arch::TrainingWork& work, const arch::TrainingChip& chip,
                        std::uint64_t shuffle = 0) {
    const auto engine = make_engine(chip);
    engine->shuffle(shuffle);
    engine->execute(work);
    return engine->record();
}
inline std::uint64_t events(const EngineRecord& r, Phase p, TrainingEvent e) {
    std::uint64_t n = 0;
    for (const LayerRecord& l : r.layers) n += l.phases[static_cast<std::size_t>(p)].counts[e];
    return n;
}
inline std::uint64_t matrix(const EngineRecord& r, Phase p) {
    return events(r, p, &TrainingCounters::ac) + events(r, p, &TrainingCounters::mac);
}
inline std::uint64_t phase_cycles(const EngineRecord& r, Phase p) {
    std::uint64_t n = 0;
    for (const LayerRecord& l : r.layers) n += l.phases[static_cast<std::size_t>(p)].cycles;
    return n;
}
inline std::uint64_t phase_cycles(const EngineRecord& r) {
    std::uint64_t n = 0;
    for (std::size_t p = 0; p < kPhases; ++p) n += phase_cycles(r, static_cast<Phase>(p));
    return n;
}
inline arch::LinearShape uneven() {
    arch::LinearShape s = conv_shape(7, 5, 21, 2);
    s.in_w = 9;
    s.out_w = 5;
    return s;
}
/// Two convolutions with stride and padding, a dense layer; nothing is a multiple of the array.
inline arch::TrainingWork conv_work(const RandomWork& r = {}) {
    arch::LinearShape second = conv_shape(4, 21, 18);
    second.in_w = second.out_w = 5;
    arch::LinearShape last;
    last.in_c = second.outputs();
    last.out_c = 10;
    return random_chain({uneven(), second, last}, r);
}

/// Windows of any kind: dilation, axes that differ, more padding behind than before, groups, depthwise.
inline arch::TrainingWork windows_work(const RandomWork& r = {}) {
    const auto outputs = [](arch::LinearShape s) {
        s.out_h = s.window.rows.outputs(s.in_h), s.out_w = s.window.columns.outputs(s.in_w);
        return s;
    };
    const arch::LinearShape first = outputs({.in_h = 9,
                                             .in_w = 7,
                                             .in_c = 6,
                                             .out_c = 70,
                                             .window = {{3, 2, 2, 1, 1}, {2, 1, 3, 0, 2}},
                                             .groups = 2});
    const arch::LinearShape depthwise = outputs({.in_h = first.out_h,
                                                 .in_w = first.out_w,
                                                 .in_c = 70,
                                                 .out_c = 140,
                                                 .window = {{3, 1, 1, 1, 1}, {1, 2}},
                                                 .groups = 70});
    const arch::LinearShape pointwise =
        outputs({.in_h = depthwise.out_h, .in_w = depthwise.out_w, .in_c = 140, .out_c = 18});
    arch::LinearShape last;
    last.in_c = pointwise.outputs();
    last.out_c = 10;
    arch::TrainingWork w = random_chain({first, depthwise, pointwise, last}, r);
    w.linear[1].bias = true;
    return w;
}

struct Brute {
    std::uint64_t forward = 0, backward = 0, gradient = 0;
};
/// Pairs one by one.
inline Brute brute_force(const arch::TrainingWork& w, const SparsityRules& rules) {
    Brute n;
    for (const arch::LinearWork& l : w.linear)
        for (std::size_t t = 0; t < w.steps; ++t)
            for (std::size_t b = 0; b < w.batch; ++b)
                each_pair(l.shape, [&](std::size_t q, std::size_t p, std::size_t) {
                    const std::size_t in = p * l.shape.in_c, out = q * l.shape.out_c;
                    for (std::size_t c = 0; c < l.shape.in_c; ++c) {
                        const bool s = rules.spikes == D || l.input.test(t, b, in + c);
                        const bool h =
                            rules.derivative == D || l.wanted.empty() || l.wanted.test(t, b, in + c);
                        for (std::size_t k = 0; k < l.shape.out_c; ++k) {
                            if (c * l.shape.groups / l.shape.in_c != k * l.shape.groups / l.shape.out_c)
                                continue;
                            const bool g = rules.errors == D || l.error.test(t, b, out + k);
                            n.forward += s;
                            n.backward += l.sends_error && g && h;
                            n.gradient += s && g;
                        }
                    }
                });
    return n;
}

inline std::vector<SparsityRules> all_rules() {
    std::vector<SparsityRules> rules;
    for (const ZeroRule s : {D, G, S})
        for (const ZeroRule g : {D, G, S})
            for (const ZeroRule h : {D, G, S}) rules.push_back({s, g, h});
    return rules;
}

}  // namespace loom::training
