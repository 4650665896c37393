// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <fstream>
#include <iosfwd>
#include <string>
#include <vector>

#include "base/clocking/link.hpp"
#include "base/clocking/packet.hpp"

namespace loom::app {

/// A packet that a core or the host handed to the network; cycle: within its sample.
struct PacketRow {
    Cycle cycle = 0;
    std::uint32_t source = 0;
    std::uint32_t destination = 0;
    std::uint32_t flits = 1;
    std::uint32_t unused = 0;  ///< no padding: rows are written as they are
};

/// Collects the packets of a sample while it runs. Cores and host send to single endpoints; 24 bytes a
/// packet.
class PacketLog final : public LinkObserver<Packet> {
  public:
    void sent(Cycle now, const Packet& p) override {
        rows_.push_back({now, index(p.source), p.destination.value, p.flits, 0});
    }
    /// The packets of the sample that began at `start`, by cycle and source, whatever the order of
    /// evaluation; forgets them.
    std::vector<PacketRow> take(Cycle start);

  private:
    std::vector<PacketRow> rows_;
};

/// Rows of a sample as bytes, for the file between a worker process and the one that collects.
void write_rows(std::ostream& out, const std::vector<PacketRow>& rows);
/// Throws IoError naming `path`.
std::vector<PacketRow> read_rows(std::istream& in, const std::string& path);

/// packets.csv: cycle,source,destination,flits of all samples one after the other, as `spikeloom noc` reads
/// them. Throws IoError.
class PacketFile {
  public:
    explicit PacketFile(std::string path);
    /// The next sample, which took `cycles`.
    void append(const std::vector<PacketRow>& rows, Cycles cycles);
    void close();

  private:
    std::string path_;
    std::ofstream out_;
    Cycle begin_ = 0;
};

}  // namespace loom::app
