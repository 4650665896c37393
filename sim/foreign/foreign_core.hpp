// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <memory>
#include <unordered_map>
#include <vector>

#include "cores/core.hpp"
#include "sim/foreign/core_module.hpp"

namespace loom::foreign {

/// A user's module as a core of the chip. It counts packets in, packets out and spikes, by layer; what
/// happens inside is the module's own. Packets that leave get the core's source, layer and length.
class ForeignCore final : public cores::Core, public kernel::OnTime, private Border {
  public:
    /// The module lives as long as the core.
    ForeignCore(CoreModule& module, const CoreSite& site, cores::CoreContext context);
    /// Before the first step.
    void bind(kernel::ClockDomain& domain);

    void set_component(Scheduler::ComponentId id) override { id_ = id; }
    void begin_step(Cycle now, Step step) override;
    Cycle evaluate(Cycle now) override;
    void act(Cycle now) override;
    Cycles reset_state() override;
    /// Throws UnsupportedError: analogue input that the host computes needs a built-in core.
    void set_host_current(std::uint32_t neuron, std::int64_t value) override;

    std::span<const std::uint32_t> spikes() const override { return spikes_; }
    std::span<const std::int64_t> spike_counts() const override { return spike_counts_; }
    double membrane(std::uint32_t neuron) const override { return module_.membrane(neuron); }
    double current(std::uint32_t neuron) const override { return module_.current(neuron); }
    bool quiescent() const override { return !held_; }
    std::span<const LayerId> layers() const override { return layers_; }
    std::span<const cores::CoreCounters> counters() const override { return counters_; }

  private:
    void entering(Cycle now, const Packet& packet) override;
    void leaving(Cycle now, Packet& packet) override;
    void hold();
    void release(Cycle now);
    void settle_spikes();
    std::size_t slot_of(LayerId layer);

    CoreModule& module_;
    const arch::CoreImage& image_;
    cores::CoreContext context_;
    ChipEnd end_;
    std::unique_ptr<Port> port_;
    kernel::ClockDomain* domain_ = nullptr;
    Scheduler::ComponentId id_ = 0;
    Step step_ = 0;
    bool begins_ = false, held_ = false, asked_ = false;
    std::uint16_t flits_plain_, flits_graded_;
    /// The neuron that a packet is of, by its destination: (endpoint, axon) -> neuron.
    std::unordered_map<std::uint64_t, std::uint32_t> sender_;
    std::vector<LayerId> layers_;
    std::vector<cores::CoreCounters> counters_;
    std::vector<std::size_t> neuron_slot_;  ///< [neurons] index into counters_
    std::vector<bool> fires_;               ///< [neurons]
    std::vector<std::uint32_t> spikes_;
    std::vector<std::int64_t> spike_counts_;
};

}  // namespace loom::foreign
