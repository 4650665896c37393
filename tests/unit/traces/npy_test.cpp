// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zlib.h>

#include <cstring>
#include <filesystem>
#include <fstream>

#include "base/error.hpp"
#include "traces/npy.hpp"

namespace loom::traces {
namespace {

using Bytes = std::vector<std::uint8_t>;

std::string scratch(const std::string& name) {
    return (std::filesystem::path(::testing::TempDir()) / ("spikeloom_" + name)).string();
}
void save(const std::string& path, const Bytes& b) {
    std::ofstream(path, std::ios::binary)
        .write(reinterpret_cast<const char*>(b.data()), static_cast<std::streamsize>(b.size()));
}

Bytes npy(const std::string& header, const Bytes& data, int version = 1) {
    Bytes b{0x93, 'N', 'U', 'M', 'P', 'Y', static_cast<std::uint8_t>(version), 0};
    b.push_back(static_cast<std::uint8_t>(header.size() & 255));
    b.push_back(static_cast<std::uint8_t>(header.size() >> 8));
    if (version >= 2) b.insert(b.end(), 2, 0);
    b.insert(b.end(), header.begin(), header.end());
    b.insert(b.end(), data.begin(), data.end());
    return b;
}
std::string head(const std::string& descr, const std::string& shape, const std::string& fortran = "False") {
    return "{'descr': '" + descr + "', 'fortran_order': " + fortran + ", 'shape': " + shape + ", }\n";
}
template <class T>
Bytes raw(std::initializer_list<T> values) {
    Bytes b(values.size() * sizeof(T));
    std::memcpy(b.data(), std::data(values), b.size());
    return b;
}

template <class T>
void expect_values(const char* descr) {
    const Array a = parse_npy(npy(head(descr, "(3,)"), raw<T>({T{1}, T{0}, static_cast<T>(100)})), "x");
    ASSERT_EQ(a.shape(), std::vector<std::size_t>{3});
    EXPECT_EQ(a.at(0), 1);
    EXPECT_EQ(a.at(1), 0);
    EXPECT_EQ(a.at(2), 100);
}

TEST(Npy, EveryElementType) {
    expect_values<std::uint8_t>("|u1");
    expect_values<std::int8_t>("|i1");
    expect_values<std::uint8_t>("|b1");
    expect_values<std::uint16_t>("<u2");
    expect_values<std::int16_t>("<i2");
    expect_values<std::uint32_t>("<u4");
    expect_values<std::int32_t>("<i4");
    expect_values<std::uint64_t>("<u8");
    expect_values<std::int64_t>("<i8");
    expect_values<float>("<f4");
    expect_values<double>("<f8");
    const Array half =
        parse_npy(npy(head("<f2", "(4,)"), raw<std::uint16_t>({0x3C00, 0xC000, 0x3555, 0x0001})), "x");
    EXPECT_EQ(half.at(0), 1.0);
    EXPECT_EQ(half.at(1), -2.0);
    EXPECT_NEAR(half.at(2), 1.0 / 3, 1e-4);
    EXPECT_EQ(half.at(3), 0x1p-24);
    EXPECT_EQ(parse_npy(npy(head("|i1", "(1,)"), {0xFF}), "x").at(0), -1);
}

TEST(Npy, ByteOrderLayoutAndVersions) {
    EXPECT_EQ(parse_npy(npy(head(">i4", "(2,)"), {0, 0, 1, 2, 0xFF, 0xFF, 0xFF, 0xFE}), "x").at(0), 258);
    EXPECT_EQ(parse_npy(npy(head(">i4", "(2,)"), {0, 0, 1, 2, 0xFF, 0xFF, 0xFF, 0xFE}), "x").at(1), -2);
    const Array f = parse_npy(npy(head("|u1", "(2, 3)", "True"), {1, 4, 2, 5, 3, 6}), "x");
    for (std::size_t i = 0; i < 6; ++i) EXPECT_EQ(f.at(i), static_cast<double>(i + 1));
    EXPECT_EQ(parse_npy(npy(head("|u1", "(2,)"), {7, 8}, 2), "x").at(1), 8);
    EXPECT_EQ(parse_npy(npy(head("|u1", "()"), {9}), "x").at(0), 9);
    EXPECT_EQ(parse_npy(npy(head("|u1", "(0, 5)"), {}), "x").size(), 0u);
}

TEST(Npy, Malformed) {
    const auto message = [](const Bytes& b) {
        try {
            parse_npy(b, "x.npy");
        } catch (const InputError& e) {
            return std::string(e.what());
        }
        return std::string("accepted");
    };
    EXPECT_EQ(message({}), "x.npy: not a .npy array");
    EXPECT_EQ(message({'h', 'e', 'l', 'l', 'o', ' ', 'w', 'o', 'r', 'l', 'd'}), "x.npy: not a .npy array");
    EXPECT_EQ(message(npy(head("<c8", "(1,)"), Bytes(8))),
              "x.npy: element type '<c8' is not supported (bool, integers, float16 to float64)");
    EXPECT_EQ(message(npy(head("<f8", "(2,)"), Bytes(8))), "x.npy: 8 bytes of data, the .npy header says 16");
    EXPECT_EQ(message(npy(head("<f8", "(99999999999, 99999999999)"), {})),
              "x.npy: the .npy header asks for too many elements");
    EXPECT_EQ(message(npy("{'descr': '<f8'}", {})), "x.npy: the .npy header has no 'shape'");
    EXPECT_EQ(message(npy(head("<f8", "(a,)"), {})), "x.npy: malformed shape in the .npy header");
    Bytes cut = npy(head("<f8", "(1,)"), Bytes(8));
    cut.resize(20);
    EXPECT_EQ(message(cut), "x.npy: the .npy header is cut off");
    EXPECT_THROW(read_npy(scratch("absent.npy")), IoError);
}

TEST(Npy, RoundTrip) {
    const Array a = Array::of({2, 2}, {1.5, -2, 1e300, 0});
    write_npy(scratch("a.npy"), a);
    const Array b = read_npy(scratch("a.npy"));
    EXPECT_EQ(b.shape(), a.shape());
    for (std::size_t i = 0; i < 4; ++i) EXPECT_EQ(b.at(i), a.at(i));
}

void number(Bytes& b, std::uint64_t v, int n) {
    for (int i = 0; i < n; ++i) b.push_back(static_cast<std::uint8_t>(v >> (8 * i)));
}

/// A ZIP with one member.
Bytes zip(const std::string& name, const Bytes& data, bool deflated, bool zip64 = false,
          std::uint32_t crc_error = 0, std::int64_t size_error = 0) {
    Bytes packed = data;
    if (deflated) {
        packed.resize(compressBound(data.size()) + 32);
        z_stream z{};
        deflateInit2(&z, 6, Z_DEFLATED, -MAX_WBITS, 8, Z_DEFAULT_STRATEGY);
        z.next_in = const_cast<Bytef*>(data.data());
        z.avail_in = static_cast<uInt>(data.size());
        z.next_out = packed.data();
        z.avail_out = static_cast<uInt>(packed.size());
        deflate(&z, Z_FINISH);
        packed.resize(packed.size() - z.avail_out);
        deflateEnd(&z);
    }
    const auto crc =
        static_cast<std::uint32_t>(crc32(crc32(0, nullptr, 0), data.data(), static_cast<uInt>(data.size()))) ^
        crc_error;
    const auto size = static_cast<std::uint64_t>(static_cast<std::int64_t>(data.size()) + size_error);
    Bytes b;
    number(b, 0x04034b50, 4);
    number(b, 20, 2), number(b, 0, 2), number(b, deflated ? 8 : 0, 2), number(b, 0, 4), number(b, crc, 4);
    number(b, packed.size(), 4), number(b, size, 4), number(b, name.size(), 2), number(b, 0, 2);
    b.insert(b.end(), name.begin(), name.end());
    b.insert(b.end(), packed.begin(), packed.end());
    const std::size_t directory = b.size();
    number(b, 0x02014b50, 4);
    number(b, 20, 2), number(b, 20, 2), number(b, 0, 2), number(b, deflated ? 8 : 0, 2), number(b, 0, 4),
        number(b, crc, 4);
    number(b, zip64 ? 0xffffffffu : packed.size(), 4), number(b, zip64 ? 0xffffffffu : size, 4);
    number(b, name.size(), 2), number(b, zip64 ? 20 : 0, 2), number(b, 0, 2), number(b, 0, 2),
        number(b, 0, 2), number(b, 0, 4);
    number(b, 0, 4);
    b.insert(b.end(), name.begin(), name.end());
    if (zip64) number(b, 1, 2), number(b, 16, 2), number(b, size, 8), number(b, packed.size(), 8);
    const std::size_t end = b.size();
    number(b, 0x06054b50, 4), number(b, 0, 4), number(b, 1, 2), number(b, 1, 2),
        number(b, end - directory, 4), number(b, directory, 4), number(b, 0, 2);
    return b;
}

Bytes some_npy() {
    Bytes data(4000);
    for (std::size_t i = 0; i < data.size(); ++i) data[i] = static_cast<std::uint8_t>(i % 7);
    return npy(head("|u1", "(4000,)"), data);
}

TEST(Npz, StoredDeflatedAndZip64) {
    for (const bool deflated : {false, true}) {
        for (const bool zip64 : {false, true}) {
            save(scratch("a.npz"), zip("x.npy", some_npy(), deflated, zip64));
            const Array a = read_npz(scratch("a.npz"), "x");
            ASSERT_EQ(a.size(), 4000u);
            for (std::size_t i = 0; i < 4000; ++i) ASSERT_EQ(a.at(i), static_cast<double>(i % 7));
            EXPECT_THAT(npz_names(scratch("a.npz")), ::testing::ElementsAre("x"));
        }
    }
}

TEST(Npz, Malformed) {
    const auto message = [](const Bytes& b, const char* name = "x") {
        save(scratch("b.npz"), b);
        try {
            read_npz(scratch("b.npz"), name);
        } catch (const InputError& e) {
            return std::string(e.what()).substr(scratch("b.npz").size() + 2);
        }
        return std::string("accepted");
    };
    EXPECT_EQ(message(zip("x.npy", some_npy(), true), "xx"), "no array 'xx'; did you mean 'x'?");
    EXPECT_EQ(message(zip("x.npy", some_npy(), true, false, 1)), "member 'x.npy': checksum does not match");
    EXPECT_EQ(message(zip("x.npy", some_npy(), false, false, 0, 5)), "member 'x.npy': sizes differ");
    EXPECT_EQ(message(zip("x.npy", some_npy(), true, false, 0, 5)),
              "member 'x.npy': damaged compressed data");
    EXPECT_EQ(message(zip("x.npy", some_npy(), true, false, 0, -5)),
              "member 'x.npy': damaged compressed data");
    EXPECT_EQ(message(zip("x.npy", some_npy(), true, true, 0, 100000000)),
              "member 'x.npy': sizes are not possible");
}

TEST(Npz, EveryTruncationIsAnError) {
    const Bytes whole = zip("x.npy", some_npy(), true);
    for (std::size_t n = 0; n < whole.size(); n += 3) {
        save(scratch("c.npz"), Bytes(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(n)));
        EXPECT_THROW(read_npz(scratch("c.npz"), "x"), InputError) << n;
    }
    for (std::size_t n = 0; n < whole.size(); ++n) {  // and every flipped byte is an error or harmless
        Bytes b = whole;
        b[n] ^= 0x55;
        save(scratch("c.npz"), b);
        try {
            read_npz(scratch("c.npz"), "x");
        } catch (const InputError&) {
        }
    }
}

}  // namespace
}  // namespace loom::traces
