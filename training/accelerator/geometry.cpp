// SPDX-License-Identifier: Apache-2.0
#include "training/accelerator/geometry.hpp"

#include <algorithm>
#include <bit>

namespace loom::training {

Neighbours Neighbours::forward(const arch::LinearShape& s) {
    Neighbours n;
    for (std::size_t y = 0; y < s.out_h; ++y)
        for (std::size_t x = 0; x < s.out_w; ++x) {
            s.window.rows.each_input(y, s.in_h, [&](std::size_t iy, std::size_t ky) {
                s.window.columns.each_input(x, s.in_w, [&](std::size_t ix, std::size_t kx) {
                    n.entries_.push_back({static_cast<std::uint32_t>(iy * s.in_w + ix),
                                          static_cast<std::uint32_t>(ky * s.window.columns.kernel + kx)});
                });
            });
            n.first_.push_back(static_cast<std::uint32_t>(n.entries_.size()));
        }
    return n;
}

Neighbours Neighbours::backward(const arch::LinearShape& s) {
    const Neighbours to = forward(s);
    std::vector<std::vector<Entry>> from(s.in_h * s.in_w);
    for (std::size_t o = 0; o < to.positions(); ++o)
        for (const Entry& e : to.of(o)) from[e.position].push_back({static_cast<std::uint32_t>(o), e.tap});
    Neighbours n;
    for (const auto& list : from) {
        n.entries_.insert(n.entries_.end(), list.begin(), list.end());
        n.first_.push_back(static_cast<std::uint32_t>(n.entries_.size()));
    }
    return n;
}

std::uint64_t group_bits(std::uint64_t word, std::size_t group) {
    if (group <= 1) return word;
    std::uint64_t lowest = 0;
    for (std::size_t i = 0; i < 64; i += group) lowest |= std::uint64_t{1} << i;
    for (std::size_t s = 1; s < group; s *= 2) word |= word >> s;
    return word & lowest;
}

Pixels::Pixels(const std::vector<const arch::BitSignal*>& signals, std::size_t t, std::size_t b0,
               std::size_t b1, std::size_t positions, const ChannelRange& channels, std::size_t group)
    : per_pixel_((channels.count + 63) / 64),
      channels_(channels.count),
      words_((b1 - b0) * positions * per_pixel_),
      ones_((b1 - b0) * positions) {
    for (const arch::BitSignal* signal : signals)
        for (std::size_t b = b0; b < b1; ++b) {
            const auto row = signal->row(t, b);
            for (std::size_t p = 0; p < positions; ++p) {
                const std::size_t pixel = (b - b0) * positions + p;
                std::uint64_t* to = words_.data() + pixel * per_pixel_;
                for (std::size_t w = 0; w < per_pixel_; ++w) {
                    const std::size_t bit = p * channels.all + channels.first + w * 64;
                    const std::size_t left = std::min<std::size_t>(64, channels.count - w * 64);
                    std::uint64_t v = row[bit / 64] >> bit % 64;
                    if (bit % 64 != 0 && bit / 64 + 1 < row.size()) v |= row[bit / 64 + 1] << (64 - bit % 64);
                    if (left < 64) v &= (std::uint64_t{1} << left) - 1;
                    v = group_bits(v, group);
                    to[w] |= v;
                    ones_[pixel] += static_cast<std::uint32_t>(std::popcount(v));
                }
            }
        }
}

std::uint32_t Pixels::ones(std::size_t pixel, std::size_t first, std::size_t end) const {
    std::uint32_t n = 0;
    const auto row = words(pixel);
    for (std::size_t w = first / 64; w * 64 < end; ++w) {
        std::uint64_t v = row[w];
        if (w * 64 < first) v &= ~std::uint64_t{0} << (first - w * 64);
        if (end - w * 64 < 64) v &= (std::uint64_t{1} << (end - w * 64)) - 1;
        n += static_cast<std::uint32_t>(std::popcount(v));
    }
    return n;
}

std::uint64_t Places::ones(std::size_t r) const {
    std::uint64_t n = 0;
    for (const std::uint64_t w : row(r)) n += static_cast<std::uint64_t>(std::popcount(w));
    return n;
}

void Places::fold(std::size_t group) {
    for (std::uint64_t& w : bits_) w = group_bits(w, group);
}

}  // namespace loom::training
