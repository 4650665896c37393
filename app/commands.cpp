// SPDX-License-Identifier: Apache-2.0
#include "app/commands.hpp"

#include <fmt/format.h>

#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>

#include "app/cim/cim_file.hpp"
#include "app/content_hash.hpp"
#include "app/extensions.hpp"
#include "app/failed_checks.hpp"
#include "app/noc/noc_spec.hpp"
#include "app/progress.hpp"
#include "app/result_dir.hpp"
#include "app/run/run_spec.hpp"
#include "app/run/simulate.hpp"
#include "app/sweep/sweep.hpp"
#include "app/train/train_estimate.hpp"
#include "app/train/train_spec.hpp"
#include "base/config/reader.hpp"
#include "base/config/schema.hpp"
#include "base/error.hpp"
#include "base/version.hpp"
#include "compiler/compile.hpp"
#include "compiler/import/nir_reader.hpp"
#include "cores/kind.hpp"
#include "sim/report/area.hpp"
#include "sim/report/devices.hpp"
#include "sim/report/energy_prices.hpp"
#include "sim/report/ert.hpp"
#include "sim/report/report.hpp"
#include "training/accelerator/price.hpp"

namespace loom::app {
namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;
namespace {

using Clock = std::chrono::steady_clock;
double seconds_since(Clock::time_point t) {
    return std::chrono::duration<double>(Clock::now() - t).count();
}

std::string stem_directory(const std::string& file) {
    return "results/" + fs::path(file).stem().string();
}

/// A run file, its network, its data and the mapping.
struct Prepared {
    LoadedRun run;
    traces::Stimulus stimulus;
    compiler::Mapping mapping;
};

std::size_t input_size(const compiler::NirModel& model) {
    std::size_t n = 1;
    for (const auto& node : model.nodes) {
        if (node.rule->role != compiler::NodeRole::Input) continue;
        for (const std::size_t d : node.output_shape) n *= d;
        return n;
    }
    throw UnsupportedError(model.file + ": the network has no input");
}

Prepared prepare(LoadedRun run, bool quiet) {
    auto model =
        std::make_shared<compiler::NirModel>(compiler::read_nir(run.network_path, run.spec.network.repair));
    if (!quiet) {
        for (const std::string& note : model->notes) fmt::print(stderr, "note: {}\n", note);
    }
    traces::Stimulus stimulus = traces::Stimulus::load(run.spec.input, run.input_path, input_size(*model));
    compiler::Mapping mapping;
    with_places(run.root, [&] {
        mapping =
            compiler::compile(model, run.spec.profile, run.spec.chip, run.spec.map, input_format(stimulus));
    });
    // The memory images hold the weights from here on; the file's copies are only needed by the host.
    if (mapping.program.host_currents.empty()) {
        for (auto& node : model->nodes) node.arrays.clear();
    }
    for (auto& lowered : mapping.lowered) {
        std::vector<double>().swap(lowered.weights);
        lowered.dense = {};
    }
    return {std::move(run), std::move(stimulus), std::move(mapping)};
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

/// Figures of chips with the further device seeds. Without SystemC, which is elaborated once per process;
/// that does not change a byte.
std::vector<stats::ChipFigures> other_chips(Prepared& p, SimulateOptions options,
                                            const ResultDir& directory) {
    std::vector<stats::ChipFigures> chips;
    RunSpec spec = p.run.spec;
    spec.record.clear();
    options.systemc = false;
    options.waveform = {};
    for (std::uint64_t i = 1; i < spec.device_seeds; ++i) {
        p.mapping.program.device_seed = spec.device_seed + i;
        chips.push_back(
            stats::chip_figures(simulate(spec, p.mapping, p.stimulus, options, directory), spec.chip));
    }
    return chips;
}

/// Events of training engines have plain names ("ac"), those of a run are of a part ("dendrite.ac").
bool is_training_list(const arch::EnergySpec& prices) {
    return !prices.actions.empty() && prices.actions.begin()->first.find('.') == std::string::npos;
}

}  // namespace

int run(const RunOptions& o) {
    std::vector<stats::FailIf> checks(o.fail_if.begin(), o.fail_if.end());
    if (!o.vcd.empty() && (o.threads != 1 || o.engine != "systemc")) {
        throw Error(ExitCode::Usage, "--vcd needs --threads 1 and --engine systemc");
    }
    const auto start = Clock::now();
    Prepared p = prepare(load_run(o.file, o.sets, o.seed ? &*o.seed : nullptr), o.quiet);
    const double compile_s = seconds_since(start);
    ResultDir directory(o.output.empty() ? stem_directory(o.file) : o.output);

    SimulateOptions options;
    options.threads = o.threads;
    options.systemc = o.engine == "systemc";
    options.shuffle_seed = o.shuffle;
    options.quiet = o.quiet;
    options.waveform.file = o.vcd.ends_with(".vcd") ? o.vcd.substr(0, o.vcd.size() - 4) : o.vcd;
    options.waveform.signals = o.vcd_signals;
    const auto simulate_start = Clock::now();
    const std::vector<stats::ChipFigures> chips = other_chips(p, options, directory);
    p.mapping.program.device_seed = p.run.spec.device_seed;
    stats::RunRecord record = simulate(p.run.spec, p.mapping, p.stimulus, options, directory);
    record.other_chips = chips;
    for (std::uint32_t k = 0; k < p.run.spec.chip.n_kinds(); ++k)
        record.loads.push_back(
            cores::kind_of(p.run.spec.chip, k).load(p.run.spec.chip, p.mapping.program, k));
    const double simulate_s = seconds_since(simulate_start);

    const stats::RunAccount account(record, p.run.spec.chip, p.mapping.program);
    const Json stats = stats::make_stats(account);
    const std::string text = stats.dump(1) + "\n";
    const std::string config = resolved_yaml(p.run, directory.path());
    directory.write("stats.json", text);
    directory.write("stats.txt", stats::stats_text(stats, account.events()));
    directory.write("layers.csv", stats::layers_csv(stats));
    directory.write("energy.yaml", stats::energy_yaml(account));
    directory.write("config.resolved.yaml", config);
    directory.write("host.json", host_json(compile_s, simulate_s, record, o.threads));
    std::string predictions = "sample,prediction,label,cycles\n";
    for (std::size_t i = 0; i < record.predictions.size(); ++i) {
        predictions += fmt::format("{},{},{},{}\n", i, record.predictions[i],
                                   p.stimulus.labels().empty() ? "" : std::to_string(p.stimulus.labels()[i]),
                                   record.cycles_per_sample[i]);
    }
    directory.write("predictions.csv", predictions);
    Json manifest;
    manifest["spikeloom"] = kVersion;
    manifest["schema_version"] = stats::kSchemaVersion;
    manifest["seed"]["input"] = p.run.spec.input.seed;
    manifest["seed"]["map"] = p.run.spec.map.seed;
    manifest["seed"]["device"] = p.run.spec.device_seed;
    manifest["sha1"]["network"] = hash_file(p.run.network_path);
    manifest["sha1"]["input"] = hash_file(p.run.input_path);
    manifest["sha1"]["stats"] = hash_text(text);
    directory.write("manifest.json", manifest.dump(1) + "\n");
    const std::string table = stats::summary_table(stats, p.run.spec.chip.name);
    directory.write("summary.txt", table);
    directory.commit();

    if (o.json) {
        fmt::print("{}", text);
    } else {
        fmt::print("{}\n{:.1f} s on this machine; full report: {}/stats.txt\n", table, simulate_s,
                   directory.path());
    }
    std::uint64_t saturated = 0;
    for (const auto& c : record.cores)
        saturated += c.counters.common.accumulator_saturations + c.counters.common.state_saturations;
    if (saturated != 0 && !o.quiet) {
        fmt::print(stderr,
                   "warning: {} sums or membranes were beyond their width and saturated (stats.txt)\n",
                   saturated);
    }
    return failed_checks(checks, stats);
}

int map(const MapOptions& o) {
    const Prepared p = prepare(load_run(o.file, o.sets), false);
    if (o.dump) {
        for (const auto& pass : p.mapping.passes) {
            if (!pass.dump.empty()) fmt::print("{}:\n{}", pass.name, pass.dump);
        }
    }
    fmt::print("{}", compiler::describe(p.mapping, p.run.spec.chip));
    return 0;
}

int inspect(const std::string& file, bool repair) {
    fmt::print("{}", compiler::describe(compiler::read_nir(file, repair)));
    return 0;
}

int validate(const std::string& file, const std::vector<std::string>& sets) {
    const config::Node root = config::load_with_base(file);
    const auto has = [&](const char* key) { return root.find(key) != nullptr; };
    const char* kind = "run";
    if (has("axes")) {
        kind = "sweep";
        load_sweep(file);
    } else if (has("train") || has("estimate")) {
        kind = "train";
        if (has("train")) load_train(file, sets);
        if (has("estimate")) load_train_estimate(file, sets);
    } else if (has("network") || has("profile") || has("input")) {
        load_run(file, sets);
    } else if (has("traffic") || has("measure") || (has("noc") && !has("name"))) {
        kind = "noc";
        load_noc(file, sets);
    } else if (has("buffers") && has("dram")) {
        kind = "training chip";
        config::Node tree = config::load_tree(file);
        stats::expand_ert(tree, "energy", known().cores);
        const auto chip = config::read<arch::TrainingChip>(tree);
        with_places(tree, [&] { check_training_chip(chip); });
    } else if (is_cim_file(root)) {
        kind = "cim";
        load_cim(file, sets);
    } else if (has("actions") || has("unpriced") || has("ert") || has("ERT")) {
        kind = "energy";
        config::Node tree = config::load_tree(file);
        stats::expand_ert(tree, "", known().cores);
        const auto prices = config::read<arch::EnergySpec>(tree);
        with_places(tree, [&] {
            if (!is_training_list(prices)) return stats::check_price_list(prices, known().cores);
            arch::TrainingChip chip;
            chip.energy = prices;
            chip.energy.leakage.clear();  // of buffers that only a chip names
            training::check_prices(chip);
            stats::check_area(prices, "energy");
        });
    } else {
        kind = "chip";
        config::Node tree = config::load_tree(file);
        stats::expand_ert(tree, "energy", known().cores);
        arch::ChipSpec chip(known().cores);
        config::read_into(tree, "", chip);
        with_places(tree, [&] { check_chip(chip); });
    }
    fmt::print("{}: valid ({} file)\n", file, kind);
    return 0;
}

int schema(const std::string& what) {
    const config::SchemaOptions options{"spikeloom " + what + " file", true};
    if (what == "chip") {
        fmt::print("{}", config::json_schema_of(arch::ChipSpec(known().cores), options));
    } else if (what == "energy") {
        fmt::print("{}", config::json_schema<arch::EnergySpec>(options));
    } else if (what == "cim") {
        fmt::print("{}", config::json_schema<CimFile>(options));
    } else if (what == "train") {
        fmt::print("{}", config::json_schema<TrainSpec>(options));
    } else if (what == "noc") {
        fmt::print("{}", config::json_schema<NocRunSpec>(options));
    } else {
        fmt::print("{}", config::json_schema<RunSpec>(options));
    }
    return 0;
}

int sweep(const SweepCommand& o) {
    const SweepSpec spec = load_sweep(o.file);
    SweepOptions options;
    options.program = o.program;
    options.directory = o.output.empty() ? stem_directory(o.file) : o.output;
    options.jobs = o.jobs;
    options.quiet = o.quiet;
    const std::size_t points = spec.points().size();
    const std::size_t failed = run_sweep(spec, options);
    fmt::print("{} points, {} failed; {}/results.csv\n", points, failed, options.directory);
    return failed == 0 ? 0 : static_cast<int>(ExitCode::CheckFailed);
}

}  // namespace loom::app
