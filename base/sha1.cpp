// SPDX-License-Identifier: Apache-2.0
#include "base/sha1.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cstring>

namespace loom {
namespace {

constexpr std::size_t kBlock = std::tuple_size_v<Sha1::Block>;
constexpr std::size_t kLengthBytes = 8;  ///< bytes of the length that ends the last block

using State = Sha1::State;
using Block = Sha1::Block;

std::uint32_t big_endian(const std::uint8_t* p) {
    return (std::uint32_t{p[0]} << 24) | (std::uint32_t{p[1]} << 16) | (std::uint32_t{p[2]} << 8) | p[3];
}

/// Function and constant of round t, section 4.1.1 and 4.2.1 of the standard.
std::uint32_t mixed(std::size_t t, std::uint32_t b, std::uint32_t c, std::uint32_t d) {
    if (t < 20) return ((b & c) | (~b & d)) + 0x5a827999U;
    if (t < 40) return (b ^ c ^ d) + 0x6ed9eba1U;
    if (t < 60) return ((b & c) | (b & d) | (c & d)) + 0x8f1bbcdcU;
    return (b ^ c ^ d) + 0xca62c1d6U;
}

void take_in(State& state, const std::uint8_t* block) {
    std::array<std::uint32_t, 80> w;
    for (std::size_t t = 0; t < 16; ++t) w[t] = big_endian(block + 4 * t);
    for (std::size_t t = 16; t < w.size(); ++t)
        w[t] = std::rotl(w[t - 3] ^ w[t - 8] ^ w[t - 14] ^ w[t - 16], 1);
    auto [a, b, c, d, e] = state;
    for (std::size_t t = 0; t < w.size(); ++t) {
        const std::uint32_t next = std::rotl(a, 5) + mixed(t, b, c, d) + e + w[t];
        e = d;
        d = c;
        c = std::rotl(b, 30);
        b = a;
        a = next;
    }
    state[0] += a;
    state[1] += b;
    state[2] += c;
    state[3] += d;
    state[4] += e;
}

}  // namespace

void Sha1::add(std::string_view bytes) {
    const auto* data = reinterpret_cast<const std::uint8_t*>(bytes.data());
    std::size_t left = bytes.size();
    const std::size_t begun = size_ % kBlock;
    size_ += left;
    if (begun != 0) {
        const std::size_t n = std::min(left, kBlock - begun);
        std::memcpy(block_.data() + begun, data, n);
        if (begun + n < kBlock) return;
        take_in(state_, block_.data());
        data += n, left -= n;
    }
    for (; left >= kBlock; left -= kBlock, data += kBlock) take_in(state_, data);
    if (left != 0) std::memcpy(block_.data(), data, left);
}

std::string Sha1::hex() const {
    // The end: the last bytes, a one bit, zeros, and the number of bits in the last eight bytes.
    State state = state_;
    Block last{};
    const std::size_t rest = size_ % kBlock;
    std::memcpy(last.data(), block_.data(), rest);
    last[rest] = 0x80;
    if (rest + 1 + kLengthBytes > kBlock) {
        take_in(state, last.data());
        last.fill(0);
    }
    const std::uint64_t bits = size_ * 8;
    for (std::size_t i = 0; i < kLengthBytes; ++i)
        last[kBlock - 1 - i] = static_cast<std::uint8_t>(bits >> (8 * i));
    take_in(state, last.data());
    return fmt::format("{:08x}{:08x}{:08x}{:08x}{:08x}", state[0], state[1], state[2], state[3], state[4]);
}

std::string sha1_hex(std::string_view bytes) {
    Sha1 digest;
    digest.add(bytes);
    return digest.hex();
}

}  // namespace loom
