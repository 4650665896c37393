// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <sys/mman.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <string>

#include "base/error.hpp"

namespace loom::fuzz {

/// Gives the bytes to `read(path)` as a file that lives in memory. What a reader refuses with an Error of ours is fine;
/// anything else ends the process.
template <class Read>
int one_input(const std::uint8_t* data, std::size_t size, Read read) {
    const int file = memfd_create("fuzz", 0);
    if (file < 0 || write(file, data, size) != static_cast<ssize_t>(size)) return 0;
    try {
        read("/proc/self/fd/" + std::to_string(file));
    } catch (const InternalError&) {
        throw;  // the program's own fault
    } catch (const Error&) {
    }
    close(file);
    return 0;
}

}  // namespace loom::fuzz
