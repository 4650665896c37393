// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "compiler/ir/nir_graph.hpp"
#include "compiler/passes/place.hpp"
#include "compiler/passes/quantise.hpp"
#include "compiler/profile.hpp"
#include "arch/chip_spec.hpp"
#include "arch/program.hpp"

namespace loom::compiler {

/// The `map:` section of a run.
struct MapSpec {
    std::string place = "auto";
    std::uint64_t seed = 1;
    std::uint64_t min_slices = 1;
    std::optional<std::int64_t> weight_exponent;
    std::map<std::string, std::string> kinds;
    double rate = 0.1;
    std::uint64_t duplicate = 1;
    std::uint64_t row_parts = 1;
    bool check = true;
    std::uint64_t check_limit = 5000000;
};
template <class V>
void fields(V& v, MapSpec& s) {
    v("place", s.place, {.doc = "auto (traffic-aware) or sequential"});
    v("seed", s.seed, {.doc = "of the traffic-aware placement", .max = kAnyWhole});
    v("min_slices", s.min_slices,
      {.doc = "cut every layer into at least so many slices: more cores, less time", .min = 1});
    v("weight_exponent", s.weight_exponent,
      {.doc = "weight = integer * 2^-k for all layers; unset: the finest k of each layer",
       .min = -40,
       .max = 40});
    v("kinds", s.kinds,
      {.doc = "kind of core by layer, on chips with several; a layer not named goes where its estimated "
              "energy is "
              "least"});
    v("rate", s.rate,
      {.doc = "spikes per neuron and timestep that this estimate assumes for hidden layers",
       .min = 0,
       .max = 1});
    v("duplicate", s.duplicate,
      {.doc = "compute-in-memory: copies of every convolution's kernel, which share the output positions",
       .min = 1});
    v("row_parts", s.row_parts,
      {.doc = "compute-in-memory: cut the rows of every layer over at least so many cores, where it has as "
              "many; "
              "partial sums travel as packets",
       .min = 1,
       .max = 65536});
    v("check", s.check, {.doc = "replay the connections of the mapping against the network"});
    v("check_limit", s.check_limit,
      {.doc = "about so many connections: of larger networks every k-th source element is checked; 0: all",
       .max = kAnyWhole});
}

/// What the compiler must know about the input data.
struct InputFormat {
    bool analogue = false;  ///< values other than 0 and 1
    double max_abs = 1.0;
    int exponent = 0;         ///< smallest k >= 0 with all values * 2^k whole, at most 30
    double events = 0;        ///< values other than 0 in a sample, on average
    std::uint64_t steps = 1;  ///< timesteps of a sample
};

struct PassReport {
    std::string name;
    double seconds = 0;  ///< host time
    std::string summary;
    std::string dump;  ///< details, for `spikeloom map --dump`
};

struct Mapping {
    std::shared_ptr<const NirModel> model;
    Graph graph;
    std::vector<LoweredProjection> lowered;
    std::vector<bool> on_host;
    std::vector<std::uint32_t> kind_of;  ///< [populations] kind of core
    std::vector<std::vector<double>>
        estimates;  ///< [populations][kinds] pJ per inference; NaN: not taken into account; or empty
    Partition partition;
    Placement placement;
    std::vector<PopulationFormat> formats;  ///< [populations], fixed point
    std::vector<WeightedInput> inputs;      ///< [projections], exponents
    std::vector<arch::LayerLoss> losses;    ///< [populations], fixed point
    arch::Program program;
    std::vector<PassReport> passes;
};

/// Is told how many connections have been checked.
using CheckProgress = std::function<void(std::uint64_t)>;

/// Runs all passes. Throws UnsupportedError, MappingError, ConfigError; InternalError when the
/// independent checker finds a difference.
Mapping compile(std::shared_ptr<const NirModel> model, const Profile& profile, const arch::ChipSpec& chip,
                const MapSpec& map, const InputFormat& input, const CheckProgress& progress = {});

struct CheckedConnections {
    std::uint64_t connections = 0;
    std::uint64_t stride = 1;  ///< of every so manieth source element
};
/// Proves that the program delivers every connection of the graph exactly once with the right weight
/// and delay, and that every capacity holds. Derives the connections from the NIR nodes and the
/// deliveries from the fan-out tables and memory images alone. limit: of connections, about; 0: none.
CheckedConnections check_connections(const Mapping& mapping, const Profile& profile, const arch::ChipSpec& chip,
                                     std::uint64_t limit, const CheckProgress& progress);
/// All of them, and how many there are.
std::uint64_t check_program(const Mapping& mapping, const Profile& profile, const arch::ChipSpec& chip);

/// Human-readable: layers, slices, cores, use of each resource.
std::string describe(const Mapping& mapping, const arch::ChipSpec& chip);

}  // namespace loom::compiler
