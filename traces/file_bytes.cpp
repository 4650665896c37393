// SPDX-License-Identifier: Apache-2.0
#include "traces/file_bytes.hpp"

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "base/error.hpp"

namespace loom::traces {

std::vector<std::uint8_t> file_bytes(const std::string& path) {
    std::error_code ec;
    if (std::filesystem::is_directory(path, ec)) throw IoError(path + ": is a directory");
    if (std::filesystem::exists(path, ec) && !std::filesystem::is_regular_file(path, ec))
        throw IoError(path + ": cannot be read: not a regular file");
    std::ifstream in(path, std::ios::binary);
    if (!in) throw IoError(path + ": cannot be read: " + std::strerror(errno));
    return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

}  // namespace loom::traces
