// SPDX-License-Identifier: Apache-2.0
#include "base/sha1.hpp"

#include <gtest/gtest.h>

namespace loom {
namespace {

// The messages of FIPS 180 and RFC 3174.
TEST(Sha1Test, PublishedVectors) {
    EXPECT_EQ(sha1_hex(""), "da39a3ee5e6b4b0d3255bfef95601890afd80709");
    EXPECT_EQ(sha1_hex("abc"), "a9993e364706816aba3e25717850c26c9cd0d89d");
    EXPECT_EQ(sha1_hex("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
              "84983e441c3bd26ebaae4aa1f95129e5e54670f1");
    EXPECT_EQ(sha1_hex(std::string(1'000'000, 'a')), "34aa973cd4c4daa4f61eeb2bdbad27316534016f");
    std::string digits;
    for (int i = 0; i < 80; ++i) digits += "01234567";
    EXPECT_EQ(sha1_hex(digits), "dea356a2cddd90c7a7ecedc5ebb563934f460452");
}

// The padding's cases: the length fits the last block (55 bytes), needs another one (56), the message ends
// with a block (64). Digests of Python's hashlib.
TEST(Sha1Test, EveryLengthOfTheLastBlock) {
    EXPECT_EQ(sha1_hex(std::string(55, 'x')), "cef734ba81a024479e09eb5a75b6ddae62e6abf1");
    EXPECT_EQ(sha1_hex(std::string(56, 'x')), "901305367c259952f4e7af8323f480d59f81335b");
    EXPECT_EQ(sha1_hex(std::string(63, 'x')), "0ddc4e0cccd9a12850deb5abb0853a4425559fec");
    EXPECT_EQ(sha1_hex(std::string(64, 'x')), "bb2fa3ee7afb9f54c6dfb5d021f14b1ffe40c163");
    EXPECT_EQ(sha1_hex(std::string(65, 'x')), "78c741ddc482e4cdf8c474a0876347a0905b6233");
}

TEST(Sha1Test, PartsOfAnyLength) {
    std::string text;
    for (int i = 0; i < 500; ++i) text += static_cast<char>(i * 7);
    for (const std::size_t step : {1U, 3U, 55U, 63U, 64U, 65U, 128U, 200U}) {
        Sha1 parts;
        for (std::size_t at = 0; at < text.size(); at += step)
            parts.add(std::string_view(text).substr(at, step));
        EXPECT_EQ(parts.hex(), sha1_hex(text)) << step;
        EXPECT_EQ(parts.hex(), sha1_hex(text)) << "asked twice";
    }
}

TEST(Sha1Test, BytesAreNotText) {
    EXPECT_EQ(sha1_hex(std::string_view("\xff\x00\x80", 3)), "5b101b10a702a5f4c07341f584b73626276251ac");
}

}  // namespace
}  // namespace loom
