// SPDX-License-Identifier: Apache-2.0
#include "app/chip_files.hpp"

#include "app/config_file.hpp"
#include "app/extensions.hpp"
#include "app/file_kinds.hpp"
#include "app/idle_settings.hpp"
#include "app/run/run_spec.hpp"
#include "app/train/train_spec.hpp"
#include "base/config/reader.hpp"
#include "noc/catalogue.hpp"
#include "sim/report/area.hpp"
#include "sim/report/energy_prices.hpp"
#include "sim/report/ert.hpp"
#include "training/price/pricing.hpp"

namespace loom::app {
namespace {

/// Includes are resolved after --set, which may name them.
config::Node load_part(const std::string& file, const std::vector<std::string>& sets) {
    config::Node root = config::load_with_base(file);
    apply_sets(root, sets);
    const std::vector<std::string> everything{""};
    config::include_files(root, everything, expect_part);
    return root;
}

}  // namespace

void check_chip_file(const std::string& file, const std::vector<std::string>& sets) {
    config::Node root = load_part(file, sets);
    stats::expand_ert(root, "energy", known().cores);
    arch::ChipSpec chip = new_chip();
    config::read_into(root, "", chip);
    with_places(root, [&] { check_chip(chip); });
    warn_of_idle_keys(root, "", chip);
}

void check_training_chip_file(const std::string& file, const std::vector<std::string>& sets) {
    config::Node root = load_part(file, sets);
    stats::expand_ert(root, "energy", known().cores);
    const auto chip = config::read<arch::TrainingChip>(root);
    with_places(root, [&] { check_training_chip(chip); });
}

void check_fabric_file(const std::string& file, const std::vector<std::string>& sets) {
    const config::Node fabric = load_part(file, sets);
    arch::ChipSpec chip = new_chip();
    chip.clock.period = 1;  // ps; a fabric has no clock of its own, and this one divides all its times
    config::read_into(fabric, "", chip.noc);
    config::Node root = config::Node::make_map();
    root.put("noc", fabric);
    with_places(root, [&] { noc::make_network(chip); });
    warn_of_idle_keys(root, "", chip);
}

void check_energy_file(const std::string& file, const std::vector<std::string>& sets) {
    config::Node root = load_part(file, sets);
    stats::expand_ert(root, "", known().cores);
    const auto prices = config::read<arch::EnergySpec>(root);
    config::Node places = config::Node::make_map();
    places.put("energy", std::move(root));  // where a chip has its list, and what messages name
    with_places(places, [&] {
        if (!training::prices_training(prices)) return stats::check_price_list(prices, known().cores);
        training::check_training_prices(prices);
        stats::check_area(prices, "energy");
    });
}

}  // namespace loom::app
