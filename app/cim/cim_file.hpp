// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>
#include <vector>

#include "arch/chip_spec.hpp"
#include "arch/cim_spec.hpp"
#include "base/config/located_yaml.hpp"
#include "base/config/schema.hpp"

namespace loom::app {

/// A file for `spikeloom cim`: one array alone.
struct CimFile {
    std::string name = "array";
    std::string source;
    std::uint64_t node = 32;
    arch::CimSpec spec;
    arch::EnergySpec energy;  ///< as in the file, or the shipped list of the node
};
template <class V>
void fields(V& v, CimFile& s) {
    v("name", s.name, {.doc = "name for reports"});
    v("source", s.source, {.doc = "where the figures come from"});
    v("node", s.node, {.doc = "nm, of the shipped price list that is used without `energy`"});
    fields(v, s.spec);
    v("energy", s.energy, {.doc = "price list; `file:` includes one"});
}

struct LoadedCim {
    CimFile file;
    config::Node root;  ///< with flat keys moved into their sections: places for messages
};

/// Keys may stand in their section (`adc: {adc_bits: 5}`) or alone (`adc_bits: 5`): moves the latter into
/// their sections. A key given alone by --set replaces the one in the section; in a file it may be given
/// once. Throws ConfigError for unknown keys, with the nearest of all.
void nest_cim_keys(config::Node& root);

/// Reads an array file with its includes; sets: "key.path=value". Throws ConfigError, IoError; Error(Usage)
/// for a malformed --set.
LoadedCim load_cim(const std::string& path, const std::vector<std::string>& sets);

/// JSON schema of an array file: keys in their sections and alone.
std::string cim_schema(const config::SchemaOptions& options);

/// Whether a tree looks like an array file.
bool is_cim_file(const config::Node& root);

/// The shipped list of a node: 22, 32, 65 or 130 nm. Throws ConfigError for others.
arch::EnergySpec shipped_cim_prices(std::uint64_t node);

}  // namespace loom::app
