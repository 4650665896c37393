// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <fstream>
#include <optional>

#include "app/content_hash.hpp"
#include "app/extensions.hpp"
#include "app/failed_checks.hpp"
#include "app/result_dir.hpp"
#include "app/run/prepared_run.hpp"
#include "app/run/simulate.hpp"
#include "app/verb.hpp"
#include "base/json/figures.hpp"
#include "base/key_error.hpp"
#include "base/log.hpp"
#include "base/version.hpp"
#include "cores/kind.hpp"
#include "sim/foreign/foreign_kind.hpp"
#include "sim/report/devices.hpp"
#include "sim/report/report.hpp"

namespace loom::app {

namespace {

struct RunOptions {
    std::string file;
    std::string output;  ///< empty: results/<name of the run file>
    std::vector<std::string> sets;
    std::vector<std::string> fail_if;
    std::optional<std::uint64_t> seed;
    unsigned threads = 1;
    bool json = false, quiet = false;
    std::string vcd, vcd_signals = "*";
    std::string engine = "systemc";  ///< systemc or plain
    std::uint64_t shuffle = 0;
};

std::vector<Option> options(RunOptions& o) {
    return {
        {"RUN.yaml", &o.file, "run file"},
        {"-o,--output", &o.output, "result directory (default: results/<run>)"},
        set_option(o.sets),
        fail_if_option(o.fail_if, "energy.total_pj > 1e9"),
        {.names = "--threads",
         .value = &o.threads,
         .help = "processes that share the samples",
         .least = 1,
         .most = 1024},
        {"--seed", &o.seed, "replaces input.seed and map.seed"},
        {"--json", &o.json, "print stats.json on stdout instead of the summary"},
        quiet_option(o.quiet),
        {"--vcd", &o.vcd, "write a waveform, FILE or FILE.vcd (use with --set input.limit=1)"},
        {"--vcd-signals", &o.vcd_signals, "names with * and ?, comma-separated"},
        {"--engine", &o.engine, "systemc, or plain: the same model without SystemC", {"systemc", "plain"}},
        {"--shuffle", &o.shuffle, "evaluate each cycle's components in a random order (seed; a self-check)"},
    };
}

/// A line of /proc/self/status in KiB: VmRSS (now), VmHWM (peak of this program; getrusage would count
/// its parent's memory from before exec too).
std::uint64_t memory_kib(const std::string& key) {
    std::ifstream in("/proc/self/status");
    for (std::string word; in >> word;) {
        std::uint64_t kib = 0;
        if (word == key + ":" && in >> kib) return kib;
    }
    return 0;
}

std::string host_json(double compile_s, double simulate_s, const stats::RunRecord& r, unsigned threads) {
    Json j;
    j["compile_s"] = compile_s;
    j["simulate_s"] = simulate_s;
    j["threads"] = threads;
    j["samples_per_s"] = static_cast<double>(r.samples) / simulate_s;
    j["simulated_cycles_per_s"] = static_cast<double>(r.total_cycles) / simulate_s;
    j["peak_memory_kib"] = memory_kib("VmHWM");
    j["simulation_memory_kib"] = memory_kib("VmRSS");
    return j.dump(1) + "\n";
}

std::string predictions_csv(const stats::RunRecord& record, const traces::Stimulus& stimulus) {
    std::string text = "sample,prediction,label,cycles\n";
    for (std::size_t i = 0; i < record.predictions.size(); ++i) {
        const std::int64_t prediction = record.predictions[i];
        text += fmt::format("{},{},{},{}\n", i, prediction == stats::kUndecided ? "" : std::to_string(prediction),
                            stimulus.labels().empty() ? "" : std::to_string(stimulus.labels()[i]),
                            record.cycles_per_sample[i]);
    }
    return text;
}

std::string manifest_json(const LoadedRun& run, const std::string& stats) {
    Json manifest;
    manifest["spikeloom"] = kVersion;
    manifest["schema_version"] = stats::kSchemaVersion;
    manifest["seed"]["input"] = run.spec.input.seed;
    manifest["seed"]["map"] = run.spec.map.seed;
    manifest["seed"]["device"] = run.spec.device_seed;
    manifest["sha1"]["network"] = hash_file(run.network_path);
    manifest["sha1"]["input"] = hash_file(run.input_path);
    manifest["sha1"]["stats"] = hash_text(stats);
    return manifest.dump(1) + "\n";
}

/// Figures of chips with the further device seeds. Without SystemC, which is elaborated once per process;
/// that does not change a byte.
std::vector<stats::ChipFigures> other_chips(const PreparedRun& p, arch::Program& program,
                                            SimulateOptions options, const ResultDir& directory) {
    std::vector<stats::ChipFigures> chips;
    RunSpec spec = p.run.spec;
    spec.record.clear();
    options.systemc = false;
    options.waveform = {};
    for (std::uint64_t i = 1; i < spec.device_seeds; ++i) {
        program.device_seed = spec.device_seed + i;
        chips.push_back(
            stats::chip_figures(simulate(spec, program, p.stimulus, options, directory), spec.chip));
    }
    return chips;
}

stats::RunRecord simulate_all(const PreparedRun& p, arch::Program& program, const RunOptions& o,
                              const ResultDir& directory) {
    const log::Stopwatch watch("simulation");
    SimulateOptions options;
    options.threads = o.threads;
    options.systemc = o.engine == "systemc";
    options.shuffle_seed = o.shuffle;
    options.quiet = o.quiet;
    options.waveform.file = o.vcd.ends_with(".vcd") ? o.vcd.substr(0, o.vcd.size() - 4) : o.vcd;
    options.waveform.signals = o.vcd_signals;
    std::vector<stats::ChipFigures> chips = other_chips(p, program, options, directory);
    program.device_seed = p.run.spec.device_seed;
    stats::RunRecord record = simulate(p.run.spec, program, p.stimulus, options, directory);
    record.input_rounded += p.stimulus.rounded();
    record.other_chips = std::move(chips);
    for (std::uint32_t k = 0; k < p.run.spec.chip.n_kinds(); ++k)
        record.loads.push_back(cores::kind_of(p.run.spec.chip, k).load(p.run.spec.chip, program, k));
    return record;
}

void warn_of_saturation(const stats::RunRecord& record) {
    std::uint64_t saturated = 0;
    for (const auto& c : record.cores)
        saturated += c.counters.common.accumulator_saturations + c.counters.common.state_saturations;
    if (saturated == 0) return;
    log::warning(
        fmt::format("{} sums or membranes were beyond their width and saturated (stats.txt)", saturated));
}

/// Modules of SystemC are in one elaborated design, and promise themselves what can be done to them.
void check_modules(const RunSpec& spec, const RunOptions& o) {
    const foreign::Modules& modules = known().modules;
    const foreign::Placement placement = foreign::placement_of(spec.chip, modules);
    if (placement.empty()) return;
    if (o.engine != "systemc")
        throw Error(ExitCode::Usage, "--engine plain: the chip has modules of SystemC, which it cannot run");
    if (spec.device_seeds > 1)
        throw KeyError("device_seeds", "further chips run without SystemC, and this one has modules of it");
    const std::string module = modules.needs_one_process(placement);
    if (o.threads > 1 && !module.empty())
        throw Error(ExitCode::Usage, "--threads: module '" + module +
                                         "' does not promise that samples can be divided among processes");
}

int run(const RunOptions& o) {
    const std::vector<stats::FailIf> checks(o.fail_if.begin(), o.fail_if.end());
    if (!o.vcd.empty() && (o.threads != 1 || o.engine != "systemc")) {
        throw Error(ExitCode::Usage, "--vcd needs --threads 1 and --engine systemc");
    }
    const log::Stopwatch compiling("");
    LoadedRun loaded = load_run(o.file, o.sets, o.seed ? &*o.seed : nullptr);
    check_modules(loaded.spec, o);
    PreparedRun p = prepare(std::move(loaded));
    arch::Program program = compile(p, o.quiet).program;
    const double compile_s = compiling.seconds();
    ResultDir directory(o.output.empty() ? default_output(o.file) : o.output);

    const log::Stopwatch simulating("");
    const stats::RunRecord record = simulate_all(p, program, o, directory);
    const double simulate_s = simulating.seconds();

    const arch::ChipSpec& chip = p.run.spec.chip;
    log::Stopwatch reporting("report");
    const stats::RunAccount account(record, chip, program);
    const Json stats = stats::make_stats(account);
    check_finite(stats);
    const std::string text = stats.dump(1) + "\n";
    const std::string table = stats::summary_table(stats, chip.name);
    directory.write("stats.json", text);
    directory.write("stats.txt", stats::stats_text(stats, account.events()));
    directory.write("layers.csv", stats::layers_csv(stats));
    directory.write("energy.yaml", stats::energy_yaml(account));
    directory.write("config.resolved.yaml", resolved_yaml(p.run, directory.path()));
    directory.write("host.json", host_json(compile_s, simulate_s, record, o.threads));
    directory.write("predictions.csv", predictions_csv(record, p.stimulus));
    directory.write("manifest.json", manifest_json(p.run, text));
    directory.write("summary.txt", table);
    directory.commit();
    reporting.stop();

    if (o.json) {
        fmt::print("{}", text);
    } else {
        fmt::print("{}\n{:.1f} s on this machine; full report: {}/stats.txt\n", table, simulate_s,
                   directory.path());
    }
    warn_of_saturation(record);
    return failed_checks(checks, stats);
}

}  // namespace

Verb run_verb() {
    return make_verb<RunOptions>(
        "run", "compile a network onto a chip, execute it, report energy and latency", options, run);
}

}  // namespace loom::app
