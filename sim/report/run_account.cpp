// SPDX-License-Identifier: Apache-2.0
#include "sim/report/run_account.hpp"

#include "arch/core_kind.hpp"

namespace loom::stats {

RunAccount::RunAccount(const RunRecord& r, const arch::ChipSpec& c, const arch::Program& p)
    : record(r),
      chip(c),
      program(p),
      inventory(c),
      prices(c, inventory),
      power(c, inventory),
      ledger(compute_energy(r, prices, power)),
      layers_(p.layers.size()) {
    for (std::size_t k = 0; k < chip.n_kinds(); ++k) {
        const arch::CoreKind& kind = chip.kind(k).type();
        operations_.push_back({events().find(kind.accumulate_event()), events().find(kind.multiply_event())});
    }
    for (const CoreLayerRecord& core : record.cores) {
        endpoints_.insert(core.endpoint);
        const LayerOps ops = ops_of(prices.kind(core.endpoint), core.counters);
        layers_[core.layer].spikes += ops.spikes;
        layers_[core.layer].ac += ops.ac;
        layers_[core.layer].mac += ops.mac;
    }
    layers_[index(program.input)].spikes = record.input_events;
    for (std::size_t i = 0; i < layers_.size(); ++i) {
        layers_[i].offchip = i < record.offchip_mac.size() ? record.offchip_mac[i] : 0;
        layers_[i].ann = program.layers[i].ann_macs * samples();
        if (!program.layers[i].is_input) all_.spikes += layers_[i].spikes;
        all_.ac += layers_[i].ac;
        all_.mac += layers_[i].mac;
        all_.offchip += layers_[i].offchip;
        all_.ann += layers_[i].ann;
    }
}

LayerOps RunAccount::ops_of(std::size_t kind, const cores::CoreTotals& counters) const {
    LayerOps ops;
    ops.spikes = counters.common.spikes;
    const auto& [ac, mac] = operations_.at(kind);
    events().for_each_count(counters, chip.kind(kind).kind, [&, ac = ac, mac = mac](std::size_t event, std::uint64_t n) {
        if (event == ac) ops.ac += n;
        if (event == mac) ops.mac += n;
    });
    return ops;
}

}  // namespace loom::stats
