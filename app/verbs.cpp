// SPDX-License-Identifier: Apache-2.0
#include <filesystem>

#include "app/verb.hpp"

namespace loom::app {

// Each is defined in the folder of its name.
Verb run_verb();
Verb map_verb();
Verb noc_verb();
Verb cim_verb();
Verb train_verb();
Verb inspect_verb();
Verb validate_verb();
Verb schema_verb();
Verb sweep_verb();

std::vector<Verb> all_verbs() {
    return {run_verb(),     map_verb(),      noc_verb(),    cim_verb(),  train_verb(),
            inspect_verb(), validate_verb(), schema_verb(), sweep_verb()};
}

Option set_option(std::vector<std::string>& sets) {
    return {"--set", &sets, "key.path=value: change the configuration (repeatable)"};
}

Option fail_if_option(std::vector<std::string>& conditions, const std::string& example) {
    return {"--fail-if", &conditions, "exit with 1 when true, e.g. '" + example + "' (repeatable)"};
}

Option quiet_option(bool& quiet) {
    return {kQuietNames, &quiet, "no progress, notes or warnings"};
}

std::string default_output(const std::string& file) {
    return "results/" + std::filesystem::path(file).stem().string();
}

}  // namespace loom::app
