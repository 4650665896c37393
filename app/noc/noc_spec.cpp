// SPDX-License-Identifier: Apache-2.0
#include "app/noc/noc_spec.hpp"

#include "app/config_file.hpp"
#include "app/extensions.hpp"
#include "app/file_kinds.hpp"
#include "app/idle_settings.hpp"
#include "base/config/reader.hpp"
#include "base/key_error.hpp"
#include "noc/traffic/experiment.hpp"
#include "sim/report/energy_prices.hpp"
#include "sim/report/ert.hpp"

namespace loom::app {

/// Prices of Noxim's table (power.yaml; 32-bit flit, buffers of 4, node and voltage not stated there), for
/// links of 1 mm, where a file has no `energy` of its own.
NocRunSpec::NocRunSpec() {
    noc.shapes = &known().noc;
    noc.link_length = 1;
    noc.local_length = 0.1;
    const auto price = [&](const char* event, EnergyPrice value, const char* from, const char* grade) {
        arch::PriceSpec p;
        p.value = value;
        p.category = "noc";
        p.grade = grade;
        p.source = from;
        energy.actions[event] = p;
    };
    const char* table = "Noxim power.yaml (4c8e72d), node and voltage not stated";
    energy.name = "Noxim's table";
    price("noc.buffer_writes", 0.762, table, "simulated");
    price("noc.buffer_reads", 0.534, table, "simulated");
    price("noc.switch_grants", 0.050, "Noxim power.yaml, selection", "simulated");
    price("noc.vc_grants", 0.060, "Noxim power.yaml, XY routing", "simulated");
    price("noc.table_lookups", 0.120, "Noxim power.yaml, table-based routing", "simulated");
    price("noc.crossbar", 0.221, "Noxim power.yaml, crossbar 5x5", "simulated");
    for (const char* link : {"noc.link_x", "noc.link_y", "noc.link_z", "noc.link_other", "noc.local"})
        price(link, {0.0488, EnergyPrice::Per::BitMm}, "Noxim power.yaml; lengths assumed", "simulated");
    price("noc.link_bridge", {26, EnergyPrice::Per::Bit},
          "Merolla et al. 2014, Science 345:668: TrueNorth chip to chip, 1.8 V", "measured");
    for (const char* event : {"noc.packets", "noc.relays", "noc.filtered", "noc.reinjected"})
        energy.unpriced[event] = "priced by its flits";
    for (const char* event : {"noc.ni_in", "noc.ni_out"})
        energy.unpriced[event] = "not characterised by Noxim";
}

arch::ChipSpec NocRunSpec::chip() const {
    arch::ChipSpec c = new_chip();
    c.name = name;
    c.clock = clock;
    c.noc = noc;
    c.io = io;
    c.energy = energy;
    return c;
}

namespace {

void read_trace(LoadedNoc& run) {
    const std::string& file = run.spec.traffic.file;
    std::uint32_t endpoints = 0;
    with_places(run.root, [&] {
        if (file.empty()) throw KeyError("traffic.file", "pattern trace needs a CSV file");
        endpoints = noc::make_network(run.spec.chip())->topology().n_endpoints();
    });
    run.trace_path = resolve(run.root, "traffic.file", file);
    run.trace = noc::read_trace(run.trace_path, endpoints, run.spec.noc.router.classes);
}

}  // namespace

LoadedNoc load_noc(const std::string& path, const std::vector<std::string>& sets) {
    LoadedNoc run;
    run.root = config::load_with_base(path);
    apply_sets(run.root, sets);
    expect_kind(run.root, path, "noc");
    const std::vector<std::string> sections{"noc", "energy"};
    config::include_files(run.root, sections, expect_part);
    stats::expand_ert(run.root, "energy", known().cores);
    if (run.root.find("energy") != nullptr) run.spec.energy = {};
    config::read_into(run.root, "", run.spec);
    if (run.spec.traffic.pattern == "trace") read_trace(run);
    with_places(run.root, [&] {
        stats::check_prices(run.spec.chip(), stats::PricedPart::Network);
        warn_of_idle_keys(run.root, "", run.spec.chip());
        noc::check_run(run.spec.chip(), run.spec.traffic, run.spec.measure, run.trace_or_null());
    });
    return run;
}

}  // namespace loom::app

namespace loom {
template const ValueType& type_of<app::NocRunSpec>();
}
