// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <string>
#include <vector>

/// Input files: what was read is what was hashed.
namespace loom {

/// A whole input file. Throws IoError "path: cannot be read: reason".
std::vector<std::uint8_t> input_bytes(const std::string& path);

/// The SHA-1 of the bytes that this process read from a file; it is read now when it was not. Throws as input_bytes(),
/// and when the file was read several times and was not the same.
std::string input_hash(const std::string& path);

/// The text of a file that is no input, and the SHA-1 of one, as it is now. Throw IoError.
std::string file_text(const std::string& path);
std::string file_hash(const std::string& path);

}  // namespace loom
