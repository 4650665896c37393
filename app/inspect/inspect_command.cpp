// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "app/extensions.hpp"
#include "app/verb.hpp"
#include "compiler/import/nir_reader.hpp"

namespace loom::app {
namespace {

struct InspectOptions {
    std::string file;
    bool repair = false;
};

std::vector<Option> options(InspectOptions& o) {
    return {{"FILE.nir", &o.file, "network"},
            {"--repair", &o.repair, "mend unique near-matches of misspelt node names"}};
}

int inspect(const InspectOptions& o) {
    fmt::print("{}", compiler::describe(compiler::read_nir(o.file, {o.repair}, known().nodes)));
    return 0;
}

}  // namespace

Verb inspect_verb() {
    return make_verb<InspectOptions>("inspect", "show the nodes, shapes and edges of a .nir file", options,
                                     inspect);
}

}  // namespace loom::app
