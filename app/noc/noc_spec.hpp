// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>
#include <vector>

#include "noc/traffic/trace.hpp"
#include "noc/traffic/traffic_spec.hpp"
#include "arch/chip_spec.hpp"
#include "base/config/located_yaml.hpp"

namespace loom::app {

/// A file for `spikeloom noc`: a network alone with its traffic.
struct NocRunSpec {
    std::string name = "noc";
    std::string source;
    arch::ClockSpec clock;
    arch::NocSpec noc;
    arch::IoSpec io;
    noc::TrafficSpec traffic;
    noc::MeasureSpec measure;
    arch::EnergySpec energy;

    NocRunSpec();
    arch::ChipSpec chip() const;
};
template <class V>
void fields(V& v, NocRunSpec& s) {
    v("name", s.name, {.doc = "name for reports"});
    v("source", s.source, {.doc = "where the figures come from"});
    v("clock", s.clock, {.doc = "clock of the routers"});
    v("noc", s.noc, {.doc = "the network, as in a chip file"});
    v("io", s.io, {.doc = "where the host port is attached"});
    v("traffic", s.traffic, {.doc = "what the nodes send"});
    v("measure", s.measure, {.doc = "warm-up, measurement, seeds"});
    v("energy", s.energy, {.doc = "price list of network events"});
}

struct LoadedNoc {
    NocRunSpec spec;
    config::Node root;
    std::string trace_path;  ///< absolute, or empty
    std::vector<noc::TracePacket> trace;
    const std::vector<noc::TracePacket>* trace_or_null() const {
        return trace_path.empty() ? nullptr : &trace;
    }
};
/// Reads the file and its trace, checks everything and builds the network once. ConfigError, IoError.
LoadedNoc load_noc(const std::string& path, const std::vector<std::string>& sets);

}  // namespace loom::app

namespace loom {
extern template const ValueType& type_of<app::NocRunSpec>();  // compiled once
}
