// SPDX-License-Identifier: Apache-2.0
#include "app/content_hash.hpp"

#include <fstream>
#include <iterator>

#include "base/error.hpp"
#include "base/sha1.hpp"

namespace loom::app {

std::string hash_text(std::string_view text) {
    return sha1_hex(text);
}

std::string hash_file(const std::string& path) {
    std::ifstream in(path, std::ios::binary);
    if (!in) throw IoError(path + ": cannot be read");
    const std::string text{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
    return sha1_hex(text);
}

}  // namespace loom::app
