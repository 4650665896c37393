// SPDX-License-Identifier: Apache-2.0
#include "base/input_file.hpp"

#include <gmock/gmock.h>

#include <filesystem>

#include "base/durable_file.hpp"
#include "base/error.hpp"
#include "base/sha1.hpp"

namespace loom {
namespace {

std::string scratch_file(const std::string& name) {
    return (std::filesystem::path(testing::TempDir()) / ("input_file_test_" + name)).string();
}

TEST(InputFileTest, HashIsOfTheBytesThatWereRead) {
    const std::string path = scratch_file("a");
    write_file_atomically(path, "one");
    EXPECT_EQ(input_bytes(path), (std::vector<std::uint8_t>{'o', 'n', 'e'}));
    write_file_atomically(path, "two");
    EXPECT_EQ(input_hash(path), sha1_hex("one"));
    EXPECT_EQ(file_hash(path), sha1_hex("two"));
    // read again, and it is another file: no hash is true of what was read
    input_bytes(path);
    EXPECT_THROW(input_hash(path), IoError);
}

TEST(InputFileTest, NotReadYetIsReadNow) {
    const std::string path = scratch_file("b");
    write_file_atomically(path, "text");
    EXPECT_EQ(input_hash(path), sha1_hex("text"));
    EXPECT_EQ(file_text(path), "text");
    EXPECT_FALSE(std::filesystem::exists(temporary_name(path)));
}

TEST(InputFileTest, MessagesNameThePath) {
    EXPECT_THROW(input_bytes("/"), IoError);
    try {
        input_hash("/nowhere/x");
        FAIL();
    } catch (const IoError& e) {
        EXPECT_STREQ(e.what(), "/nowhere/x: cannot be read: No such file or directory");
    }
    EXPECT_THROW(write_file_atomically("/nowhere/x", ""), IoError);
}

}  // namespace
}  // namespace loom
