// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>
#include <string_view>

namespace loom {

/// The SHA-1 digest of some bytes, as 40 hexadecimal digits (FIPS 180-4). Tells contents apart; it is no
/// protection against someone who wants two contents to look alike.
std::string sha1_hex(std::string_view bytes);

}  // namespace loom
