// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <vector>

#include "base/fields.hpp"
#include "training/learn/signal.hpp"

namespace loom::app {

/// `data.file: synthetic`: images drawn from counter-based random numbers, where no data set is at hand.
struct SyntheticSpec {
    std::uint64_t samples = 512, test = 128, classes = 10, seed = 1;
    double noise = 0.5;
};
template <class V>
void fields(V& v, SyntheticSpec& s) {
    v("samples", s.samples, {.doc = "training images", .min = 1, .max = 1 << 20});
    v("test", s.test, {.doc = "test images", .max = 1 << 20});
    v("classes", s.classes, {.doc = "image i is of class i mod classes", .min = 1, .max = 1 << 16});
    v("seed", s.seed, {.doc = "of patterns, shifts and noise", .max = kAnyWhole});
    v("noise", s.noise, {.doc = "width of the uniform noise on each value", .min = 0, .max = 1});
}

/// Values of images first ... first + count - 1, stored as signals are (channel last), each from 0 to 1. A
/// class is a sum of three plane triangle waves per channel; an image shifts it by up to two pixels and adds
/// noise. Exact: the same bits on every machine.
std::vector<float> synthetic_images(const SyntheticSpec& spec, const learn::Shape& shape, std::uint64_t first,
                                    std::uint64_t count);

}  // namespace loom::app
