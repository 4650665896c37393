// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <string>
#include <vector>

namespace loom::traces {

/// Reads the members of a ZIP archive by its central directory: stored and deflated, ZIP64 sizes.
class Zip {
  public:
    /// Throws IoError, InputError "path: problem".
    explicit Zip(const std::string& path);
    std::vector<std::string> names() const;
    bool has(const std::string& name) const;
    /// Contents of a member, checksum verified. Throws InputError.
    std::vector<std::uint8_t> read(const std::string& name) const;

  private:
    struct Member {
        std::string name;
        std::uint16_t method = 0;
        std::uint32_t crc = 0;
        std::uint64_t packed = 0, size = 0, header = 0;
    };
    std::uint64_t number(std::uint64_t at, unsigned bytes) const;
    void read_directory();

    std::string path_;
    std::vector<std::uint8_t> bytes_;
    std::vector<Member> members_;
};

}  // namespace loom::traces
