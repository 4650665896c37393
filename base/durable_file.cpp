// SPDX-License-Identifier: Apache-2.0
#include "base/durable_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "base/error.hpp"

namespace loom {
namespace fs = std::filesystem;
namespace {

[[noreturn]] void fail_to_write(const std::string& path, int reason) {
    throw IoError(fmt::format("{}: cannot be written: {}", path, std::strerror(reason)));
}

}  // namespace

void sync_path(const std::string& path) {
    const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (file < 0) fail_to_write(path, errno);
    const int reason = fsync(file) != 0 ? errno : 0;
    close(file);
    if (reason != 0 && reason != EINVAL && reason != ENOTSUP && reason != EROFS) fail_to_write(path, reason);
}

void rename_durably(const std::string& temporary, const std::string& path) {
    sync_path(temporary);
    if (std::rename(temporary.c_str(), path.c_str()) != 0) fail_to_write(path, errno);
    const std::string folder = fs::path(path).parent_path().string();
    sync_path(folder.empty() ? "." : folder);
}

void write_text(const std::string& path, const std::string& text, const std::string& shown, Begin begin) {
    const int mode = begin == Begin::Anew ? O_TRUNC : O_APPEND;
    const int file = open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | mode, 0666);
    if (file < 0) fail_to_write(shown, errno);
    int reason = 0;
    for (std::size_t at = 0; reason == 0 && at < text.size();) {
        const ssize_t n = write(file, text.data() + at, text.size() - at);
        if (n > 0)
            at += static_cast<std::size_t>(n);
        else if (n == 0 || errno != EINTR)
            reason = n == 0 ? ENOSPC : errno;
    }
    if (close(file) != 0 && reason == 0) reason = errno;
    if (reason != 0) fail_to_write(shown, reason);
}

std::string temporary_name(const std::string& path) {
    const fs::path p(path);
    return (p.parent_path() / ("." + p.filename().string() + ".tmp")).string();
}

void write_file_atomically(const std::string& path, const std::string& text) {
    const std::string temporary = temporary_name(path);
    try {
        write_text(temporary, text, path);
        rename_durably(temporary, path);
    } catch (...) {
        std::error_code ignored;
        fs::remove(temporary, ignored);
        throw;
    }
}

}  // namespace loom
