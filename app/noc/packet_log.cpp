// SPDX-License-Identifier: Apache-2.0
#include "app/noc/packet_log.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>

#include "base/error.hpp"

namespace loom::app {

std::vector<PacketRow> PacketLog::take(Cycle start) {
    std::vector<PacketRow> rows;
    rows.swap(rows_);
    for (PacketRow& r : rows) r.cycle -= start;
    std::stable_sort(rows.begin(), rows.end(), [](const PacketRow& a, const PacketRow& b) {
        return std::tie(a.cycle, a.source) < std::tie(b.cycle, b.source);
    });
    return rows;
}

void write_rows(std::ostream& out, const std::vector<PacketRow>& rows) {
    const std::uint64_t n = rows.size();
    out.write(reinterpret_cast<const char*>(&n), sizeof n);
    out.write(reinterpret_cast<const char*>(rows.data()),
              static_cast<std::streamsize>(n * sizeof(PacketRow)));
}

std::vector<PacketRow> read_rows(std::istream& in, const std::string& path) {
    std::uint64_t n = 0;
    in.read(reinterpret_cast<char*>(&n), sizeof n);
    std::vector<PacketRow> rows(in ? n : 0);
    in.read(reinterpret_cast<char*>(rows.data()),
            static_cast<std::streamsize>(rows.size() * sizeof(PacketRow)));
    if (!in) throw IoError(path + ": cannot be read back");
    return rows;
}

PacketFile::PacketFile(std::string path) : path_(std::move(path)), out_(path_, std::ios::binary) {
    out_ << "cycle,source,destination,flits\n";
}

void PacketFile::append(const std::vector<PacketRow>& rows, Cycles cycles) {
    fmt::memory_buffer text;
    for (const PacketRow& r : rows) {
        fmt::format_to(std::back_inserter(text), "{},{},{},{}\n", begin_ + r.cycle, r.source, r.destination,
                       r.flits);
    }
    out_.write(text.data(), static_cast<std::streamsize>(text.size()));
    begin_ += cycles;
}

void PacketFile::close() {
    out_.close();
    if (!out_) throw IoError(path_ + ": cannot be written");
}

}  // namespace loom::app
