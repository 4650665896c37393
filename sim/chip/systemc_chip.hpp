// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "sim/chip/chip_model.hpp"
#include "sim/kernel/clock_domain.hpp"
#include "sim/kernel/module_shell.hpp"

namespace loom::chip {

/// Which signals go into a waveform: names with * and ?, comma-separated.
struct WaveformSpec {
    std::string file;  ///< without ".vcd"; empty: none
    std::string signals = "*";
};

/// The chip as SystemC sees it: chip.tile_<x>_<y>.{router,core_<i>}, chip.clock, chip.host. Every
/// core of the chip has its place in the tree, in use or not; the clock domain has the only process.
class SystemCChip : public sc_core::sc_module {
  public:
    SystemCChip(sc_core::sc_module_name name, const arch::ChipSpec& spec, ChipModel& model,
                const WaveformSpec& waveform = {});
    ~SystemCChip() override;
    TimeLoop& time_loop() { return *clock_; }
    kernel::ClockDomain& clock() { return *clock_; }

  private:
    class Tile;
    class Waveform;
    std::unique_ptr<kernel::ClockDomain> clock_;
    std::unique_ptr<kernel::ModuleShell> host_;
    std::vector<std::unique_ptr<Tile>> tiles_;
    std::unique_ptr<Waveform> waveform_;
};

}  // namespace loom::chip
