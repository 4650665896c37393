// SPDX-License-Identifier: Apache-2.0
#include "training/many_core/cim_reads.hpp"

#include <algorithm>

#include "base/error.hpp"

namespace loom::training {
namespace {

using arch::ZeroRule;

/// Where zeros are not skipped, every group of rows has its turn.
arch::CimRowSelect select_of(ZeroRule rule, arch::CimRowSelect chip) {
    return rule == ZeroRule::Skip ? chip : arch::CimRowSelect::All;
}

cores::CimArray array_of(const arch::CimSpec& spec, std::size_t rows, std::size_t outputs,
                         const cores::CimContext& context) {
    return {spec, {rows, outputs, std::vector<std::int32_t>(rows * outputs)}, context};
}

/// The array with rows and columns exchanged: a cell is a weight of its own.
arch::CimSpec transposed_spec(arch::CimSpec s, const arch::SparsityRules& sparsity) {
    std::swap(s.array.rows, s.array.cols);
    std::swap(s.device.r_row, s.device.r_col);
    s.weights = {s.array.cell_bits, arch::CimEncoding::Offset, arch::CimSubtraction::Digital};
    s.rows.rows_parallel = std::min(s.rows.rows_parallel, s.array.rows);
    s.rows.row_select = select_of(sparsity.errors, s.rows.row_select);
    s.adc.adc_share = std::min(s.adc.adc_share, s.array.cols);
    return s;
}

/// The columns' converters keep the range that they have for rows_parallel rows.
arch::CimSpec row_by_row_spec(arch::CimSpec s) {
    if (s.adc.fs == arch::CimFullScale::Lossless) {
        const std::uint64_t most = (std::uint64_t{1} << s.adc.adc_bits) - 1;
        const std::uint64_t sum = s.rows.rows_parallel * ((std::uint64_t{1} << s.array.cell_bits) - 1);
        s.adc.fs = arch::CimFullScale::Fixed;
        s.adc.fs_value = static_cast<double>(std::max(most, sum));
    }
    s.rows.rows_parallel = 1;
    s.rows.row_select = arch::CimRowSelect::GroupsSkip;
    return s;
}

}  // namespace

void check_cell_matrix(const arch::LinearShape& shape, const std::string& name) {
    if (shape.groups > 1)
        throw UnsupportedError(
            "layer '" + name + "' has " + std::to_string(shape.groups) +
            " groups: all columns of a compute-in-memory array see the same inputs; train it "
            "on cores with near-memory weights (chip.core.kind) or on a training engine");
}

cores::CimArray forward_array(const arch::CimCoreSpec& spec, const arch::SparsityRules& sparsity,
                              std::size_t rows, std::size_t outputs, const cores::CimContext& context) {
    arch::CimSpec s = spec;
    s.rows.row_select = select_of(sparsity.spikes, s.rows.row_select);
    return array_of(s, rows, outputs, context);
}

cores::CimArray backward_array(const arch::CimCoreSpec& spec, const arch::SparsityRules& sparsity,
                               std::size_t rows, std::size_t outputs, const cores::CimContext& context) {
    if (spec.training.transposable)
        return array_of(transposed_spec(spec, sparsity), 2 * outputs, rows, context);
    return array_of(row_by_row_spec(spec), rows, outputs, context);
}

}  // namespace loom::training
