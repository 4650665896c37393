// SPDX-License-Identifier: Apache-2.0
#include "app/run/run_spec.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <filesystem>

#include "app/config_file.hpp"
#include "app/extensions.hpp"
#include "app/file_kinds.hpp"
#include "app/idle_settings.hpp"
#include "app/profile_section.hpp"
#include "arch/core_kinds.hpp"
#include "base/config/reader.hpp"
#include "base/config/writer.hpp"
#include "base/input_file.hpp"
#include "base/key_error.hpp"
#include "base/nearest.hpp"
#include "base/sha1.hpp"
#include "noc/catalogue.hpp"
#include "sim/report/energy_prices.hpp"
#include "sim/report/ert.hpp"

namespace loom::app {
namespace fs = std::filesystem;
namespace {

/// The tree of a run file, includes resolved and --set applied, not yet checked.
config::Node load_run_tree(const std::string& path, const std::vector<std::string>& sets) {
    config::Node root = config::load_with_base(path);
    apply_sets(root, sets);
    expect_kind(root, path, "run");
    const std::array<std::string, 1> sections{"chip"};
    config::include_files(root, sections, expect_part);
    stats::expand_ert(root, "chip.energy", known().cores);
    return root;
}

/// A network of the user's is made with the chip only, since its modules belong to SystemC.
void check_network(const arch::ChipSpec& chip) {
    if (known().modules.has_network(chip.noc.router.kind)) {
        noc::make_topology(chip.noc, chip.clock.period, chip.io.router);
    } else {
        noc::make_network(chip);
    }
}

}  // namespace

void check_packets(const arch::ChipSpec& chip, bool graded) {
    const std::string& router = chip.noc.router.kind;
    if (known().modules.has_network(router) || !noc::catalogue_of(chip.noc).routers.get(router).single_flits) return;
    for (std::size_t k = 0; k < chip.n_kinds(); ++k) {
        const std::uint64_t flits = chip.packet_flits(k, graded);
        if (flits <= 1) continue;
        const std::string key = chip.key_of_kind(k) + ".axon_out." + (graded ? "graded_flits" : "flits");
        throw KeyError(key, fmt::format("{} have {} flits of {} bits, and the {} router carries packets of 1 flit; "
                                        "set it to 1, or widen noc.flit_bits",
                                        graded ? "packets with payload" : "spike packets", flits,
                                        chip.noc.flit_bits, router));
    }
}

void check_timestep(const arch::ChipSpec& chip) {
    static const std::vector<std::string> policies{"barrier"};
    const std::string& policy = chip.timestep.policy;
    if (std::find(policies.begin(), policies.end(), policy) == policies.end())
        throw KeyError("timestep.policy", unknown_name(policy, policies));
}

void check_chip(const arch::ChipSpec& chip) {
    check_timestep(chip);
    check_network(chip);
    check_packets(chip, false);
    arch::check_kinds(chip);
    stats::check_prices(arch::with_derived_prices(chip));
}

LoadedRun load_run(const std::string& path, const std::vector<std::string>& sets, const std::uint64_t* seed) {
    const config::Node root = load_run_tree(path, sets);
    LoadedRun run;
    start_profile(root, run.spec.profile);
    config::read_into(root, "", run.spec);
    with_places(root, [&] { compiler::check_profile(run.spec.profile); });
    with_places(root, [&] { check_chip(run.spec.chip); });
    warn_of_idle_keys(root, "chip", run.spec.chip);
    warn_of_keys_of_traffic(root, "chip", run.spec.chip);
    if (seed != nullptr) run.spec.input.seed = run.spec.map.seed = *seed;
    run.chip_as_written = run.spec.chip;
    run.spec.chip = arch::with_derived_prices(std::move(run.spec.chip));
    run.root = root;
    run.network_path = resolve(root, "network.file", run.spec.network.file);
    run.input_path = resolve(root, "input.file", run.spec.input.file);
    return run;
}

std::string resolved_yaml(const LoadedRun& run, const std::string& directory) {
    RunSpec spec = run.spec;
    spec.chip = run.chip_as_written;
    spec.network.file = fs::relative(run.network_path, directory).string();
    spec.input.file = fs::relative(run.input_path, directory).string();
    return config::emit(config::to_node(spec));
}

std::string configuration_hash(const LoadedRun& run) {
    return sha1_hex(resolved_yaml(run, "/") + input_hash(run.network_path) + input_hash(run.input_path));
}

}  // namespace loom::app

namespace loom {
template const ValueType& type_of<app::RunSpec>();
}
