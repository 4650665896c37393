// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "arch/program.hpp"

namespace loom::foreign {

/// The weights of a program as one block of bytes. First a table of 32-bit words: 0x474D494C, number of
/// groups of axons, then for each group: endpoint, first axon, axons, first neuron, bits of a weight, offset
/// and bytes of its weights within the block. Then the weights of the groups, each 8-byte aligned, as the
/// group's kind of rows has them (dense: [axon][neuron]); integers in two's complement, 64 bits mean double.
/// All little-endian.
class ProgramImage {
  public:
    static constexpr std::uint32_t kMagic = 0x474D494C;
    static constexpr std::uint32_t kWordsOfGroup = 7;

    /// Gives every group weights of its own in `program`, which outlives the image. Cores read them from
    /// there: near-memory cores whenever a packet comes, arrays when they are programmed.
    explicit ProgramImage(arch::Program& program);
    std::uint64_t size() const { return size_; }
    /// Copies bytes [at, at + bytes.size()) out. False when they are not all inside.
    bool read(std::uint64_t at, std::span<std::uint8_t> bytes) const;
    /// Overwrites weights; false when not all bytes are of weights.
    bool write(std::uint64_t at, std::span<const std::uint8_t> bytes);

  private:
    struct Part {
        std::uint64_t at = 0, size = 0;
        std::uint8_t* data = nullptr;
    };
    const Part* part_at(std::uint64_t at) const;
    std::vector<std::uint8_t> table_;
    std::vector<Part> parts_;
    std::uint64_t size_ = 0;
};

}  // namespace loom::foreign
