// SPDX-License-Identifier: Apache-2.0
#include "app/profile_section.hpp"

#include "app/config_file.hpp"
#include "base/key_error.hpp"
#include "base/log.hpp"

namespace loom::app {

void start_profile(const config::Node& root, compiler::Profile& profile) {
    const config::Node* preset = config::get(root, "profile.preset");
    if (preset == nullptr || !preset->is_scalar()) return;  // told by the reader
    const auto says = [&](const char* key) { return config::get(root, key) != nullptr; };
    with_places(root, [&] {
        profile = compiler::preset_profile(preset->scalar);
        if (!compiler::find_preset(preset->scalar).dt && !says("profile.dt"))
            throw KeyError("profile.dt", "required key is missing");
    });
    if (preset->scalar == "snntorch" && !says("profile.reset") && !says("profile.reset_delay"))
        log::note("preset snntorch is reset_mechanism=\"zero\" with reset_delay=False; for neurons made "
                  "without these arguments take preset snntorch-defaults");
}

}  // namespace loom::app
