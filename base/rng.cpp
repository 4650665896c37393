// SPDX-License-Identifier: Apache-2.0
#include "base/rng.hpp"

#include "base/portable_math.hpp"

namespace loom {

std::array<std::uint32_t, 4> philox4x32(std::array<std::uint32_t, 4> c, std::array<std::uint32_t, 2> key) {
    for (int round = 0; round < 10; ++round) {
        const std::uint64_t p0 = std::uint64_t{0xD2511F53u} * c[0];
        const std::uint64_t p1 = std::uint64_t{0xCD9E8D57u} * c[2];
        c = {static_cast<std::uint32_t>(p1 >> 32) ^ c[1] ^ key[0], static_cast<std::uint32_t>(p1),
             static_cast<std::uint32_t>(p0 >> 32) ^ c[3] ^ key[1], static_cast<std::uint32_t>(p0)};
        key[0] += 0x9E3779B9u;
        key[1] += 0xBB67AE85u;
    }
    return c;
}

std::array<std::uint32_t, 4> CounterRng::block(std::uint64_t entity, std::uint32_t step,
                                               std::uint32_t k4) const {
    return philox4x32({static_cast<std::uint32_t>(entity), static_cast<std::uint32_t>(entity >> 32), step,
                       (stream_ << 16) ^ k4},
                      {static_cast<std::uint32_t>(seed_), static_cast<std::uint32_t>(seed_ >> 32)});
}

std::uint32_t CounterRng::word(std::uint64_t entity, std::uint32_t step, std::uint32_t k) const {
    return block(entity, step, k >> 2)[k & 3u];
}

double CounterRng::normal(std::uint64_t entity, std::uint32_t step, std::uint32_t k) const {
    return normal_of_word(word(entity, step, k));
}

double CounterRng::uniform(std::uint64_t entity, std::uint32_t step, std::uint32_t k) const {
    return static_cast<double>(word(entity, step, k)) * 0x1p-32;
}

bool CounterRng::bernoulli(double p, std::uint64_t entity, std::uint32_t step) const {
    return static_cast<double>(word(entity, step)) < p * 0x1p32;
}

}  // namespace loom
