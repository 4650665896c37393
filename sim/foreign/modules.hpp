// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "sim/foreign/core_module.hpp"
#include "sim/foreign/network_module.hpp"
#include "sim/foreign/placement.hpp"

namespace loom::foreign {

/// What a module promises.
struct Promise {
    /// reset() leaves nothing of the samples before, and the module shares nothing with other processes:
    /// `--threads` may divide the samples among processes, each with modules of its own.
    bool samples_in_processes = false;
};

/// The modules that a program brings along, by the name that `core.module` and `noc.router.kind` call them
/// by. An ordinary object: filled in `main`, passed to the command line or to a Boundary.
class Modules {
  public:
    using MakeCore = std::function<std::unique_ptr<CoreModule>(const char* name, const CoreSite&)>;
    using MakeNetwork = std::function<std::unique_ptr<NetworkModule>(const char* name, const NetworkSite&)>;
    template <class Make>
    struct Entry {
        Make make;
        Promise promise;
    };

    /// M(sc_module_name) or M(sc_module_name, const CoreSite&). Throws ConfigError for a name that is taken.
    template <class M>
    Modules& core(const std::string& name, Promise promise = {}) {
        add_core(name, make<CoreModule, M, CoreSite>(), promise);
        return *this;
    }
    /// M(sc_module_name, const NetworkSite&).
    template <class M>
    Modules& network(const std::string& name, Promise promise = {}) {
        add_network(name, make<NetworkModule, M, NetworkSite>(), promise);
        return *this;
    }
    void add_core(const std::string& name, MakeCore make, Promise promise);
    void add_network(const std::string& name, MakeNetwork make, Promise promise);

    /// Throw ConfigError ("<key>: unknown `my_cor`; did you mean ...") for names that are not registered.
    const Entry<MakeCore>& find_core(const std::string& key, const std::string& name) const;
    const Entry<MakeNetwork>& find_network(const std::string& key, const std::string& name) const;

    bool has_network(const std::string& name) const { return networks_.contains(name); }
    std::vector<std::string> network_names() const;
    /// Throws ConfigError for modules that are not registered.
    void check(const Placement& placement) const;
    /// The first module of the chip that has not promised samples_in_processes; empty: all have.
    std::string needs_one_process(const Placement& placement) const;

  private:
    template <class Base, class M, class Site>
    static auto make() {
        return [](const char* name, const Site& site) -> std::unique_ptr<Base> {
            if constexpr (std::is_constructible_v<M, const char*, const Site&>) {
                return std::make_unique<M>(name, site);
            } else {
                return std::make_unique<M>(name);
            }
        };
    }
    std::map<std::string, Entry<MakeCore>> cores_;
    std::map<std::string, Entry<MakeNetwork>> networks_;
};

}  // namespace loom::foreign
