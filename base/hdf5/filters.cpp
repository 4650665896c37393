// SPDX-License-Identifier: Apache-2.0
#include "base/hdf5/filters.hpp"

#include <fmt/format.h>

#include <cstdint>
#include <cstdlib>
#include <cstring>

#include "base/nearest.hpp"

namespace loom::hdf5 {
namespace {

constexpr H5Z_filter_t kLzf = 32000;

/// LibLZF's format: runs of up to 32 bytes as they are, and copies of up to 264 bytes from up to 8192 bytes
/// back. Returns the bytes written, or 0 if they are not sound or more than `room`.
std::size_t unpack_lzf(const std::uint8_t* in, std::size_t n, std::uint8_t* out, std::size_t room) {
    std::size_t at = 0, to = 0;
    while (at < n) {
        const std::size_t control = in[at++];
        if (control < 32) {
            const std::size_t run = control + 1;
            if (run > n - at || run > room - to) return 0;
            std::memcpy(out + to, in + at, run);
            at += run;
            to += run;
            continue;
        }
        std::size_t length = control >> 5;
        if (length == 7) {
            if (at == n) return 0;
            length += in[at++];
        }
        length += 2;
        if (at == n) return 0;
        const std::size_t back = ((control & 31) << 8 | in[at++]) + 1;
        if (back > to || length > room - to) return 0;
        for (std::size_t i = 0; i < length; ++i, ++to) out[to] = out[to - back];  // the two may overlap
    }
    return to;
}

/// values[2]: bytes of a chunk.
std::size_t lzf(unsigned flags, std::size_t n_values, const unsigned* values, std::size_t n,
                std::size_t* size, void** buffer) {
    if ((flags & H5Z_FLAG_REVERSE) == 0 || n_values < 3 || values[2] == 0) return 0;
    const std::size_t room = values[2];
    auto* out = static_cast<std::uint8_t*>(std::malloc(room));
    if (out == nullptr) return 0;
    const std::size_t got = unpack_lzf(static_cast<const std::uint8_t*>(*buffer), n, out, room);
    if (got == 0) {
        std::free(out);
        return 0;
    }
    std::free(*buffer);
    *buffer = out;
    *size = room;
    return got;
}

}  // namespace

void add_filters() {
    const H5Z_class2_t filter{H5Z_CLASS_T_VERS, kLzf, 0, 1, "lzf", nullptr, nullptr, lzf};
    H5Zregister(&filter);
}

std::string unknown_filter(hid_t plist) {
    const int n = H5Pget_nfilters(plist);
    for (int i = 0; i < n; ++i) {
        unsigned flags = 0, config = 0;
        std::size_t none = 0;
        char name[64] = "";
        const H5Z_filter_t id = H5Pget_filter2(plist, static_cast<unsigned>(i), &flags, &none, nullptr,
                                               sizeof name - 1, name, &config);
        if (id < 0) return "has a damaged list of filters";
        if (H5Zfilter_avail(id) > 0) continue;
        return fmt::format(
            "is compressed with the filter {} (number {}), which is not read; store it with gzip, lzf "
            "or none",
            name[0] == 0 ? "without a name" : quoted(name), id);
    }
    return "";
}

}  // namespace loom::hdf5
