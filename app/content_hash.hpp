// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>
#include <string_view>

namespace loom::app {

/// SHA-1 in hexadecimal: tells contents apart, protects nothing.
std::string hash_text(std::string_view text);
/// The SHA-1 of a file's bytes. Throws IoError.
std::string hash_file(const std::string& path);

}  // namespace loom::app
