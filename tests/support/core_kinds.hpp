// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>

#include "arch/cim_core_spec.hpp"
#include "base/config/reader.hpp"
#include "cores/catalogue.hpp"

namespace loom::support {

/// The kinds of cores that come with the program.
inline const arch::CoreKinds& core_kinds() {
    static const arch::CoreKinds* const kinds = [] {
        auto* made = new arch::CoreKinds;
        cores::add_builtin(*made);
        return made;
    }();
    return *kinds;
}

/// A chip file of those kinds.
inline arch::ChipSpec read_chip(const config::Node& node, const std::string& key = "") {
    arch::ChipSpec chip(core_kinds());
    config::read_into(node, key, chip);
    return chip;
}

/// One of several kinds of cores of a chip, with nothing but its names.
inline arch::CoreKindSpec kind_spec(const std::string& name, const std::string& kind) {
    arch::CoreKindSpec spec;
    spec.kinds = &core_kinds();
    spec.name = name;
    spec.kind = kind;
    return spec;
}

/// The section of cores of kind cim, made when it is not there.
inline arch::CimCoreSpec& cim_of(arch::CoreSpec& core) {
    return core.section<arch::CimCoreSpec>();
}
inline const arch::CimCoreSpec& cim_of(const arch::CoreSpec& core) {
    return core.section<arch::CimCoreSpec>();
}

}  // namespace loom::support
