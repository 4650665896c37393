// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <chrono>
#include <cstdio>
#include <filesystem>
#include <optional>

#include "app/config_file.hpp"
#include "app/extensions.hpp"
#include "app/failed_checks.hpp"
#include "app/result_dir.hpp"
#include "app/train/train_checkpoint.hpp"
#include "app/train/train_dump.hpp"
#include "app/train/train_estimate.hpp"
#include "app/train/train_loop.hpp"
#include "app/train/train_report.hpp"
#include "app/train/train_work_dir.hpp"
#include "app/verb.hpp"
#include "base/error.hpp"
#include "base/input_file.hpp"
#include "base/json/figures.hpp"
#include "base/key_error.hpp"
#include "base/log.hpp"
#include "compiler/import/nir_writer.hpp"
#include "sim/report/report.hpp"
#include "training/nir/to_nir.hpp"

namespace loom::app {
namespace fs = std::filesystem;

namespace {

struct TrainOptions {
    std::string file;
    std::string output;  ///< empty: results/<name of the file>
    std::vector<std::string> sets;
    std::vector<std::string> fail_if;
    std::string fidelity;  ///< functional, cycle; empty: cycle when there is a chip
    std::optional<std::uint64_t> seed, steps;
    bool json = false, quiet = false, resume = false;
};

std::vector<Option> options(TrainOptions& o) {
    return {{"TRAIN.yaml", &o.file, "training file; docs/how-to/train.md"},
            {"-o,--output", &o.output, "result directory (default: results/<file>)"},
            set_option(o.sets),
            fail_if_option(o.fail_if, "accuracy < 0.9"),
            {"--fidelity",
             &o.fidelity,
             "functional: no cycles; cycle: the chip executes every step (default when there is one); "
             "estimate: SATA_Sim's formula, nothing is executed",
             {"functional", "cycle", "estimate"}},
            {.names = "--steps",
             .value = &o.steps,
             .help = "so many steps only; figures of an epoch are extrapolated",
             .least = 1,
             .most = 1'000'000'000},
            {"--seed", &o.seed, "replaces every seed of the file: of data, weights, rounding, sltt_k"},
            {"--resume", &o.resume, "continue from the last checkpoint"},
            {"--json", &o.json, "print stats.json on stdout instead of the summary"},
            quiet_option(o.quiet)};
}

/// The checkpoint to continue from: of an interrupted training, or of a finished one; empty: none.
std::string checkpoint_to_resume(const TrainWorkDir& work, const std::string& output) {
    std::error_code ec;
    for (const std::string& file : {work.checkpoint(), output + "/checkpoint.h5"})
        if (fs::exists(file, ec)) return file;
    return "";
}

LoadedTrain load(const TrainOptions& o) {
    LoadedTrain loaded = load_train(o.file, o.sets, o.seed ? &*o.seed : nullptr);
    if (o.steps) loaded.spec.train.steps = *o.steps, loaded.spec.train.epochs = 0;
    return loaded;
}

bool cycle_fidelity(const TrainOptions& o, const TrainSpec& spec) {
    if (o.fidelity == "cycle" && !spec.chip && !spec.cores)
        throw KeyError("chip", "--fidelity cycle needs a chip that trains");
    return executes_cycles(spec, o.fidelity);
}

TrainState resumed_state(const TrainOptions& o, const LoadedTrain& loaded, const TrainWorkDir& work,
                         const std::string& output, const config::Node& key, Training& training) {
    if (!o.resume) return {};
    const std::string file = checkpoint_to_resume(work, output);
    if (file.empty()) {
        log::note("there is no checkpoint to resume from; starting anew");
        return {};
    }
    TrainState state;
    with_places(loaded.root, [&] {
        state = load_checkpoint(file, key, *training.trainer);
        if (const std::uint64_t steps = length_of(loaded.spec, *training.data).steps; state.step > steps)
            throw KeyError(
                "train",
                fmt::format("is {} steps long, the training that --resume continues has made {} already ({})",
                            steps, state.step, file));
    });
    if (file != work.checkpoint()) work.take_over(output);
    log::note(fmt::format("resuming after step {}", state.step));
    return state;
}

void write_dump(const TrainWorkDir& work, const TrainState& state, const ResultDir& directory) {
    std::vector<std::string> parts;
    std::error_code ec;
    if (fs::exists(work.dump_before(), ec)) parts.push_back(work.dump_before());
    for (std::uint64_t k = 0; k < state.step; ++k)
        if (fs::exists(work.step(k), ec)) parts.push_back(work.step(k));
    join_dumps(parts, directory.file("dump.h5"));
}

/// Early: the hashes are those of the bytes that were read.
Json manifest_of(const LoadedTrain& loaded, bool cycle) {
    Json m;
    m["schema_version"] = stats::kSchemaVersion;
    m["seed"]["data"] = loaded.spec.data.seed;
    m["seed"]["weights"] = loaded.spec.network.weights.seed;
    if (!loaded.network_path.empty()) m["sha1"]["network"] = input_hash(loaded.network_path);
    if (!loaded.data_path.empty()) m["sha1"]["data"] = input_hash(loaded.data_path);
    m["sha1"]["configuration"] = configuration_hash(loaded, cycle);
    return m;
}

/// A trained network took its time: only the same training, or one that continues it, replaces it.
bool is_of_another_training(const ResultDir& directory, const Json& facts, bool resume) {
    return !resume && directory.earlier() &&
           configuration_of(*directory.earlier()) != configuration_of(facts);
}

std::string relative_to(const std::string& path, const std::string& directory) {
    return fs::relative(path, directory).string();
}

/// The network with its trained weights; a layer that NIR does not have is told, the rest is kept.
void write_trained(const LoadedTrain& loaded, Training& training, const ResultDir& directory) {
    learn::Signal input;
    std::vector<std::int64_t> labels;
    const std::uint32_t first[] = {0};
    training.data->batch(first, 0, input, labels);
    training.trainer->evaluate(input, labels);  // constants of the neurons follow the weights
    try {
        compiler::write_nir(
            compiler::network_to_nir(training.trainer->network(), loaded.spec.profile, known().nodes),
            directory.file("trained.nir"));
    } catch (const UnsupportedError& e) {
        log::note(fmt::format("no trained.nir: {}; the weights are in checkpoint.h5", e.what()));
    }
}

void write_results(const LoadedTrain& loaded, Training& training, const TrainState& state, const Json& stats,
                   const TrainWorkDir& work, double seconds, const Json& facts, ResultDir& directory) {
    check_finite(stats);
    directory.write("stats.json", stats.dump(1) + "\n");
    directory.write("summary.txt", train_summary(stats));
    directory.write("metrics.csv", steps_csv(state));
    directory.write("epochs.csv", epochs_csv(state));
    if (training.engine) directory.write("memory.csv", memory_csv(state.executed));
    directory.write("config.resolved.yaml", config::emit(train_node(loaded, [&](const std::string& p) {
                        return relative_to(p, directory.path());
                    })));
    directory.write("host.json", Json{{"train_s", seconds}}.dump(1) + "\n");
    write_trained(loaded, training, directory);
    if (!loaded.spec.dump.empty()) write_dump(work, state, directory);
    std::error_code ec;
    fs::copy_file(work.checkpoint(), directory.file("checkpoint.h5"), ec);
    if (ec) throw IoError(directory.path() + "/checkpoint.h5: cannot be written: " + ec.message());
    directory.commit(facts);
    work.discard();
}

int train(const TrainOptions& o) {
    if (o.fidelity == "estimate")
        return run_train_estimate(
            {.file = o.file, .output = o.output, .sets = o.sets, .fail_if = o.fail_if, .json = o.json});
    const std::vector<stats::FailIf> checks(o.fail_if.begin(), o.fail_if.end());
    const LoadedTrain loaded = load(o);
    const TrainSpec& spec = loaded.spec;
    const bool cycle = cycle_fidelity(o, spec);
    Training training = set_up_training(loaded, cycle);
    const std::string output = o.output.empty() ? default_output(o.file) : o.output;
    const Json facts = manifest_of(loaded, cycle);
    ResultDir directory(output, "train");
    if (is_of_another_training(directory, facts, o.resume)) directory.keep_earlier();
    const TrainWorkDir work(directory.path(), o.resume);
    const config::Node key = checkpoint_key(train_node(loaded, input_hash), fidelity_name(cycle));
    TrainState state;
    const auto start = std::chrono::steady_clock::now();
    try {
        state = resumed_state(o, loaded, work, output, key, training);
        TrainHooks hooks;
        hooks.quiet = o.quiet;
        if (!spec.dump.empty())
            hooks.dump = [&](std::uint64_t k, const learn::SignalRecorder* recorded) {
                dump_step(work.step(k), k, spec.dump, training.trainer->network(), recorded);
            };
        hooks.checkpoint = [&] { save_checkpoint(work.checkpoint(), key, state, *training.trainer); };
        run_training(training, spec, state, hooks);
        if (!work.has_checkpoint()) hooks.checkpoint();
    } catch (const ModelError& e) {
        work.discard_if_empty();
        if (!work.has_checkpoint()) throw;
        throw ModelError(fmt::format("{}; the last checkpoint is {}", e.what(), work.checkpoint()));
    } catch (...) {
        work.discard_if_empty();
        throw;
    }
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    const Json stats = train_stats(spec, training, state, length_of(spec, *training.data));
    write_results(loaded, training, state, stats, work, seconds, facts, directory);
    if (o.json)
        fmt::print("{}\n", stats.dump(1));
    else
        fmt::print("{}{:.1f} s on this machine; {}/stats.json\n", train_summary(stats), seconds,
                   directory.path());
    return failed_checks(checks, stats);
}

}  // namespace

Verb train_verb() {
    return make_verb<TrainOptions>(
        "train", "train a network, functionally or on a chip that trains; report accuracy, cycles, energy",
        options, train);
}

}  // namespace loom::app
