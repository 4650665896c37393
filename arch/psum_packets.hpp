// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <algorithm>
#include <cstdint>

#include "arch/core_kind.hpp"
#include "base/error.hpp"

namespace loom::arch {

/// How partial sums travel from core to core: `per_packet` of them, psum_bits each, behind the header of a
/// spike packet. A payload has 64 bits at most; of the numbers that fit, the one with the fewest flits per
/// sum, and of those the largest.
class PsumPackets {
  public:
    static constexpr std::uint64_t kPayloadBits = 64;

    /// Throws InternalError when cores of the kind send no sums.
    PsumPackets(const ChipSpec& chip, std::size_t kind)
        : bits_(bits_of(chip.kind(kind))), flit_bits_(chip.noc.flit_bits) {
        const AxonOutSpec& out = chip.kind(kind).axon_out;
        header_bits_ = out.flits != 0 ? out.flits * flit_bits_ : out.packet_bits;
        for (std::uint64_t n = 2; n * bits_ <= kPayloadBits; ++n) {
            if (flits(n) * per_packet_ <= flits(per_packet_) * n) per_packet_ = n;
        }
    }
    std::uint64_t bits() const { return bits_; }
    std::uint64_t per_packet() const { return per_packet_; }
    std::uint64_t packets(std::uint64_t sums) const { return (sums + per_packet_ - 1) / per_packet_; }
    /// Of a packet with n sums.
    std::uint64_t flits(std::uint64_t n) const {
        return (header_bits_ + n * bits_ + flit_bits_ - 1) / flit_bits_;
    }

    /// Sum i of a packet; v must fit the bits.
    std::int64_t put(std::int64_t payload, std::uint64_t i, std::int64_t v) const {
        return payload | static_cast<std::int64_t>((static_cast<std::uint64_t>(v) & mask()) << (i * bits_));
    }
    std::int64_t get(std::int64_t payload, std::uint64_t i) const {
        const std::uint64_t v = static_cast<std::uint64_t>(payload) >> (i * bits_) & mask();
        const auto unused = static_cast<int>(64 - bits_);
        return static_cast<std::int64_t>(v << unused) >> unused;
    }

  private:
    static std::uint64_t bits_of(const CoreSpec& core) {
        const auto sums = core.type().partial_sums(core);
        if (!sums) throw InternalError("partial sums of a kind of core that sends none");
        return sums->bits;
    }
    std::uint64_t mask() const { return ~std::uint64_t{0} >> (64 - bits_); }

    std::uint64_t bits_, flit_bits_, header_bits_ = 0, per_packet_ = 1;
};

}  // namespace loom::arch
