// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>
#include <vector>

#include "app/extensions.hpp"
#include "arch/chip_spec.hpp"
#include "base/config/located_yaml.hpp"
#include "compiler/compile.hpp"
#include "compiler/profile.hpp"
#include "sim/chip/chip_model.hpp"
#include "traces/stimulus.hpp"

namespace loom::app {

struct NetworkSpec {
    std::string file;
    bool repair = false;
};
template <class V>
void fields(V& v, NetworkSpec& s) {
    v("file", s.file, {.doc = "trained network, NIR 1.x", .required = true});
    v("repair", s.repair, {.doc = "mend unique near-matches of misspelt node names"});
}

enum class DecodeRule { SpikeCount, Membrane, Sum };
inline std::span<const std::string_view> enum_names(DecodeRule*) {
    static constexpr std::array<std::string_view, 3> names{"spike_count", "membrane", "sum"};
    return names;
}
struct DecodeSpec {
    DecodeRule rule = DecodeRule::SpikeCount;
};
template <class V>
void fields(V& v, DecodeSpec& s) {
    v("rule", s.rule,
      {.doc =
           "spike_count: most spikes; membrane: largest at the last timestep; sum: largest sum over time"});
}

enum class Record { Spikes, Membrane, Current, Packets, Timesteps };
inline std::span<const std::string_view> enum_names(Record*) {
    static constexpr std::array<std::string_view, 5> names{"spikes", "membrane", "current", "packets", "timesteps"};
    return names;
}

/// A run file.
struct RunSpec {
    NetworkSpec network;
    compiler::Profile profile;
    traces::StimulusSpec input;
    DecodeSpec decode;
    arch::ChipSpec chip = new_chip();
    compiler::MapSpec map;
    chip::ScheduleSpec schedule;
    std::vector<Record> record;
    std::uint64_t device_seed = 1;
    std::uint64_t device_seeds = 1;

    bool records(Record r) const {
        for (const Record x : record) {
            if (x == r) return true;
        }
        return false;
    }
};
template <class V>
void fields(V& v, RunSpec& s) {
    v("network", s.network, {.doc = "the trained network", .required = true});
    v("profile", s.profile,
      {.doc = "how the network is to be executed; a .nir does not say", .required = true});
    v("input", s.input, {.doc = "what is presented", .required = true});
    v("decode", s.decode, {.doc = "how the output becomes a class"});
    v("chip", s.chip, {.doc = "the chip; `file:` includes one", .required = true});
    v("map", s.map, {.doc = "compiler options"});
    v("schedule", s.schedule, {.doc = "how layers run in time"});
    v("record", s.record,
      {.doc =
           "spikes, membrane, current: written to spikes.h5; packets: to packets.csv, which `spikeloom noc` "
           "replays (traffic: {pattern: trace, file: packets.csv}); timesteps: stats.json has a row for every "
           "timestep, not only for those in which something happens"});
    v("device_seed", s.device_seed,
      {.doc = "of the devices of compute-in-memory arrays: another seed, another chip",
       .max = kAnyWhole});
    v("device_seeds", s.device_seeds,
      {.doc = "so many chips, device_seed and the next ones: accuracy, cycles, time and energy as mean and "
              "interval",
       .min = 1,
       .max = 100000});
}

struct LoadedRun {
    RunSpec spec;
    arch::ChipSpec chip_as_written;  ///< spec.chip has the prices that follow from its arrays too
    config::Node root;               ///< the tree it was read from: places of values, for messages
    std::string network_path;        ///< absolute
    std::string input_path;          ///< absolute
};

/// Reads a run file with its includes. sets: "key.path=value". seed: replaces input.seed and
/// map.seed. Throws ConfigError, IoError; Error(Usage) for a malformed --set.
LoadedRun load_run(const std::string& path, const std::vector<std::string>& sets,
                   const std::uint64_t* seed = nullptr);

/// The one way to end a timestep that is modelled is the barrier. Throws KeyError for another.
void check_timestep(const arch::ChipSpec& chip);

/// Routers that carry packets of one flit get no longer ones from the cores. graded: packets with payload. Throws
/// KeyError.
void check_packets(const arch::ChipSpec& chip, bool graded);

/// What reading alone cannot find: unknown kinds, impossible networks, missing prices. Throws ConfigError.
void check_chip(const arch::ChipSpec& chip);

/// The whole configuration, defaults included, paths relative to `directory`.
std::string resolved_yaml(const LoadedRun& run, const std::string& directory);

/// Of all that a result depends on beside the program: the configuration and the contents of its files. Throws IoError.
std::string configuration_hash(const LoadedRun& run);

}  // namespace loom::app

namespace loom {
extern template const ValueType& type_of<app::RunSpec>();  // compiled once
}
