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
#include "compiler/neurons/fits_network.hpp"
#include "compiler/nodes/shape_rules.hpp"

namespace loom::app {
namespace {

const compiler::NirNode& node_of(const compiler::NirModel& model, compiler::NodeRole role, const char* what) {
    for (const auto& node : model.nodes)
        if (node.rule->role == role) return node;
    throw UnsupportedError(fmt::format("{}: the network has no {}", model.file, what));
}

/// What the data must fit: shape of the input, classes of the output, duration of a timestep.
traces::NetworkSide network_side(const compiler::NirModel& model, const compiler::Profile& profile) {
    const compiler::NirNode& out = node_of(model, compiler::NodeRole::Output, "output");
    return {node_of(model, compiler::NodeRole::Input, "input").output_shape,
            compiler::element_count(out.input_shape), profile.dt_seconds()};
}

void say_passes(const compiler::Mapping& mapping) {
    for (const compiler::PassReport& p : mapping.passes)
        log::info(fmt::format("pass {}: {}; {}", p.name, log::duration_text(p.seconds), p.summary));
}

}  // namespace

PreparedRun prepare(LoadedRun run) {
    const log::Stopwatch watch("reading network and input");
    auto model = std::make_shared<compiler::NirModel>(compiler::read_nir(
        run.network_path, {run.spec.network.repair, "network.repair: true"}, known().nodes));
    for (const std::string& note : model->notes) log::note(note);
    with_places(run.root, [&] {
        for (std::string& warning : compiler::check_fits(run.spec.profile, *model))
            log::warning(std::move(warning));
    });
    traces::Stimulus stimulus =
        traces::Stimulus::load(run.spec.input, run.input_path, network_side(*model, run.spec.profile));
    for (const std::string& note : stimulus.notes()) log::note(note);
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
        if (mapping.program.input_graded || spec.profile.multispike) check_packets(spec.chip, true);
    });
    progress.finish();
    say_passes(mapping);
    return mapping;
}

}  // namespace loom::app
