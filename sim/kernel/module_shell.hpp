// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <systemc>

namespace loom::kernel {

/// A place in the SystemC object tree for a component whose behaviour is plain C++ (or for one that
/// is idle and has none). No process, no signal.
class ModuleShell : public sc_core::sc_module {
  public:
    explicit ModuleShell(sc_core::sc_module_name name) : sc_module(name) {}
    const char* kind() const override { return "loom_module"; }
};

}  // namespace loom::kernel
