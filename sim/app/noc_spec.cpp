// SPDX-License-Identifier: Apache-2.0
#include "sim/app/noc_spec.hpp"

#include <filesystem>

#include "noc/catalogue.hpp"
#include "noc/traffic/experiment.hpp"
#include "noc/traffic/pattern.hpp"
#include "sim/app/run_spec.hpp"
#include "sim/base/error.hpp"
#include "sim/config/reader.hpp"
#include "sim/stats/energy_prices.hpp"
#include "sim/stats/ert.hpp"

namespace loom::app {
namespace fs = std::filesystem;

/// Prices of Noxim's table (power.yaml; 32-bit flit, buffers of 4, node and voltage not stated there), for
/// links of 1 mm, where a file has no `energy` of its own.
NocRunSpec::NocRunSpec() {
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
    arch::ChipSpec c;
    c.name = name;
    c.clock = clock;
    c.noc = noc;
    c.io = io;
    c.energy = energy;
    return c;
}

LoadedNoc load_noc(const std::string& path, const std::vector<std::string>& sets) {
    LoadedNoc run;
    run.root = config::load_with_base(path);
    for (const std::string& s : sets) {
        const auto eq = s.find('=');
        if (eq == std::string::npos || eq == 0)
            throw Error(ExitCode::Usage, "--set " + s + ": expected key.path=value");
        config::set(run.root, s.substr(0, eq), s.substr(eq + 1));
    }
    const std::vector<std::string> sections{"noc", "energy"};
    config::include_files(run.root, sections);
    stats::expand_ert(run.root, "energy");
    if (run.root.find("energy") != nullptr) run.spec.energy = {};
    config::read_into(run.root, "", run.spec);
    with_places(run.root, [&] {
        stats::check_prices(run.spec.chip(), stats::PricedPart::Network);
        noc::check_traffic(run.spec.traffic, run.spec.noc);
        const auto network = noc::make_network(run.spec.chip());
        if (run.spec.traffic.pattern != "trace") noc::make_pattern(run.spec.traffic, network->topology());
        if (run.spec.measure.seeds.empty())
            throw ConfigError("measure.seeds: is empty; give one seed or more");
    });
    if (run.spec.traffic.pattern == "trace") {
        const config::Node* node = config::get(run.root, "traffic.file");
        if (run.spec.traffic.file.empty()) {
            with_places(run.root, [] { throw ConfigError("traffic.file: pattern trace needs a CSV file"); });
        }
        const fs::path p(run.spec.traffic.file);
        const fs::path base =
            node != nullptr && node->at.line > 0 ? fs::path(node->at.file).parent_path() : fs::path();
        run.trace_path = fs::absolute(p.is_absolute() ? p : base / p).lexically_normal().string();
    }
    return run;
}

}  // namespace loom::app
