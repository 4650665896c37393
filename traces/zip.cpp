// SPDX-License-Identifier: Apache-2.0
// Format: PKWARE APPNOTE 6.3.
#include "traces/zip.hpp"

#include <zlib.h>

#include <algorithm>

#include "base/error.hpp"
#include "base/input_file.hpp"

namespace loom::traces {
namespace {
constexpr std::uint64_t kEndSize = 22, kEntrySize = 46, kLocalSize = 30;
constexpr std::uint64_t kEndMark = 0x06054b50, kEnd64Mark = 0x06064b50, kLocator64Mark = 0x07064b50;
constexpr std::uint64_t kEntryMark = 0x02014b50, kLocalMark = 0x04034b50;
constexpr std::uint64_t kMaxMember = std::uint64_t{1} << 34;
}  // namespace

Zip::Zip(const std::string& path) : path_(path), bytes_(input_bytes(path)) {
    read_directory();
}

std::uint64_t Zip::number(std::uint64_t at, unsigned n) const {
    if (at > bytes_.size() || bytes_.size() - at < n) throw InputError(path_ + ": the archive is cut off");
    std::uint64_t value = 0;
    for (unsigned i = 0; i < n; ++i) value |= std::uint64_t{bytes_[at + i]} << (8 * i);
    return value;
}

void Zip::read_directory() {
    if (bytes_.size() < kEndSize) throw InputError(path_ + ": not an .npz archive");
    std::uint64_t end = bytes_.size() - kEndSize;
    const std::uint64_t lowest = end > 65535 ? end - 65535 : 0;
    while (number(end, 4) != kEndMark) {
        if (end == lowest)
            throw InputError(path_ + ": not an .npz archive, or cut off (no central directory)");
        --end;
    }
    std::uint64_t count = number(end + 10, 2), at = number(end + 16, 4);
    if (end >= 20 && number(end - 20, 4) == kLocator64Mark) {
        const std::uint64_t end64 = number(end - 12, 8);
        if (number(end64, 4) != kEnd64Mark) throw InputError(path_ + ": damaged central directory");
        count = number(end64 + 32, 8);
        at = number(end64 + 48, 8);
    }
    if (count > bytes_.size() / kEntrySize) throw InputError(path_ + ": damaged central directory");
    for (std::uint64_t i = 0; i < count; ++i) {
        if (number(at, 4) != kEntryMark) throw InputError(path_ + ": damaged central directory");
        Member m;
        m.method = static_cast<std::uint16_t>(number(at + 10, 2));
        m.crc = static_cast<std::uint32_t>(number(at + 16, 4));
        m.packed = number(at + 20, 4);
        m.size = number(at + 24, 4);
        m.header = number(at + 42, 4);
        const std::uint64_t name = number(at + 28, 2), extra = number(at + 30, 2),
                            comment = number(at + 32, 2);
        number(at + kEntrySize, 0);
        if (name + extra + comment > bytes_.size() - at - kEntrySize)
            throw InputError(path_ + ": damaged central directory");
        m.name.assign(bytes_.begin() + static_cast<std::ptrdiff_t>(at + kEntrySize),
                      bytes_.begin() + static_cast<std::ptrdiff_t>(at + kEntrySize + name));
        for (std::uint64_t x = at + kEntrySize + name, stop = x + extra; x + 4 <= stop;) {
            const std::uint64_t id = number(x, 2), length = number(x + 2, 2);
            if (id == 1) {  // ZIP64: only the fields that did not fit, in this order
                std::uint64_t field = x + 4;
                for (std::uint64_t* v : {&m.size, &m.packed, &m.header}) {
                    if (*v != 0xffffffffu || field + 8 > x + 4 + length) continue;
                    *v = number(field, 8);
                    field += 8;
                }
            }
            x += 4 + length;
        }
        if (m.size > kMaxMember) throw InputError(path_ + ": member '" + m.name + "' is too large");
        members_.push_back(std::move(m));
        at += kEntrySize + name + extra + comment;
    }
}

std::vector<std::string> Zip::names() const {
    std::vector<std::string> out;
    for (const Member& m : members_) out.push_back(m.name);
    return out;
}

bool Zip::has(const std::string& name) const {
    return std::any_of(members_.begin(), members_.end(), [&](const Member& m) { return m.name == name; });
}

std::vector<std::uint8_t> Zip::read(const std::string& name) const {
    const auto it =
        std::find_if(members_.begin(), members_.end(), [&](const Member& m) { return m.name == name; });
    if (it == members_.end()) throw InputError(path_ + ": has no member '" + name + "'");
    const auto damaged = [&](const char* what) {
        return InputError(path_ + ": member '" + name + "': " + what);
    };
    if (number(it->header, 4) != kLocalMark) throw damaged("damaged local header");
    const std::uint64_t start =
        it->header + kLocalSize + number(it->header + 26, 2) + number(it->header + 28, 2);
    if (start > bytes_.size() || bytes_.size() - start < it->packed) throw damaged("cut off");
    if (it->method != 0 && it->method != 8) throw damaged("compression other than stored and deflated");
    std::vector<std::uint8_t> out;
    if (it->method == 0) {
        if (it->packed != it->size) throw damaged("sizes differ");
        out.assign(bytes_.begin() + static_cast<std::ptrdiff_t>(start),
                   bytes_.begin() + static_cast<std::ptrdiff_t>(start + it->packed));
    } else {
        // deflate expands at most 1032 times: a larger claim is a lie
        if (it->size / 1032 > it->packed + 64) throw damaged("sizes are not possible");
        out.resize(it->size);
        z_stream z{};
        if (inflateInit2(&z, -MAX_WBITS) != Z_OK) throw InternalError("zlib");
        std::uint64_t in_at = 0, out_at = 0;
        int status = Z_OK;
        constexpr std::uint64_t kPiece = std::uint64_t{1} << 30;
        while (status == Z_OK) {
            const auto in = static_cast<uInt>(std::min(kPiece, it->packed - in_at));
            const auto room = static_cast<uInt>(std::min(kPiece, it->size - out_at));
            z.next_in = const_cast<Bytef*>(bytes_.data() + start + in_at);
            z.avail_in = in;
            Bytef none = 0;
            z.next_out = room == 0 ? &none : out.data() + out_at;
            z.avail_out = room == 0 ? 1 : room;
            const uInt offered = z.avail_out;
            status = inflate(&z, Z_NO_FLUSH);
            in_at += in - z.avail_in;
            const uInt produced = offered - z.avail_out;
            if (room == 0 && produced != 0) status = Z_DATA_ERROR;
            out_at += room == 0 ? 0 : produced;
            if (status == Z_OK && produced == 0 && in == z.avail_in) status = Z_BUF_ERROR;
        }
        inflateEnd(&z);
        if (status != Z_STREAM_END || out_at != it->size) throw damaged("damaged compressed data");
    }
    const uLong crc = crc32_z(crc32_z(0, nullptr, 0), out.data(), out.size());
    if (crc != it->crc) throw damaged("checksum does not match");
    return out;
}

}  // namespace loom::traces
