// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <any>
#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <typeinfo>
#include <vector>

#include "arch/energy_spec.hpp"
#include "arch/noc_spec.hpp"
#include "arch/sparsity_rules.hpp"
#include "base/described.hpp"
#include "base/error.hpp"
#include "base/fields.hpp"

namespace loom::arch {

// ---- core ------------------------------------------------------------------------

enum class Arithmetic { Fixed, Float64 };
inline std::span<const std::string_view> enum_names(Arithmetic*) {
    static constexpr std::array<std::string_view, 2> names{"fixed", "float64"};
    return names;
}

enum class Rounding { Floor, TowardZero };
inline std::span<const std::string_view> enum_names(Rounding*) {
    static constexpr std::array<std::string_view, 2> names{"floor", "toward_zero"};
    return names;
}

struct AxonInSpec {
    std::uint64_t fifo = 16;
    std::uint64_t max_axons = 4096;
    std::uint64_t lookup = 1;
    std::uint64_t payload_bits = 0;
};
template <class V>
void fields(V& v, AxonInSpec& s) {
    v("fifo", s.fifo, {.doc = "packets the input FIFO holds", .min = 1});
    v("max_axons", s.max_axons, {.doc = "input axons (lists) a core can hold", .min = 1});
    v("lookup", s.lookup, {.doc = "cycles per axon table look-up", .unit = Unit::CycleCount, .min = 0});
    v("payload_bits", s.payload_bits,
      {.doc = "bits of a graded spike's payload; 0: plain spikes only", .min = 0, .max = 31});
}

struct SynapseSpec {
    std::uint64_t memory = 64 * 1024 * 8;
    std::uint64_t word = 64;
    std::uint64_t ports = 1;
    std::uint64_t read_latency = 1;
    std::uint64_t weight_bits = 8;
    std::uint64_t index_bits = 10;
    bool conv = true;
};
template <class V>
void fields(V& v, SynapseSpec& s) {
    v("memory", s.memory, {.doc = "synapse memory of a core", .unit = Unit::Memory, .min = 1});
    v("word", s.word, {.doc = "bits per read", .unit = Unit::Memory, .min = 1});
    v("ports", s.ports, {.doc = "words read per cycle", .min = 1});
    v("read_latency", s.read_latency,
      {.doc = "cycles from address to word", .unit = Unit::CycleCount, .min = 1});
    v("weight_bits", s.weight_bits,
      {.doc = "bits of a signed weight (a power-of-two scale per layer)", .min = 2, .max = 16});
    v("index_bits", s.index_bits, {.doc = "bits of a target index in a sparse row", .min = 1, .max = 32});
    v("conv", s.conv, {.doc = "shared kernels with an address generator; false: one copy per pair"});
}

struct DendriteSpec {
    std::uint64_t lanes = 8;
    std::uint64_t interval = 1;
    std::uint64_t accumulator_bits = 24;
    std::uint64_t ports = 2;
    std::uint64_t max_delay = 8;
};
template <class V>
void fields(V& v, DendriteSpec& s) {
    v("lanes", s.lanes, {.doc = "accumulations side by side", .min = 1});
    v("interval", s.interval, {.doc = "cycles per group of lanes", .unit = Unit::CycleCount, .min = 1});
    v("accumulator_bits", s.accumulator_bits,
      {.doc = "signed width; larger sums saturate and are counted", .min = 8, .max = 31});
    v("ports", s.ports,
      {.doc = "2: read and write in one cycle; 1: two cycles, and arrivals wait for the soma's sweep",
       .min = 1,
       .max = 2});
    v("max_delay", s.max_delay, {.doc = "largest delay of the ring, in timesteps", .min = 1, .max = 63});
}

struct SomaSpec {
    Arithmetic arithmetic = Arithmetic::Fixed;
    std::uint64_t max_neurons = 1024;
    std::uint64_t lanes = 1;
    std::uint64_t cycles_active = 1;
    std::uint64_t cycles_inactive = 1;
    std::uint64_t latency = 4;
    std::uint64_t reset_interval = 1;
    std::uint64_t state_bits = 40;
    std::int64_t fraction_bits = 24;
    std::int64_t weight_shift = -1;
    std::uint64_t threshold_shift = 0;
    std::uint64_t threshold_bits = 0;
    std::uint64_t decay_bits = 12;
    Rounding rounding = Rounding::Floor;
};
template <class V>
void fields(V& v, SomaSpec& s) {
    v("arithmetic", s.arithmetic, {.doc = "fixed: the hardware's integers; float64: the reference"});
    v("max_neurons", s.max_neurons, {.doc = "neurons a core can hold", .min = 1});
    v("lanes", s.lanes, {.doc = "neurons updated side by side", .min = 1});
    v("cycles_active", s.cycles_active,
      {.doc = "cycles per group when a neuron in it had input or fires", .unit = Unit::CycleCount, .min = 1});
    v("cycles_inactive", s.cycles_inactive,
      {.doc = "cycles per group otherwise", .unit = Unit::CycleCount, .min = 1});
    v("latency", s.latency,
      {.doc = "pipeline depth: first read to spike", .unit = Unit::CycleCount, .min = 1});
    v("reset_interval", s.reset_interval,
      {.doc = "cycles per group to clear the state between samples", .unit = Unit::CycleCount, .min = 0});
    v("state_bits", s.state_bits, {.doc = "signed width of the membrane", .min = 8, .max = 62});
    v("fraction_bits", s.fraction_bits,
      {.doc = "fractional bits of the membrane (used when weight_shift is -1)", .min = 0, .max = 48});
    v("weight_shift", s.weight_shift,
      {.doc = "membrane LSB = layer's weight LSB / 2^shift (Loihi: 6); -1: use fraction_bits",
       .min = -1,
       .max = 24});
    v("threshold_shift", s.threshold_shift, {.doc = "thresholds are multiples of 2^shift LSB", .max = 24});
    v("threshold_bits", s.threshold_bits,
      {.doc = "bits of the threshold mantissa; 0: as wide as the state", .max = 62});
    v("decay_bits", s.decay_bits, {.doc = "fractional bits of the decay factor", .min = 1, .max = 16});
    v("rounding", s.rounding, {.doc = "of the decay product"});
}

struct AxonOutSpec {
    std::uint64_t max_fanout_entries = 4096;
    std::uint64_t entry_interval = 1;
    std::uint64_t fifo = 16;
    std::uint64_t packet_bits = 24;
    std::uint64_t flits = 0;
    std::uint64_t graded_flits = 0;
};
template <class V>
void fields(V& v, AxonOutSpec& s) {
    v("max_fanout_entries", s.max_fanout_entries, {.doc = "fan-out table entries of a core", .min = 1});
    v("entry_interval", s.entry_interval,
      {.doc = "cycles per fan-out entry (read and packet formed)", .unit = Unit::CycleCount, .min = 1});
    v("fifo", s.fifo, {.doc = "spikes waiting for the fan-out table; full: the soma stalls", .min = 1});
    v("packet_bits", s.packet_bits,
      {.doc = "bits of a spike packet (address and axon), without payload", .unit = Unit::Memory, .min = 1});
    v("flits", s.flits, {.doc = "flits of a plain spike packet; 0: packet_bits / noc.flit_bits", .max = 64});
    v("graded_flits", s.graded_flits,
      {.doc = "flits of a packet with payload; 0: (packet_bits + payload_bits) / noc.flit_bits", .max = 64});
}

class CoreKind;
class CoreKinds;

/// A core. The blocks are stages of the pipeline that kinds of cores have in common; what only one kind has
/// stands in a section of its own, of a type that this header does not know.
struct CoreSpec {
    const CoreKinds* kinds = nullptr;  ///< the kinds that `kind` may name; they outlive the description
    std::string kind = "near_memory";
    AxonInSpec axon_in;
    SynapseSpec synapse;
    DendriteSpec dendrite;
    SomaSpec soma;
    AxonOutSpec axon_out;
    std::vector<std::any> sections;  ///< of kinds of cores, those that were given, each of another type

    /// The kind. Throws ConfigError when no kind has the name, InternalError without a catalogue.
    const CoreKind& type() const;

    /// A section whether or not the core is of the kind that has it; null: it was not given.
    template <class T>
    const T* find() const {
        for (const std::any& s : sections) {
            if (const T* found = std::any_cast<T>(&s)) return found;
        }
        return nullptr;
    }
    /// The section of the core's own kind; null: that is of another type, or was not given.
    template <class T>
    const T* own() const {
        return has_section(typeid(T)) ? find<T>() : nullptr;
    }
    /// A section that must be there (CoreKind::check has seen it). Throws InternalError.
    template <class T>
    const T& section() const {
        if (const T* found = find<T>()) return *found;
        throw InternalError("a core without the section of its kind");
    }
    /// The section to be changed; made with its defaults when it was not given.
    template <class T>
    T& section() {
        for (std::any& s : sections) {
            if (T* found = std::any_cast<T>(&s)) return *found;
        }
        return sections.emplace_back().emplace<T>();
    }

  private:
    bool has_section(const std::type_info& type) const;
};
/// Shows the visitor every section that a kind of the catalogue has.
void visit_sections(FieldVisitor& v, CoreSpec& s);

template <class V>
void fields(V& v, CoreSpec& s) {
    v("kind", s.kind, {.doc = "kind of core: near_memory, cim or another one of the catalogue"});
    v("axon_in", s.axon_in, {.doc = "input FIFO and axon table"});
    v("synapse", s.synapse, {.doc = "synapse memory and row fetch"});
    v("dendrite", s.dendrite, {.doc = "accumulators and delay ring"});
    v("soma", s.soma, {.doc = "neuron update"});
    v("axon_out", s.axon_out, {.doc = "fan-out table and packet formation"});
    visit_sections(v, s);
}

// ---- chip ----------------------------------------------------------------------------------------

struct ClockSpec {
    double period = 1000.0;
};
template <class V>
void fields(V& v, ClockSpec& s) {
    v("period", s.period,
      {.doc = "one cycle; asynchronous chips use a fine time base", .unit = Unit::Time, .min = 1});
}

struct TimestepSpec {
    std::string policy = "barrier";
    std::uint64_t latency = 1;
    std::uint64_t latency_per_tile = 0;
};
template <class V>
void fields(V& v, TimestepSpec& s) {
    v("policy", s.policy, {.doc = "barrier: a step starts when the one before has drained"});
    v("latency", s.latency, {.doc = "cycles of a barrier", .unit = Unit::CycleCount, .min = 1});
    v("latency_per_tile", s.latency_per_tile,
      {.doc = "additional cycles per router whose cores are in use", .unit = Unit::CycleCount});
}

struct IoSpec {
    std::vector<std::uint64_t> router{0, 0};
    std::uint64_t interval = 1;
};
template <class V>
void fields(V& v, IoSpec& s) {
    v("router", s.router, {.doc = "router that the host port is attached to"});
    v("interval", s.interval,
      {.doc = "cycles per packet injected by the host", .unit = Unit::CycleCount, .min = 1});
}

/// One of several kinds of cores of a chip, and which cores are of it: all that satisfy everything given here
/// and are not of a kind named before.
struct CoreKindSpec : CoreSpec {
    std::string name;
    CoreKindSpec() = default;  // no aggregate: g++ 12 would warn of its base's texts
    std::vector<std::string> routers;
    std::vector<std::uint64_t> columns;
    std::vector<std::uint64_t> slots;
    std::uint64_t count = 0;
    EnergySpec energy;
};
template <class V>
void fields(V& v, CoreKindSpec& s) {
    v("name", s.name, {.doc = "name of the kind, for map.kinds, reports and messages", .required = true});
    v("routers", s.routers,
      {.doc = "routers with such cores: numbers (y * width + x) and ranges such as 0-7"});
    v("columns", s.columns, {.doc = "x of the routers with such cores"});
    v("slots", s.slots, {.doc = "which of a router's cores"});
    v("count", s.count, {.doc = "the first so many of them; 0: all"});
    fields(v, static_cast<CoreSpec&>(s));
    v("energy", s.energy,
      {.doc = "prices and leakage of this kind; what is not named here costs as in `energy`"});
}

struct ChipSpec {
    std::string name;
    std::string source;
    ClockSpec clock;
    TimestepSpec timestep;
    NocSpec noc;
    CoreSpec core;
    std::vector<CoreKindSpec> cores;
    IoSpec io;
    EnergySpec energy;
    EnergySpec training_energy;
    SparsityRules training_sparsity;

    /// Without kinds of cores: a network alone.
    ChipSpec() = default;
    /// A chip whose cores are of kinds of this catalogue, which outlives it.
    explicit ChipSpec(const CoreKinds& kinds) { core.kinds = &kinds; }
    /// The catalogue. Throws InternalError for a chip without.
    const CoreKinds& kinds() const;

    /// Kinds of cores, >= 1.
    std::size_t n_kinds() const { return cores.empty() ? 1 : cores.size(); }
    const CoreSpec& kind(std::size_t k) const { return cores.empty() ? core : cores[k]; }
    /// Where kind k is described: "core" or "cores.1".
    std::string key_of_kind(std::size_t k) const {
        return cores.empty() ? "core" : "cores." + std::to_string(k);
    }
    /// Flits of a spike packet on the network that a core of a kind sends, >= 1.
    std::uint64_t packet_flits(std::size_t k, bool graded) const {
        const CoreSpec& c = kind(k);
        const std::uint64_t fixed = graded ? c.axon_out.graded_flits : c.axon_out.flits;
        if (fixed != 0) return fixed;
        const std::uint64_t bits = c.axon_out.packet_bits + (graded ? c.axon_in.payload_bits : 0);
        return (bits + noc.flit_bits - 1) / noc.flit_bits;
    }
    /// Routers that have cores, and cores, by the topology's word. Cost: as NocSpec::shape().
    std::uint64_t n_routers() const { return noc.shape().core_routers; }
    std::uint64_t n_cores() const { return noc.shape().cores(); }
};
template <class V>
void fields(V& v, ChipSpec& s) {
    v("name", s.name, {.doc = "name of the chip", .required = true});
    v("source", s.source, {.doc = "where the figures come from"});
    v("clock", s.clock, {.doc = "time base"});
    v("timestep", s.timestep, {.doc = "how one timestep ends and the next begins"});
    v("noc", s.noc, {.doc = "network on chip"});
    v("core", s.core, {.doc = "the cores, all alike; with `cores`, what every kind starts from"});
    v.list_over("cores", s.cores, s.core, {.doc = "kinds of cores; without, all are as `core` says"});
    v("io", s.io, {.doc = "host port"});
    v("energy", s.energy, {.doc = "price list; `file:` includes one, `ert:` one of Accelergy"});
    v("training_energy", s.training_energy,
      {.doc = "training: prices of what the cores' lanes and buffers do (events of training chips)"});
    v("training_sparsity", s.training_sparsity, {.doc = "training: which zeros are exploited, and how"});
}

}  // namespace loom::arch

namespace loom {
extern template const ValueType& type_of<arch::ChipSpec>();  // compiled once
extern template const ValueType& type_of<arch::CoreSpec>();  // compiled once
}
