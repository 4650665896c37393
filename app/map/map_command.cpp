// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "app/run/prepared_run.hpp"
#include "app/verb.hpp"

namespace loom::app {
namespace {

struct MapOptions {
    std::string file;
    std::vector<std::string> sets;
    bool dump = false;
};

std::vector<Option> options(MapOptions& o) {
    return {{"RUN.yaml", &o.file, "run file"},
            set_option(o.sets),
            {"--dump", &o.dump, "print what each pass did"}};
}

int map(const MapOptions& o) {
    PreparedRun p = prepare(load_run(o.file, o.sets));
    const compiler::Mapping mapping = compile(p);
    if (o.dump) {
        for (const auto& pass : mapping.passes) {
            if (!pass.dump.empty()) fmt::print("{}:\n{}", pass.name, pass.dump);
        }
    }
    fmt::print("{}", compiler::describe(mapping, p.run.spec.chip));
    return 0;
}

}  // namespace

Verb map_verb() {
    return make_verb<MapOptions>("map", "compile only; print passes, cores and how full they are", options,
                                 map);
}

}  // namespace loom::app
