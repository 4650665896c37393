// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <filesystem>
#include <fstream>
#include <optional>

#include "app/extensions.hpp"
#include "app/failed_checks.hpp"
#include "app/result_dir.hpp"
#include "app/run/prepared_run.hpp"
#include "app/run/simulate.hpp"
#include "app/verb.hpp"
#include "base/durable_file.hpp"
#include "base/input_file.hpp"
#include "base/json/figures.hpp"
#include "base/key_error.hpp"
#include "base/log.hpp"
#include "cores/kind.hpp"
#include "sim/foreign/foreign_kind.hpp"
#include "sim/report/devices.hpp"
#include "sim/report/report.hpp"

namespace loom::app {

namespace {

/// More than what is left of a file's last block on any disk.
constexpr std::size_t kBlockBytes = std::size_t{1} << 16;

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

/// What rounding the input lost.
Json rounding_json(const traces::RoundedInput& r) {
    return {{"bits", r.bits},           {"exponent", r.exponent},
            {"max_error", r.max_error}, {"mean_error", r.mean_error},
            {"values", r.values},       {"changed", r.changed},
            {"zeroed", r.zeroed}};
}

/// Early: the hashes are those of the bytes that were read.
Json manifest_facts(const LoadedRun& run) {
    Json manifest;
    manifest["schema_version"] = stats::kSchemaVersion;
    manifest["seed"]["input"] = run.spec.input.seed;
    manifest["seed"]["map"] = run.spec.map.seed;
    manifest["seed"]["device"] = run.spec.device_seed;
    manifest["sha1"]["network"] = input_hash(run.network_path);
    manifest["sha1"]["input"] = input_hash(run.input_path);
    manifest["sha1"]["configuration"] = configuration_hash(run);
    return manifest;
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
                              const chip::WaveformSpec& waveform, const ResultDir& directory) {
    const log::Stopwatch watch("simulation");
    SimulateOptions options;
    options.threads = o.threads;
    options.systemc = o.engine == "systemc";
    options.shuffle_seed = o.shuffle;
    options.quiet = o.quiet;
    options.waveform = waveform;
    std::vector<stats::ChipFigures> chips = other_chips(p, program, options, directory);
    program.device_seed = p.run.spec.device_seed;
    stats::RunRecord record = simulate(p.run.spec, program, p.stimulus, options, directory);
    if (p.stimulus.rounded()) record.input_rounded += p.stimulus.rounded()->changed;
    record.other_chips = std::move(chips);
    for (std::uint32_t k = 0; k < p.run.spec.chip.n_kinds(); ++k)
        record.loads.push_back(cores::kind_of(p.run.spec.chip, k).load(p.run.spec.chip, program, k));
    return record;
}

/// SystemC looks at none of its writes: a file that cannot be opened is found before, a full disk after the simulation.
void check_writable(const std::string& file, const std::string& shown, std::size_t bytes) {
    std::error_code ec;
    const auto size = std::filesystem::exists(file, ec) ? std::filesystem::file_size(file, ec) : 0;
    write_text(file, std::string(bytes, '\n'), shown, Begin::AtTheEnd);
    std::filesystem::resize_file(file, size, ec);
}

/// --vcd FILE or FILE.vcd.
chip::WaveformSpec waveform_of(const RunOptions& o, ResultDir& directory) {
    chip::WaveformSpec waveform{"", o.vcd_signals};
    if (o.vcd.empty()) return waveform;
    const std::string shown = o.vcd.ends_with(".vcd") ? o.vcd : o.vcd + ".vcd";
    const std::string file = directory.place(shown);
    check_writable(file, shown, 0);
    waveform.file = file.substr(0, file.size() - 4);
    return waveform;
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
    const Json facts = manifest_facts(p.run);
    arch::Program program = compile(p, o.quiet).program;
    const double compile_s = compiling.seconds();
    ResultDir directory(o.output.empty() ? default_output(o.file) : o.output, "run");

    const chip::WaveformSpec waveform = waveform_of(o, directory);

    const log::Stopwatch simulating("");
    const stats::RunRecord record = simulate_all(p, program, o, waveform, directory);
    if (!waveform.file.empty()) check_writable(waveform.file + ".vcd", o.vcd, kBlockBytes);
    const double simulate_s = simulating.seconds();

    const arch::ChipSpec& chip = p.run.spec.chip;
    log::Stopwatch reporting("report");
    const stats::RunAccount account(record, chip, program);
    Json stats = stats::make_stats(account);
    if (p.stimulus.rounded()) stats["input"] = rounding_json(*p.stimulus.rounded());
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
    directory.write("summary.txt", table);
    warn_of_saturation(record);
    directory.commit(facts);
    reporting.stop();

    if (o.json) {
        fmt::print("{}", text);
    } else {
        fmt::print("{}\n{:.1f} s on this machine; full report: {}/stats.txt\n", table, simulate_s,
                   directory.path());
    }
    return failed_checks(checks, stats);
}

}  // namespace

Verb run_verb() {
    return make_verb<RunOptions>(
        "run", "compile a network onto a chip, execute it, report energy and latency", options, run);
}

}  // namespace loom::app
