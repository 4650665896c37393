// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace loom {

/// The SHA-1 digest (FIPS 180-4) of bytes that come in parts. Tells contents apart; it is no protection against
/// someone who wants two contents to look alike.
class Sha1 {
  public:
    using State = std::array<std::uint32_t, 5>;
    using Block = std::array<std::uint8_t, 64>;  ///< what one round of the digest takes in

    void add(std::string_view bytes);
    /// 40 hexadecimal digits.
    std::string hex() const;

  private:
    State state_{0x67452301U, 0xefcdab89U, 0x98badcfeU, 0x10325476U, 0xc3d2e1f0U};
    Block block_{};
    std::uint64_t size_ = 0;
};

/// The digest of bytes that are all there.
std::string sha1_hex(std::string_view bytes);

}  // namespace loom
