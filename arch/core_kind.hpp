// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <any>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <typeinfo>
#include <vector>

#include "arch/area.hpp"
#include "arch/chip_spec.hpp"
#include "arch/event_info.hpp"
#include "arch/program.hpp"
#include "base/described.hpp"

namespace loom::arch {

/// A section of YAML that only one kind of core has, as an owned value of a type that the kind alone knows.
struct KindSection {
    std::string_view name, doc;
    const std::type_info* id = nullptr;
    const ValueType* type = nullptr;  ///< of a std::any that holds the section, or nothing
};

/// The section described by T's `fields`. name, doc: texts that live as long as the program.
template <class T>
KindSection kind_section(std::string_view name, std::string_view doc) {
    static const ValueType in_any = [] {
        ValueType t;
        t.kind = ValueType::Kind::Optional;
        t.item = &type_of<T>();
        t.content = [](void* p) -> void* { return std::any_cast<T>(static_cast<std::any*>(p)); };
        t.emplace = [](void* p) -> void* { return &static_cast<std::any*>(p)->emplace<T>(); };
        t.clear = [](void* p) { static_cast<std::any*>(p)->reset(); };
        return t;
    }();
    return {name, doc, &typeid(T), &in_any};
}

/// Width of a stored weight. symmetric: there is no -2^(bits-1).
struct WeightFormat {
    std::uint64_t bits = 8;
    bool symmetric = false;
};

/// What holds a core's weights.
struct WeightStore {
    std::string resource;  ///< for messages: "synapse memory of a core (bits)"
    std::uint64_t capacity = 0;
    bool in_arrays = false;  ///< counted in arrays, not in bits of a memory
};

/// The matrix of a projection into a slice, as a core has to hold it.
struct StoredMatrix {
    std::uint64_t weights = 0;  ///< different ones: a shared kernel's once, of sparse rows the entries
    bool indexed = false;       ///< a target index goes with every weight
    MatrixSize size;
    std::uint64_t copies = 1;  ///< 1 unless CoreKind::copies_kernels()
};

/// What a matrix takes of a store that consists of arrays of cells.
struct ArrayUsage {
    MatrixSize size;
    std::uint64_t arrays = 0, row_blocks = 0, column_blocks = 0, copies = 1;
    std::uint64_t cells = 0, cells_of_arrays = 0;  ///< used, and of the arrays in use
};

/// Sums that a core sends to another one because it has only some rows of its neurons.
struct PartialSums {
    std::uint64_t bits = 0;  ///< signed width of a sum
    std::uint64_t rows = 1;  ///< rows that fill a unit of the store: parts are cut in such runs
};

/// Largest input that a row takes in one timestep.
struct RowInputs {
    std::uint64_t bits = 0;
    std::string resource;  ///< for messages
};

/// What one projection is expected to bring a layer in one inference.
struct ExpectedInput {
    double events = 0;    ///< axon events
    double synops = 0;    ///< synaptic operations
    double run = 1;       ///< contiguous targets of a row
    bool graded = false;  ///< analogue input
    bool sparse = false;  ///< rows are lists of targets
    MatrixSize matrix;    ///< of the whole layer
};

/// How cores of a kind can train.
enum class CoreTraining {
    None,
    Lanes,   ///< weights in the synapse memory, arithmetic on the dendrite's lanes
    InPlace  ///< weights in cells that are updated where they are
};

/// A kind of core says itself: everything that readers of chips, the compiler and the reports ask about a
/// core and that is not the same for all. What builds the core is cores::Kind, which derives from this.
///
/// Contract: functions are pure; a CoreSpec handed to any of them but check() and add_own_prices() has passed
/// check(); events are named as in EventInfo.
class CoreKind {
  public:
    /// Receives an event and how often it is expected.
    using AddEvent = std::function<void(std::string_view event, double count)>;

    virtual ~CoreKind() = default;
    /// The word of `core.kind`.
    virtual std::string_view name() const = 0;
    /// The section of its own; nothing for kinds that the common blocks describe.
    virtual std::optional<KindSection> section() const { return std::nullopt; }
    /// Throws ConfigError ("<key>.soma.arithmetic: ...") for a core that there cannot be. key: where it
    /// stands.
    virtual void check(const CoreSpec& core, const ChipSpec& chip, const std::string& key) const = 0;

    // ---- compiler ----
    virtual WeightFormat weight_format(const CoreSpec& core) const = 0;
    virtual WeightStore weight_store(const CoreSpec& core) const = 0;
    /// What a matrix takes of the store, in its unit.
    virtual std::uint64_t need(const CoreSpec& core, const StoredMatrix& matrix) const = 0;
    /// Convolutions keep their kernels; false: they become a row per input.
    virtual bool keeps_kernels(const CoreSpec& core) const = 0;
    /// Kernels can be in the store several times, for throughput (map.duplicate).
    virtual bool copies_kernels() const { return false; }
    /// Rows of a slice may be on several cores, which then exchange sums; nothing: all are on one.
    virtual std::optional<PartialSums> partial_sums(const CoreSpec&) const { return std::nullopt; }
    /// Why rows stay together, for a message about a layer that does not fit; empty: it needs no word.
    virtual std::string rows_stay_because(const CoreSpec&) const { return {}; }
    /// Limit of a row's input; nothing: any payload can be taken.
    virtual std::optional<RowInputs> row_inputs(const CoreSpec&) const { return std::nullopt; }
    /// The events that a projection is expected to cause in an inference of `steps` timesteps on cores of
    /// kind number `kind`, those of neurons apart.
    virtual void expect(const ChipSpec& chip, std::size_t kind, const ExpectedInput& in, double steps,
                        const AddEvent& add) const = 0;

    // ---- events and prices ----
    /// Events beside the common ones of cores, in the order of reports; their counters are Core::add_own().
    virtual std::vector<EventInfo> own_events() const { return {}; }
    /// May a core count this event, a common one or one of its own?
    virtual bool counts(std::string_view event, const CoreSpec& core) const = 0;
    /// The events that are synaptic operations on plain and on graded input.
    virtual std::string_view accumulate_event() const { return "dendrite.ac"; }
    virtual std::string_view multiply_event() const { return "dendrite.mac"; }
    /// Adds prices that follow from the core's description to a list that says nothing of them.
    /// chip_list: the chip's. Throws ConfigError.
    virtual void add_own_prices(EnergySpec& list, const EnergySpec& chip_list, const CoreSpec& core,
                                double period_ps) const {
        (void)list, (void)chip_list, (void)core, (void)period_ps;
    }

    // ---- reports ----
    /// Adds what holds weights and sums; tables, neuron state and logic are the same for all kinds.
    virtual void add_area(AreaParts& to, const CoreSpec& core, const EnergySpec& prices) const = 0;
    /// What an axon group takes of the arrays; nothing for kinds without arrays.
    virtual std::optional<ArrayUsage> array_usage(const CoreSpec&, const CoreImage&, const AxonGroup&) const {
        return std::nullopt;
    }
    virtual CoreTraining training() const { return CoreTraining::None; }
};

}  // namespace loom::arch
