// SPDX-License-Identifier: Apache-2.0
// What the ways of working through a cycle share, to be inlined.
#pragma once
#include <bit>

#include "noc/round_robin.hpp"
#include "noc/vc/router_state.hpp"

namespace loom::noc {

inline void RouterState::move_pointers(const View& r, unsigned in_port, unsigned vc, unsigned out) const {
    Port& in = r.ports[in_port];
    in.sa_input_pointer = static_cast<std::uint16_t>(rr_next(out, n_ports));
    in.vc_offset = static_cast<std::uint16_t>(rr_next(vc, n_vcs));
    r.ports[out].sa_output_pointer = static_cast<std::uint16_t>(rr_next(in_port, n_ports));
}

inline unsigned RouterState::pick_vc(const InputVc& v, std::uint64_t free) const {
    if (n_vcs == 1) return 0;
    const unsigned offset = v.va_pointer - v.out_port * n_vcs;
    return rr_pick(free, offset < n_vcs ? offset : 0);
}

}  // namespace loom::noc
