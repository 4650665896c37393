// SPDX-License-Identifier: Apache-2.0
#include "compiler/ir/file_matrix.hpp"

#include <algorithm>

namespace loom::compiler {
namespace {
constexpr std::size_t kBlock = std::size_t{1} << 16;  ///< values
}

void FileMatrix::for_each_row(const std::function<void(std::size_t, std::span<const double>)>& f) const {
    for (std::size_t r = 0; r < rows_; ++r) f(r, row(r));
}

std::span<const double> FileMatrix::row(std::size_t r) const {
    Block& b = row_block_;
    if (!b.has(r)) {
        b.first = r;
        b.count = std::min(std::max<std::size_t>(kBlock / columns_, 1), rows_ - r);
        b.values.resize(b.count * columns_);
        read_(b.first, b.count, 0, columns_, b.values.data());
    }
    return {b.values.data() + (r - b.first) * columns_, columns_};
}

FileMatrix::Column FileMatrix::column(std::size_t c) const {
    Block& b = column_block_;
    if (!b.has(c)) {
        b.first = c;
        b.count = std::min(std::max<std::size_t>(kBlock / rows_, 1), columns_ - c);
        b.values.resize(b.count * rows_);
        read_(0, rows_, b.first, b.count, b.values.data());
    }
    return {b.values.data() + (c - b.first), b.count};
}

void FileMatrix::load() const {
    Block& b = column_block_;
    if (b.count == columns_) return;
    b = {0, columns_, std::vector<double>(rows_ * columns_)};
    read_(0, rows_, 0, columns_, b.values.data());
}

}  // namespace loom::compiler
