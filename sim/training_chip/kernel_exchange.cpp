// SPDX-License-Identifier: Apache-2.0
// Kernels of which several cores have a copy: their gradients are summed where they are updated.
#include "sim/training_chip/many_core_engine.hpp"

namespace loom::training {
namespace {

constexpr std::uint64_t kMaxFlits = 16;  ///< of a packet of gradients or weights
constexpr std::size_t kGradients = 0, kWeights = 1;

}  // namespace

void ManyCoreEngine::prepare_exchange() {
    for (const SharedKernel& kernel : view_.placement.shared) {
        if (kernel.copies.empty()) continue;
        const std::uint32_t owner = view_.placement.blocks[kernel.owner].core;
        Cores copies;
        for (const std::uint32_t b : kernel.copies) copies.insert(view_.placement.blocks[b].core);
        add_way(owner, number_of(copies));
        for (const std::uint32_t core : copies) add_way(core, number_of({owner}));
    }
}

void ManyCoreEngine::exchange(bool gradients) {
    StepWork step(cores_.size());
    bool any = false;
    const std::uint64_t value_bits = gradients ? view_.room.gradient_bits : view_.room.weight_bits;
    const std::uint64_t room = kMaxFlits * view_.chip.noc.flit_bits,
                        address = view_.core().axon_out.packet_bits;
    const std::uint64_t fit = room > address + value_bits ? (room - address) / value_bits : 1;
    for (const SharedKernel& kernel : view_.placement.shared) {
        if (kernel.copies.empty()) continue;
        any = true;
        const Block& owner = view_.placement.blocks[kernel.owner];
        Cores copies;
        for (const std::uint32_t b : kernel.copies) copies.insert(view_.placement.blocks[b].core);
        for (const std::uint32_t f : view_.placement.populations[owner.population].feeds) {
            const arch::LinearWork& l = view_.linear(view_.placement.feeds[f]);
            const std::uint64_t weights =
                (l.shape.weights() / l.shape.out_c + (l.bias ? 1 : 0)) * owner.channels();
            for (std::uint64_t first = 0; first < weights; first += fit) {
                const std::uint64_t n = std::min(fit, weights - first);
                if (gradients)
                    for (const std::uint32_t core : copies)
                        send(step, core, number_of({owner.core}), f, n, kGradients, n * value_bits);
                else
                    send(step, owner.core, number_of(copies), f, n, kWeights, n * value_bits);
            }
        }
    }
    if (any) run_step(step);
}

Cycles ManyCoreEngine::arrive_exchange(const Packet& packet) {
    PhaseRecord& r = view_.of_linear(view_.placement.feeds[packet.tag].linear);
    const std::uint64_t n = packet.axon;
    if (static_cast<std::size_t>(packet.payload) == kWeights) {
        count(r, Event::WeightWrite) += view_.weights_moved(view_.words(n));
        return view_.to_read(view_.words(n));
    }
    count(r, Event::Add) += n;
    count(r, Event::GradientRead) += n;
    count(r, Event::GradientWrite) += n;
    r.busy += n;
    return view_.on_lanes(n);
}

}  // namespace loom::training
