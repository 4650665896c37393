// SPDX-License-Identifier: Apache-2.0
#include "compiler/ir/file_matrix.hpp"

#include <gtest/gtest.h>

namespace loom::compiler {
namespace {

/// Element (r, c) is 1000 r + c; counts the values read.
struct Source {
    std::size_t read = 0;
    FileMatrix matrix(std::size_t rows, std::size_t columns) {
        return FileMatrix(rows, columns,
                          [this](std::size_t r, std::size_t n, std::size_t c, std::size_t m, double* out) {
                              read += n * m;
                              for (std::size_t i = 0; i < n; ++i)
                                  for (std::size_t k = 0; k < m; ++k)
                                      out[i * m + k] = static_cast<double>(1000 * (r + i) + c + k);
                          });
    }
};

TEST(FileMatrix, RowsInOrderReadOnce) {
    Source s;
    const FileMatrix m = s.matrix(700, 300);
    std::size_t next = 0;
    m.for_each_row([&](std::size_t r, std::span<const double> row) {
        EXPECT_EQ(r, next++);
        ASSERT_EQ(row.size(), 300u);
        EXPECT_EQ(row[0], 1000.0 * static_cast<double>(r));
        EXPECT_EQ(row[299], 1000.0 * static_cast<double>(r) + 299);
    });
    EXPECT_EQ(next, 700u);
    EXPECT_EQ(s.read, 700u * 300u);
}

TEST(FileMatrix, ColumnsAnywhere) {
    Source s;
    const FileMatrix m = s.matrix(500, 900);
    for (const std::size_t c : {0u, 899u, 131u, 132u, 5u}) {
        const auto column = m.column(c);
        for (const std::size_t r : {0u, 250u, 499u})
            EXPECT_EQ(column.first[r * column.stride], static_cast<double>(1000 * r + c));
    }
}

TEST(FileMatrix, LoadedStaysInMemory) {
    Source s;
    const FileMatrix m = s.matrix(500, 900);
    m.load();
    const std::size_t read = s.read;
    for (std::size_t c = 0; c < 900; ++c) EXPECT_EQ(*m.column(c).first, static_cast<double>(c));
    EXPECT_EQ(s.read, read);
}

}  // namespace
}  // namespace loom::compiler
