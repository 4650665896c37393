// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>

#include "arch/chip_spec.hpp"
#include "arch/cim_core_spec.hpp"
#include "cores/cim/array.hpp"
#include "training/work/training_chip.hpp"
#include "training/work/training_work.hpp"

namespace loom::training {

/// Throws UnsupportedError for a matrix that arrays cannot hold: one with groups.
void check_cell_matrix(const arch::LinearShape& shape, const std::string& name);

/// The arrays of a matrix [rows][outputs] as they are read in training, for counts and for values. Cells are
/// given later (CimArray::set_conductances). Forward: rows are driven, columns converted, + and - cells in
/// neighbouring columns.
cores::CimArray forward_array(const arch::CimCoreSpec& spec, const arch::SparsityRules& sparsity,
                              std::size_t rows, std::size_t outputs, const cores::CimContext& context);
/// The same cells read for errors. Transposable: line 2 k drives the + cells of output k, line 2 k + 1 its -
/// cells, a row of the matrix is a column whose cells are weights of their own. Else: forward reads of
/// single rows.
cores::CimArray backward_array(const arch::CimCoreSpec& spec, const arch::SparsityRules& sparsity,
                               std::size_t rows, std::size_t outputs, const cores::CimContext& context);

}  // namespace loom::training
