// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstddef>
#include <functional>
#include <span>
#include <vector>

namespace loom::compiler {

/// A matrix [rows, columns] that stays in its file: blocks of it are read when asked for, so that a
/// large layer costs no memory beside the chip's own image of it. Not for use by several threads.
class FileMatrix {
  public:
    /// Reads a block [n_rows, n_columns] in C order into `out`; throws InputError.
    using Read = std::function<void(std::size_t row, std::size_t n_rows, std::size_t column,
                                    std::size_t n_columns, double* out)>;
    FileMatrix(std::size_t rows, std::size_t columns, Read read)
        : rows_(rows), columns_(columns), read_(std::move(read)) {}

    /// f(row, values[columns]) for every row in order; memory: one block of about 0.5 MB.
    void for_each_row(const std::function<void(std::size_t, std::span<const double>)>& f) const;
    /// One row; the rows around it are read with it.
    std::span<const double> row(std::size_t r) const;
    /// Column c: element r is at [r * stride]. The columns around it are read with it, and stay until
    /// another block is asked for.
    struct Column {
        const double* first;
        std::size_t stride;
    };
    Column column(std::size_t c) const;
    /// Reads everything; what follows never touches the file.
    void load() const;

  private:
    struct Block {
        std::size_t first = 0, count = 0;
        std::vector<double> values;
        bool has(std::size_t i) const { return i >= first && i - first < count; }
    };
    std::size_t rows_, columns_;
    Read read_;
    mutable Block row_block_, column_block_;
};

}  // namespace loom::compiler
