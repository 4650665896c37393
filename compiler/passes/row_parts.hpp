// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <vector>

#include "compiler/passes/slices.hpp"

namespace loom::compiler {

/// The rows of a slice in runs that fill a row block of an array each (conv: whole input channels), or
/// shorter ones when there are to be `at_least` so many. into: projections into the slice's population.
std::vector<RowSpan> row_chunks(const std::vector<LoweredProjection>& lowered,
                                const std::vector<std::uint32_t>& into, const Slice& slice,
                                std::uint64_t array_rows, std::uint64_t at_least);

/// The slice in n parts of about as many runs; the first has the neurons. n <= chunks.
std::vector<Slice> row_parts(const Slice& slice, const std::vector<RowSpan>& chunks, std::size_t n);

}  // namespace loom::compiler
