// SPDX-License-Identifier: Apache-2.0
#include "cores/cim/kind.hpp"

#include <algorithm>
#include <array>

#include "arch/cim_layout.hpp"
#include "arch/cim_prices.hpp"
#include "base/key_error.hpp"
#include "cores/cim/area.hpp"
#include "cores/cim/cim_core.hpp"
#include "cores/cim/expected_events.hpp"
#include "cores/cim/shape.hpp"

namespace loom::cores {
namespace {

const arch::CimCoreSpec& cim_of(const arch::CoreSpec& core) {
    return core.section<arch::CimCoreSpec>();
}

template <std::size_t N>
bool in(const std::array<std::string_view, N>& list, std::string_view event) {
    return std::find(list.begin(), list.end(), event) != list.end();
}

}  // namespace

void CimKind::check(const arch::CoreSpec& core, const arch::ChipSpec& chip, const std::string& key) const {
    const auto* cim = core.find<arch::CimCoreSpec>();
    if (cim == nullptr) throw KeyError(key + ".cim", "a core of kind cim needs this section");
    if (core.soma.arithmetic != arch::Arithmetic::Fixed)
        throw KeyError(key + ".soma.arithmetic", "cores of kind cim compute in integers (fixed)");
    if (cim->timing.f_clk != 0)
        throw KeyError(key + ".cim.timing.f_clk", "arrays of a chip have its clock (clock.period)");
    cim_shape(*cim, 1, 1, chip.clock.period, key + ".cim.");
}

arch::WeightFormat CimKind::weight_format(const arch::CoreSpec& core) const {
    const arch::CimWeightsSpec& w = cim_of(core).weights;
    // differential pairs have no weight of -2^(bits-1)
    return {w.weight_bits, w.encoding == arch::CimEncoding::Differential ||
                               w.encoding == arch::CimEncoding::DifferentialRows};
}

arch::WeightStore CimKind::weight_store(const arch::CoreSpec& core) const {
    return {"arrays of a core", cim_of(core).arrays, true};
}

std::uint64_t CimKind::need(const arch::CoreSpec& core, const arch::StoredMatrix& matrix) const {
    const arch::MatrixSize& m = matrix.size;
    return arch::cim_layout(cim_of(core), m.rows, m.outputs, m.positions_of_copy(matrix.copies)).arrays() *
           matrix.copies;
}

std::optional<arch::PartialSums> CimKind::partial_sums(const arch::CoreSpec& core) const {
    const arch::CimCoreSpec& cim = cim_of(core);
    if (cim.array.event_row()) return std::nullopt;
    return arch::PartialSums{cim.psum.psum_bits,
                             cim.array.rows / arch::cim_layout(cim, 1, 1).rows_per_weight};
}

std::string CimKind::rows_stay_because(const arch::CoreSpec& core) const {
    if (!cim_of(core).array.event_row()) return {};
    return "sums of event-row arrays are membranes: its rows must be in one core";
}

std::optional<arch::RowInputs> CimKind::row_inputs(const arch::CoreSpec& core) const {
    return arch::RowInputs{cim_of(core).input_bits, "input bits of an array row (cim.input_bits)"};
}

void CimKind::expect(const arch::ChipSpec& chip, std::size_t kind, const arch::ExpectedInput& in,
                     double steps, const AddEvent& add) const {
    expect_array_events(chip, kind, in, steps, add);
}

std::vector<arch::EventInfo> CimKind::own_events() const {
    std::vector<arch::EventInfo> events;
    arch::append_events<CimCoreCounters>(events);
    return events;
}

bool CimKind::counts(std::string_view event, const arch::CoreSpec& core) const {
    // rows are read and summed in arrays, not in these stages
    static constexpr std::array<std::string_view, 8> elsewhere{
        "axon_in.lookups", "synapse.word_reads", "synapse.busy_cycles",  "dendrite.ac",
        "dendrite.mac",    "dendrite.accesses",  "dendrite.busy_cycles", "dendrite.stall_cycles"};
    if (in(elsewhere, event)) return false;
    static const std::vector<arch::EventInfo> own = own_events();
    const auto found = std::find_if(own.begin(), own.end(), [&](const auto& e) { return e.name == event; });
    if (found == own.end() || !found->priced) return true;
    // of those with a price, most belong to one of the two ways of adding
    static constexpr std::array<std::string_view, 5> digital{
        "cim.digital_rows", "cim.digital_active", "cim.row_adds", "cim.sweeps", "cim.cells_written"};
    static constexpr std::array<std::string_view, 5> both{
        "cim.fetch_beats", "cim.rows_driven", "cim.shift_adds", "cim.tree_adds", "cim.select_cycles"};
    const auto* cim = core.find<arch::CimCoreSpec>();
    return in(both, event) ||
           in(digital, event) == (cim != nullptr && cim->array.type == arch::CimType::SramDigital);
}

void CimKind::add_own_prices(arch::EnergySpec& list, const arch::EnergySpec& chip_list,
                             const arch::CoreSpec& core, double period_ps) const {
    const auto* cim = core.find<arch::CimCoreSpec>();
    if (cim == nullptr) return;
    if (list.adc.empty()) list.adc = chip_list.adc;
    if (list.digital_mac.empty()) list.digital_mac = chip_list.digital_mac;
    const CimShape shape = cim_shape(*cim, 1, 1, period_ps);
    list = arch::with_cim_prices(list, *cim, shape.period_ps,
                                 static_cast<double>(shape.t_pulse) * shape.period_ps);
}

void CimKind::add_area(arch::AreaParts& to, const arch::CoreSpec& core,
                       const arch::EnergySpec& prices) const {
    const arch::CimCoreSpec& cim = cim_of(core);
    const arch::AreaParts arrays = array_area(cim, prices, static_cast<double>(cim.arrays));
    to.parts.insert(to.parts.end(), arrays.parts.begin(), arrays.parts.end());
    to.missing.insert(to.missing.end(), arrays.missing.begin(), arrays.missing.end());
    const auto* bit = arch::area_figure(prices, "sram_cell");
    const auto slots = static_cast<double>(core.dendrite.max_delay + 1);
    const auto rows = static_cast<double>(cim.arrays * cim.array.rows);
    add_part(to, "spike_registers", slots * rows * static_cast<double>(cim.input_bits), bit);
    add_part(to, "accumulators", static_cast<double>(core.soma.max_neurons * core.dendrite.accumulator_bits),
             bit);
}

std::optional<arch::ArrayUsage> CimKind::array_usage(const arch::CoreSpec& core, const arch::CoreImage& image,
                                                     const arch::AxonGroup& group) const {
    const arch::CimCoreSpec& cim = cim_of(core);
    arch::ArrayUsage use;
    use.size = arch::matrix_of(group, image.targets_of(group));
    use.copies = group.copies;
    const arch::CimLayout layout =
        arch::cim_layout(cim, use.size.rows, use.size.outputs, use.size.positions_of_copy(use.copies));
    use.row_blocks = layout.row_blocks;
    use.column_blocks = layout.column_blocks;
    use.arrays = layout.arrays() * use.copies;
    use.cells = layout.cells() * use.copies;
    use.cells_of_arrays = use.arrays * cim.array.rows * cim.array.cols;
    return use;
}

std::unique_ptr<Core> CimKind::make(const arch::ChipSpec& chip, std::shared_ptr<const arch::CoreImage> image,
                                    const arch::Program& program, CoreContext context,
                                    CoreSchedule schedule) const {
    return std::make_unique<CimCore>(chip, std::move(image), program.device_seed, context, schedule);
}

WeightLoad CimKind::load(const arch::ChipSpec& chip, const arch::Program& program, std::uint32_t kind) const {
    WeightLoad load;
    for (const arch::CoreImage& image : program.cores) {
        if (image.kind != kind) continue;
        Link<Packet> in(1, 1), out(1, 1);
        Activity activity;
        CoreContext context;
        context.activity = &activity;
        context.in = &in;
        context.out = &out;
        CimCore core(chip, std::shared_ptr<const arch::CoreImage>(std::shared_ptr<void>(), &image),
                     program.device_seed, context, {});
        load.cycles = std::max(load.cycles, core.program(0));
        core.collect();
        for (std::size_t layer = 0; layer < core.layers().size(); ++layer) {
            load.events += core.totals(layer);
            load.write_pulses += core.own()[layer].arrays.write_pulses;
            load.cells_written += core.own()[layer].arrays.cells_written;
            load.verify_reads += core.own()[layer].arrays.verify_reads;
        }
    }
    return load;
}

}  // namespace loom::cores
