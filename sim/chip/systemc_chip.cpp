// SPDX-License-Identifier: Apache-2.0
#include "sim/chip/systemc_chip.hpp"

#include <fmt/format.h>
#include <fnmatch.h>

#include <deque>
#include <sstream>

#include "base/error.hpp"

namespace loom::chip {

class SystemCChip::Tile : public sc_core::sc_module {
  public:
    Tile(sc_core::sc_module_name name, std::uint64_t cores) : sc_module(name), router_("router") {
        for (std::uint64_t i = 0; i < cores; ++i) {
            cores_.push_back(std::make_unique<kernel::ModuleShell>(fmt::format("core_{}", i).c_str()));
        }
    }

  private:
    kernel::ModuleShell router_;
    std::vector<std::unique_ptr<kernel::ModuleShell>> cores_;
};

/// Plain integers copied after each evaluated cycle and traced.
class SystemCChip::Waveform {
  public:
    Waveform(const WaveformSpec& spec, const arch::ChipSpec& chip, const ChipModel& model)
        : patterns_(split(spec.signals)), file_(sc_core::sc_create_vcd_trace_file(spec.file.c_str())) {
        if (file_ == nullptr) throw IoError(spec.file + ".vcd: cannot be written");
        file_->set_time_unit(1, sc_core::SC_PS);
        const ChipModel* m = &model;
        add("timestep", [m] { return m->controller().step(); });
        add("outstanding", [m] { return static_cast<std::uint64_t>(m->activity().outstanding()); });
        add("noc.flits_in_flight", [m] { return std::uint64_t{m->network().flits_in_flight()}; });
        add("host.packets", [m] { return m->host_packets(); });
        const arch::NocShape shape = chip.noc.shape();
        for (std::size_t i = 0; i < model.cores().size(); ++i) {
            const std::uint64_t e = index(model.program().cores[i].endpoint);
            const std::uint64_t per = shape.cores_per_router, r = e / per;
            const std::string name =
                fmt::format("tile_{}_{}.core_{}", shape.column(r), shape.row(r), e % per);
            add(name + ".axon_in.queued", [m, i] { return std::uint64_t{m->queued(i)}; });
            add(name + ".busy", [m, i] { return std::uint64_t{!m->cores()[i]->quiescent()}; });
            add(name + ".spikes", [m, i] { return std::uint64_t{m->cores()[i]->spikes().size()}; });
        }
        if (signals_.empty()) {
            throw Error(ExitCode::Usage, "--vcd-signals: no signal matches '" + spec.signals +
                                             "' (timestep, outstanding, noc.*, host.*, tile_X_Y.core_I.*)");
        }
    }
    ~Waveform() { sc_core::sc_close_vcd_trace_file(file_); }
    Waveform(const Waveform&) = delete;
    Waveform& operator=(const Waveform&) = delete;

    void sample() {
        for (Signal& s : signals_) s.value = s.read();
    }

  private:
    struct Signal {
        std::function<std::uint64_t()> read;
        sc_dt::uint64 value = 0;
    };
    static std::vector<std::string> split(const std::string& text) {
        std::vector<std::string> out;
        std::stringstream in(text);
        for (std::string item; std::getline(in, item, ',');) out.push_back(item);
        return out;
    }
    void add(const std::string& name, std::function<std::uint64_t()> read) {
        for (const std::string& p : patterns_) {
            if (fnmatch(p.c_str(), name.c_str(), 0) != 0) continue;
            signals_.push_back({std::move(read), 0});
            sc_core::sc_trace(file_, signals_.back().value, "chip." + name, 64);
            return;
        }
    }
    std::vector<std::string> patterns_;
    sc_core::sc_trace_file* file_;
    std::deque<Signal> signals_;
};

SystemCChip::SystemCChip(sc_core::sc_module_name name, const arch::ChipSpec& spec, ChipModel& model,
                         const WaveformSpec& waveform)
    : sc_module(name) {
    clock_ = std::make_unique<kernel::ClockDomain>("clock", model.scheduler(), spec.clock.period);
    host_ = std::make_unique<kernel::ModuleShell>("host");
    const arch::NocShape shape = spec.noc.shape();
    for (std::uint64_t r = 0; r < shape.core_routers; ++r) {
        tiles_.push_back(std::make_unique<Tile>(
            fmt::format("tile_{}_{}", shape.column(r), shape.row(r)).c_str(), shape.cores_per_router));
    }
    if (waveform.file.empty()) return;
    waveform_ = std::make_unique<Waveform>(waveform, spec, model);
    clock_->observe([this](Cycle) { waveform_->sample(); });
}

SystemCChip::~SystemCChip() = default;

}  // namespace loom::chip
