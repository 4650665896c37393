// SPDX-License-Identifier: Apache-2.0
#include "cores/cim/pulse_update.hpp"

#include <algorithm>
#include <vector>

namespace loom::cores {
namespace {

/// Conductance in nS along the wires of each array: what half-selected neighbours draw.
class Wires {
  public:
    Wires(const arch::CimSpec& spec, const CimShape& shape, std::span<const double> cells)
        : spec_(spec),
          shape_(shape),
          rows_(shape.rows * shape.column_blocks),
          columns_(shape.columns * shape.row_blocks) {
        if (cells.empty()) return;
        for (std::size_t r = 0; r < shape.rows; ++r)
            for (std::size_t c = 0; c < shape.columns; ++c) {
                row(r, c) += cells[r * shape.columns + c];
                column(r, c) += cells[r * shape.columns + c];
            }
    }
    double neighbours(std::size_t r, std::size_t c, double own) {
        return std::max(0.0, row(r, c) + column(r, c) - 2 * own);
    }

  private:
    double& row(std::size_t r, std::size_t c) {
        return rows_[r * shape_.column_blocks + c / spec_.array.cols];
    }
    double& column(std::size_t r, std::size_t c) {
        return columns_[r / spec_.array.rows * shape_.columns + c];
    }

    const arch::CimSpec& spec_;
    const CimShape& shape_;
    std::vector<double> rows_, columns_;
};

}  // namespace

Cycles update_in_place(const arch::CimSpec& spec, const CimShape& shape, std::span<const double> conductances,
                       std::span<const std::int32_t> pulses, CimCounters& counters) {
    const bool passive = spec.array.type == arch::CimType::RramXbar;
    Wires wires(spec, shape, passive ? conductances : std::span<const double>{});
    const Cycles pulse = shape.t_pulse + (spec.write.verify ? shape.t_verify : 0);
    std::vector<Cycles> busy(shape.arrays());
    for (std::size_t r = 0; r < shape.rows; ++r) {
        for (std::size_t block = 0; block < shape.column_blocks; ++block) {
            const std::size_t first = block * spec.array.cols;
            const std::size_t last = std::min<std::size_t>(first + spec.array.cols, shape.columns);
            std::uint64_t sets = 0, resets = 0;
            for (std::size_t c = first; c < last; ++c) {
                const std::int64_t signed_n = pulses[r * shape.columns + c];
                if (signed_n == 0) continue;
                const bool up = signed_n > 0;
                const auto n = static_cast<std::uint64_t>(up ? signed_n : -signed_n);
                const double nS = conductances[r * shape.columns + c], count = static_cast<double>(n);
                (up ? sets : resets) = std::max(up ? sets : resets, n);
                (up ? counters.set_energy : counters.reset_energy) +=
                    static_cast<std::uint64_t>(nS * count + 0.5);
                if (passive)
                    counters.half_select +=
                        static_cast<std::uint64_t>(wires.neighbours(r, c, nS) * count + 0.5);
                counters.write_pulses += n;
                counters.write_lines += n;
                if (spec.write.verify) counters.verify_reads += n;
            }
            busy[r / spec.array.rows * shape.column_blocks + block] += (sets + resets) * pulse;
        }
    }
    const Cycles longest = *std::ranges::max_element(busy);
    counters.write_busy += longest;
    return longest;
}

}  // namespace loom::cores
