// SPDX-License-Identifier: Apache-2.0
#include "app/train/synthetic_images.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "base/rng.hpp"

namespace loom::app {
namespace {

constexpr std::uint32_t kPatternStream = 0x73796e70, kNoiseStream = 0x73796e6e;
constexpr std::uint32_t kWaves = 3, kShifts = 5;

/// Triangle wave of period 1, -1 to 1.
double triangle(double phase) {
    return 4 * std::abs(phase - std::floor(phase) - 0.5) - 1;
}

/// Plane waves of up to three periods per image in either direction.
struct Wave {
    double rows, columns, phase;
};
std::array<Wave, kWaves> waves_of(const CounterRng& rng, std::uint64_t pattern) {
    std::array<Wave, kWaves> waves;
    for (std::uint32_t w = 0; w < kWaves; ++w)
        waves[w] = {std::floor(4 * rng.uniform(pattern, w, 0)), std::floor(4 * rng.uniform(pattern, w, 1)),
                    rng.uniform(pattern, w, 2)};
    return waves;
}

}  // namespace

std::vector<float> synthetic_images(const SyntheticSpec& spec, const learn::Shape& shape, std::uint64_t first,
                                    std::uint64_t count) {
    const CounterRng patterns(spec.seed, kPatternStream), noise(spec.seed, kNoiseStream);
    std::vector<float> values(count * shape.count());
    for (std::uint64_t n = 0; n < count; ++n) {
        const std::uint64_t image = first + n, label = image % spec.classes;
        const double down = patterns.word(image, kWaves, 0) % kShifts;
        const double right = patterns.word(image, kWaves, 1) % kShifts;
        for (std::size_t c = 0; c < shape.channels; ++c) {
            const auto waves = waves_of(patterns, label * shape.channels + c);
            for (std::size_t row = 0; row < shape.height; ++row)
                for (std::size_t column = 0; column < shape.width; ++column) {
                    double v = 0.5;
                    for (const Wave& w : waves)
                        v += 0.15 * triangle(w.phase +
                                             w.rows * (static_cast<double>(row) + down) /
                                                 static_cast<double>(shape.height) +
                                             w.columns * (static_cast<double>(column) + right) /
                                                 static_cast<double>(shape.width));
                    const std::size_t i = (row * shape.width + column) * shape.channels + c;
                    v += spec.noise * (noise.uniform(image, static_cast<std::uint32_t>(i)) - 0.5);
                    values[n * shape.count() + i] = static_cast<float>(std::clamp(v, 0.0, 1.0));
                }
        }
    }
    return values;
}

}  // namespace loom::app
