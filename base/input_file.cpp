// SPDX-License-Identifier: Apache-2.0
#include "base/input_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <map>

#include "base/error.hpp"
#include "base/sha1.hpp"

namespace loom {
namespace {

struct Read {
    std::string hash;
    bool changed = false;  ///< read twice, with other bytes
};
std::map<std::string, Read>& files_read() {
    static std::map<std::string, Read> all;
    return all;
}

[[noreturn]] void fail_to_read(const std::string& path) {
    throw IoError(fmt::format("{}: cannot be read: {}", path, std::strerror(errno)));
}

/// Calls take(bytes) for all of a file, in parts. Returns the digest.
template <class Take>
std::string read_parts(const std::string& path, Take take) {
    const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (file < 0) fail_to_read(path);
    struct stat about {};
    if (fstat(file, &about) == 0 && !S_ISREG(about.st_mode)) {
        close(file);
        throw IoError(path + (S_ISDIR(about.st_mode) ? ": is a directory" : ": cannot be read: not a regular file"));
    }
    Sha1 digest;
    std::vector<char> part(std::size_t{1} << 16);
    ssize_t n = 0;
    while ((n = read(file, part.data(), part.size())) != 0) {
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) break;
        const std::string_view bytes(part.data(), static_cast<std::size_t>(n));
        digest.add(bytes);
        take(bytes);
    }
    const int reason = errno;
    close(file);
    errno = reason;
    if (n < 0) fail_to_read(path);
    return digest.hex();
}

template <class Take>
void read_input(const std::string& path, Take take) {
    const std::string digest = read_parts(path, take);
    const auto [known, is_new] = files_read().emplace(path, Read{digest});
    if (!is_new && known->second.hash != digest) known->second.changed = true;
}

}  // namespace

std::vector<std::uint8_t> input_bytes(const std::string& path) {
    std::vector<std::uint8_t> all;
    std::error_code ec;
    if (const auto size = std::filesystem::file_size(path, ec); !ec) all.reserve(size);
    read_input(path, [&](std::string_view bytes) { all.insert(all.end(), bytes.begin(), bytes.end()); });
    return all;
}

std::string input_hash(const std::string& path) {
    if (!files_read().contains(path)) read_input(path, [](std::string_view) {});
    const Read& read = files_read().at(path);
    if (read.changed) throw IoError(path + ": changed while it was read; run the command again");
    return read.hash;
}

std::string file_text(const std::string& path) {
    std::string all;
    read_parts(path, [&](std::string_view bytes) { all += bytes; });
    return all;
}

std::string file_hash(const std::string& path) {
    return read_parts(path, [](std::string_view) {});
}

}  // namespace loom
