// SPDX-License-Identifier: Apache-2.0
#include "noc/vc/router_state.hpp"

#include <algorithm>

#include "noc/multicast/sets.hpp"

namespace loom::noc {

bool RouterRules::has_default_allocators() const {
    const arch::RouterSpec usual;
    return spec.vc_allocator == usual.vc_allocator && spec.switch_allocator == usual.switch_allocator &&
           spec.arbiter == usual.arbiter;
}

double RouterRules::local_flit_ps() const {
    if (!asynchronous) return 0;
    const double ps = spec.async.handshake_local > 0 ? spec.async.handshake_local : spec.async.handshake_x;
    return ps > period ? ps : 0;
}

RouterState::RouterState(Fabric& of, const Topology& on, const Routing& by, const RouterRules& with)
    : fabric(of),
      topology(on),
      routing(by),
      rules(with),
      link_ports(on.link_ports()),
      n_ports(on.max_ports()),
      n_vcs(of.vcs),
      n_local(n_ports * n_vcs),
      all_vcs(of.all_vcs()),
      // traversal of switch and output register
      switch_delay(with.asynchronous ? 0 : static_cast<unsigned>(with.spec.switch_cycles) + 1),
      one_mask(of.classes == 1 && !by.uses_halves && !by.uses_escape),
      wide_routes(by.several || of.sets != nullptr) {
    for (unsigned i = 0; i < n_local; ++i) port_of.push_back(static_cast<std::uint16_t>(i / n_vcs));
    active.resize(on.n_routers());
    make_blocks();
    set_links();
    set_endpoints();
    for (std::uint32_t r = 0; r < on.n_routers(); ++r) reset_router(r);
}

void RouterState::make_blocks() {
    const std::size_t routers = topology.n_routers();
    block_bytes_ = (inputs_at(n_ports, n_local) + n_local * sizeof(InputVc) + 7) / 8 * 8;
    blocks_.reset(new (std::align_val_t{64}) std::byte[routers * block_bytes_]);
    for (std::uint32_t r = 0; r < routers; ++r) {
        const View v = view(r);
        std::construct_at(&v.router);
        std::uninitialized_default_construct_n(v.ports, n_ports);
        std::uninitialized_default_construct_n(v.outputs, n_local);
        std::uninitialized_default_construct_n(v.inputs, n_local);
    }
}

void RouterState::set_links() {
    for (std::uint32_t r = 0; r < topology.n_routers(); ++r) {
        router(r).x = topology.coord(r).x;
        router(r).y = topology.coord(r).y;
        for (unsigned d = 0; d < link_ports; ++d) {
            const Channel& c = topology.channel(r, d);
            Port& p = port(r, d);
            p.peer = c.peer;
            p.flit_delay = switch_delay + c.latency;
            p.credit_delay = c.latency + kCreditDelay;
            p.peer_vc = c.peer_port * n_vcs;
            p.kind = c.kind;
        }
    }
}

void RouterState::set_endpoints() {
    for (std::uint32_t e = 0; e < topology.n_endpoints(); ++e) {
        Port& p = port(topology.router_of(e), topology.port_of(e));
        p.peer = e;
        // the latency to the core is that of its link
        p.flit_delay = std::max(switch_delay, 1u);
        p.credit_delay = 1 + kCreditDelay;
    }
}

void RouterState::reset_router(std::uint32_t r) {
    const View v = view(r);
    for (unsigned i = 0; i < n_ports; ++i) {
        Port& p = v.ports[i];
        p.held = 0;
        p.credit = all_vcs;
        p.sa_input_pointer = p.sa_output_pointer = p.vc_offset = 0;
    }
    for (unsigned i = 0; i < n_local; ++i) {
        v.inputs[i].va_pointer = 0;
        v.outputs[i] = {static_cast<std::uint16_t>(fabric.buffer), 0, 0};
    }
}

void RouterState::reset() {
    for (const std::uint32_t r : touched) {
        reset_router(r);
        router(r).flags &= ~std::uint32_t{kTouched};
    }
    touched.clear();
}

void RouterState::return_credit(const Port& in, unsigned in_port, unsigned vc, Cycle now) {
    if (in_port >= link_ports) {
        fabric.calendar.add(now + in.credit_delay, Calendar::CreditAtEndpoint{in.peer, vc});
    } else {
        fabric.calendar.add(now + in.credit_delay, Calendar::CreditAtRouter{in.peer, in.peer_vc + vc});
    }
}

void RouterState::drop(const Flit& flit, std::uint32_t id) {
    fabric.flits.release(id);
    --fabric.in_flight;
    if (!flit.tail) return;
    fabric.drop(fabric.packets[flit.packet].packet);
    fabric.release_copy(flit.packet);
}

}  // namespace loom::noc
