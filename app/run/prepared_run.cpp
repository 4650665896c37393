// SPDX-License-Identifier: Apache-2.0
#include "app/run/prepared_run.hpp"

#include <fmt/format.h>

#include "app/config_file.hpp"
#include "app/extensions.hpp"
#include "app/progress.hpp"
#include "app/run/simulate.hpp"
#include "base/error.hpp"
#include "base/log.hpp"
#include "compiler/import/nir_reader.hpp"

namespace loom::app {
namespace {

std::size_t input_size(const compiler::NirModel& model) {
    std::size_t n = 1;
    for (const auto& node : model.nodes) {
        if (node.rule->role != compiler::NodeRole::Input) continue;
        for (const std::size_t d : node.output_shape) n *= d;
        return n;
    }
    throw UnsupportedError(model.file + ": the network has no input");
}

void say_passes(const compiler::Mapping& mapping) {
    for (const compiler::PassReport& p : mapping.passes)
        log::info(fmt::format("pass {}: {}; {}", p.name, log::duration_text(p.seconds), p.summary));
}

}  // namespace

PreparedRun prepare(LoadedRun run) {
    const log::Stopwatch watch("reading network and input");
    auto model = std::make_shared<compiler::NirModel>(
        compiler::read_nir(run.network_path, run.spec.network.repair, known().nodes));
    for (const std::string& note : model->notes) log::note(note);
    traces::Stimulus stimulus = traces::Stimulus::load(run.spec.input, run.input_path, input_size(*model));
    return {std::move(run), std::move(stimulus), std::move(model)};
}

compiler::Mapping compile(PreparedRun& prepared, bool quiet) {
    const log::Stopwatch watch("compiling");
    const RunSpec& spec = prepared.run.spec;
    compiler::Mapping mapping;
    Progress progress("connections checked", 0, quiet);
    with_places(prepared.run.root, [&] {
        mapping = compiler::compile(std::move(prepared.model), spec.profile, spec.chip, spec.map,
                                    input_format(prepared.stimulus),
                                    [&](std::uint64_t done) { progress.update(done, 0); });
    });
    progress.finish();
    say_passes(mapping);
    return mapping;
}

}  // namespace loom::app
