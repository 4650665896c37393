// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <memory>
#include <optional>
#include <vector>

#include "cores/cim/matrix_unit.hpp"
#include "cores/cim/psum_inputs.hpp"
#include "cores/core.hpp"
#include "cores/near_memory/neuron_stage.hpp"

namespace loom::cores {

/// Axon-in FIFO -> spike registers of the timesteps to come -> arrays -> soma -> axon-out. At the start of a
/// timestep the arrays read its spike register, one vector per output position, while spikes of the next
/// timestep come in; the soma updates the neurons of a position as soon as its sums are complete. Sums of a
/// slice whose neurons are on another core go there in packets through axon-out; neurons that get such sums
/// are updated when all of the timestep's packets are in. Event-row arrays have no spike register: their
/// spikes are added as they come, each from the FIFO when the array is free (event_rows.cpp).
class CimCore final : public Core {
  public:
    /// Throws ConfigError, InputError (weights beyond weight_bits).
    CimCore(const arch::ChipSpec& spec, std::shared_ptr<const arch::CoreImage> image,
            std::uint64_t device_seed, CoreContext context, CoreSchedule schedule);

    void set_component(Scheduler::ComponentId id) override { id_ = id; }
    void begin_step(Cycle now, Step step) override;
    Cycle evaluate(Cycle now) override;
    Cycles reset_state() override;
    void set_sample(std::uint64_t sample) override { sample_ = sample; }
    void set_host_current(std::uint32_t neuron, std::int64_t value) override {
        neurons_.set_host_current(neuron, value);
    }

    std::span<const std::uint32_t> spikes() const override { return neurons_.spikes(); }
    std::span<const std::int64_t> spike_counts() const override { return neurons_.spike_counts(); }
    double membrane(std::uint32_t n) const override { return neurons_.membrane(n); }
    double current(std::uint32_t n) const override { return neurons_.current(n); }
    bool quiescent() const override {
        return !neurons_.sweeping() && !taking_ && !adding_ && context_.in->size() == 0;
    }
    std::span<const LayerId> layers() const override { return neurons_.layers(); }
    std::span<const CoreCounters> counters() const override { return neurons_.counters(); }
    void add_own(std::size_t layer, std::vector<std::uint64_t>& sums) const override {
        add_counters(own_[layer], sums);
    }
    /// Its own counters, one set per layer of layers().
    std::span<const CimCoreCounters> own() const { return own_; }

    /// Erases and programs all arrays from `now` on; reads and arriving spikes wait. Returns the end.
    Cycle program(Cycle now);
    /// Brings the arrays' events into own().
    void collect();

  private:
    /// Neurons [from, to) of a group, or sums of a packet, which are complete at `ready`. group: neuron
    /// groups, then those of partial sums to send.
    struct Job {
        Cycle ready;
        std::uint32_t group, from, to;
        bool operator<(const Job& o) const {
            return ready != o.ready ? ready < o.ready : group != o.group ? group < o.group : from < o.from;
        }
    };
    void read_arrays(Cycle now);
    void sweep_membranes(Cycle now);
    /// Rows of a spike that counts in the next timestep. Returns when the last one starts.
    Cycle add_rows(std::size_t group, std::uint32_t axon, std::int64_t payload, Cycle at);
    void take_event(std::size_t group, std::uint32_t axon, std::int64_t payload);
    void make_jobs(Cycle now);
    /// When the sums [from, to) of a group are complete in this core.
    Cycle sums_ready(std::uint32_t group, std::uint32_t from, std::uint32_t to, Cycle now) const;
    /// What starts until `until`; the cycle in which the next job starts, or kNever.
    Cycle run_jobs(Cycle until);
    void send_sums(const Job& job, Cycle start);
    bool is_psum(const Packet& p) const { return p.axon >= image_->n_axons; }
    void take_packet(Cycle now);
    /// could: when it could have been taken without waiting for the register.
    void take_spike(const Packet& p, Cycle could);
    void take_psums(const Packet& p);
    /// No spikes into the register until `end`.
    void block_until(Cycle now, Cycle end);

    CimCoreCounters& own_of_axons(std::size_t group) { return own_[neurons_.layer_of_axons(group)]; }

    arch::CoreSpec spec_;
    arch::CimCoreSpec cim_;
    std::shared_ptr<const arch::CoreImage> image_;
    CoreContext context_;
    CoreSchedule schedule_;
    Scheduler::ComponentId id_ = 0;
    InputRegister inputs_;
    NeuronStage<std::int64_t> neurons_;
    std::vector<CimCoreCounters> own_;              ///< [layers]
    std::vector<MatrixUnit> units_;                 ///< [axon groups]
    std::vector<std::uint32_t> target_;             ///< [axon groups] group
    std::vector<std::vector<std::uint32_t>> into_;  ///< [groups] axon groups
    std::uint64_t keys_per_step_ = 0, steps_ = 0;   ///< of random draws
    std::vector<std::uint8_t> active_;              ///< [groups] in this step
    std::vector<std::int64_t> sums_;                ///< [neurons, then sums for other cores]
    std::optional<arch::PsumPackets> format_;       ///< of a core that sends or gets partial sums
    std::optional<PsumInputs> psums_;               ///< of one that gets some
    std::uint32_t waiting_ = 0;                     ///< groups of this step whose packets are not all in
    std::vector<Cycle> held_;                       ///< [groups] when their sums of this core are complete
    std::vector<Job> jobs_;                         ///< not yet started
    std::size_t next_job_ = 0;
    bool running_ = false;                ///< jobs are left or to come
    Cycle soma_free_ = 0, work_end_ = 0;  ///< without stalls of axon-out
    CimInputs present_;
    /// A spike for later than the next timestep.
    struct Early {
        std::size_t group;
        std::uint32_t axon;
        std::int64_t payload;
    };
    std::vector<std::vector<Early>> early_;  ///< [timesteps] event row
    bool event_row_ = false, adding_ = false;
    Cycle added_ = 0;  ///< when the rows of all spikes so far are added
    std::uint64_t sample_ = 0;
    Step step_ = 0;
    bool fresh_ = true;                         ///< no timestep since the last reset
    bool taking_ = false;                       ///< a packet is on its way into the register
    Cycle taken_ = 0;                           ///< when it is there
    Cycle blocked_from_ = 0, accept_from_ = 0;  ///< in between the register takes no spikes
    Cycle write_end_ = 0;
};

}  // namespace loom::cores
