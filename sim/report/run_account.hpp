// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <set>
#include <vector>

#include "arch/chip_spec.hpp"
#include "arch/program.hpp"
#include "sim/report/energy_ledger.hpp"
#include "sim/report/run_record.hpp"

namespace loom::stats {

/// Operations of a layer, or of all of them.
struct LayerOps {
    std::uint64_t spikes = 0, ac = 0, mac = 0, offchip = 0;
    double ann = 0;  ///< MACs of the same-shape ANN
};

/// What all reports of a run are made from, computed once: prices, static power, the ledger, operations.
/// Keeps references to its arguments.
class RunAccount {
  public:
    /// Throws ConfigError as PriceTable.
    RunAccount(const RunRecord& record, const arch::ChipSpec& chip, const arch::Program& program);
    RunAccount(const RunAccount&) = delete;
    RunAccount& operator=(const RunAccount&) = delete;

    const RunRecord& record;
    const arch::ChipSpec& chip;
    const arch::Program& program;
    const Inventory inventory;
    const ChipPrices prices;
    const StaticPower power;
    const Ledger ledger;

    const EventList& events() const { return prices.events(); }
    const std::string& event_name(const Leaf& l) const { return events()[l.event].name; }
    double samples() const { return static_cast<double>(record.samples); }
    double seconds() const { return static_cast<double>(record.total_cycles) * chip.clock.period * 1e-12; }
    /// Dynamic energy and leakage, pJ.
    double total_pj() const { return ledger.total().total() + ledger.leakage.total_pj(); }
    const std::vector<LayerOps>& layers() const { return layers_; }
    const LayerOps& all() const { return all_; }
    /// Spikes, ac and mac of what cores of a kind (of the chip's) have counted.
    LayerOps ops_of(std::size_t kind, const cores::CoreTotals& counters) const;
    /// Endpoints in use, ascending.
    const std::set<std::uint32_t>& endpoints() const { return endpoints_; }
    /// The part of the ledger for which keep(leaf), without leakage.
    template <class F>
    Ledger part(F keep) const {
        Ledger part;
        for (const Leaf& l : ledger.leaves) {
            if (keep(l)) part.leaves.push_back(l);
        }
        return part;
    }
    /// Is it a leaf of a core of this kind?
    bool of_kind(const Leaf& l, std::size_t kind) const {
        return l.core != Leaf::kNoCore && prices.kind(l.core) == kind;
    }

  private:
    struct OperationEvents {
        std::size_t ac = 0, mac = 0;
    };
    std::vector<OperationEvents> operations_;  ///< [kinds]
    std::vector<LayerOps> layers_;
    LayerOps all_;
    std::set<std::uint32_t> endpoints_;
};

}  // namespace loom::stats
