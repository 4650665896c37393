// SPDX-License-Identifier: Apache-2.0
#include "cores/cim/array.hpp"

#include "cores/cim/array_impl.hpp"

namespace loom::cores {

CimArray::CimArray(const arch::CimSpec& spec, CimWeights weights, const CimContext& context)
    : impl_(std::make_unique<Impl>(spec, std::move(weights), context)) {}
CimArray::~CimArray() = default;
CimArray::CimArray(CimArray&&) noexcept = default;

const CimShape& CimArray::shape() const {
    return impl_->shape;
}
void CimArray::evaluate(std::span<const std::uint32_t> active, std::uint64_t step) {
    impl_->evaluate(active, step);
}
void CimArray::drive(std::span<const std::uint32_t> active) {
    impl_->count(impl_->select(active));
}
void CimArray::convert_only(std::uint64_t columns, std::uint64_t steps) {
    impl_->shape.outputs = impl_->shape.converted = columns;
    impl_->shape.mux_steps = steps;
}
std::span<const std::int64_t> CimArray::sums() const {
    return impl_->sums;
}
std::span<const double> CimArray::values() const {
    impl_->make_values();
    return impl_->values;
}
std::span<const std::int64_t> CimArray::integers() const {
    impl_->make_integers();
    return impl_->integers;
}
double CimArray::scale() const {
    return impl_->scale();
}

CimTimes CimArray::schedule(Cycle now) {
    if (writing(now)) {
        throw ModelError(
            fmt::format("cim: read in cycle {} during a write until cycle {}", now, write_end()));
    }
    Impl& a = *impl_;
    return a.time.schedule(a.sets, a.n_active, !a.charge && !a.voltage, now, a.counters);
}
void CimArray::reset_stages() {
    impl_->reset_stages();
}
CimArray::RowAdd CimArray::add_row(std::uint32_t row, Cycle at, std::int64_t factor, std::int64_t* to) {
    Impl& a = *impl_;
    if (!a.event_row) throw ModelError("cim: a single row of an array that takes vectors");
    if (at < a.write_end)
        throw ModelError(
            fmt::format("cim: spike in cycle {} during a write until cycle {}", at, a.write_end));
    a.add_row(row, factor, to);
    return a.time.add_row(at, a.counters);
}
std::int64_t CimArray::kept(std::int64_t sum) {
    return impl_->kept(sum);
}
Cycle CimArray::sweep(Cycle now) {
    Impl& a = *impl_;
    if (!a.event_row) return now;
    a.counters.sweeps += a.shape.outputs;
    return a.time.sweep(now, a.counters);
}

Cycle CimArray::write(const CimWeights& target, Cycle now) {
    Impl& a = *impl_;
    std::vector<std::uint8_t> levels = a.cells.levels_of(target);
    const Cycles cycles = a.writer.write(a.cells, std::move(levels), a.counters);
    a.weights = target;
    a.levels_changed();
    a.counters.write_busy += cycles;
    return a.write_end = std::max(now, a.write_end) + cycles;
}
void CimArray::erase() {
    Impl& a = *impl_;
    a.cells.program(std::vector<std::uint8_t>(a.shape.cell_rows * a.shape.columns, 0));
    a.erased();
}
void CimArray::set_conductances(std::vector<double> conductances) {
    Impl& a = *impl_;
    a.cells.set_written(a.cells.all_levels(), std::move(conductances));
    a.levels_changed();
}
void CimArray::reseed_reads(std::uint64_t seed) {
    impl_->columns.reseed(seed);
}
bool CimArray::writing(Cycle now) const {
    return now < impl_->write_end;
}
Cycle CimArray::write_end() const {
    return impl_->write_end;
}
void CimArray::count_refusal() {
    ++impl_->counters.refused_reads;
}

void CimArray::set_age(double seconds) {
    impl_->cells.set_age(seconds);
    impl_->levels_changed();
}
void CimArray::calibrate(std::span<const std::vector<std::uint32_t>> vectors) {
    Impl& a = *impl_;
    std::int64_t n = 0, sum = 0, squares = 0;
    for (const auto& active : vectors) {
        a.check_rows(active);
        const auto driven = a.cell_rows(active);
        select_row_sets(a.spec, a.shape, driven, a.sets);
        for (const CimRowSet& s : a.sets) {
            a.sum_levels(driven.subspan(s.begin, s.end - s.begin));
            const std::size_t step = a.analog() ? 2 : 1;
            for (std::size_t c = 0; c < a.shape.columns; c += step) {
                const std::int64_t y =
                    a.analog() ? a.column_sums[c] - a.column_sums[c + 1] : a.column_sums[c];
                ++n;
                sum += y;
                squares += y * y;
            }
        }
    }
    a.converter.calibrate(n, sum, squares);
    a.levels_changed();
}

const CimCounters& CimArray::counters() const {
    return impl_->counters;
}
void CimArray::clear_counters() {
    impl_->counters = {};
}
double CimArray::conductance(std::size_t row, std::size_t column) const {
    return impl_->cells.at(row, column);
}

}  // namespace loom::cores
