// SPDX-License-Identifier: Apache-2.0
#include "app/command_line.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <array>
#include <charconv>
#include <cstdio>
#include <exception>
#include <limits>

#include "app/commands.hpp"
#include "base/error.hpp"
#include "base/version.hpp"

namespace loom::app {
namespace {

std::string own_path() {
    std::array<char, 4096> buffer{};
    const ssize_t n = readlink("/proc/self/exe", buffer.data(), buffer.size() - 1);
    return n > 0 ? std::string(buffer.data(), static_cast<std::size_t>(n)) : std::string("spikeloom");
}

constexpr std::uint64_t kAnySeed = std::numeric_limits<std::uint64_t>::max();

/// An option's value: digits only, in range.
CLI::Validator whole_number(std::uint64_t least, std::uint64_t most) {
    return {[least, most](std::string& text) -> std::string {
                std::uint64_t v = 0;
                const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), v);
                const bool whole = error == std::errc{} && end == text.data() + text.size();
                if (whole && v >= least && v <= most) return "";
                return fmt::format("expected a whole number from {} to {}, got '{}'", least, most, text);
            },
            ""};
}

constexpr const char* kFooter =
    "Exit codes: 0 ok, 1 check failed (--fail-if), 2 usage, 3 invalid input, 4 does not fit the chip,\n"
    "5 simulation fault, 6 input or output, 70 internal error.";

}  // namespace

int run_command_line(int argc, char** argv) {
    CLI::App app{"Spikeloom: cycle-accurate simulation of spiking networks on neuromorphic chips",
                 "spikeloom"};
    app.set_version_flag("--version", std::string("spikeloom ") + kVersion);
    app.require_subcommand(1);
    app.footer(kFooter);
    int code = 0;
    const auto versioned = [&](CLI::App* sub) {
        sub->set_version_flag("--version", std::string("spikeloom ") + kVersion);
        sub->footer(kFooter);
        return sub;
    };

    RunOptions r;
    auto* run_cmd = versioned(
        app.add_subcommand("run", "compile a network onto a chip, execute it, report energy and latency"));
    run_cmd->add_option("RUN.yaml", r.file, "run file")->required();
    run_cmd->add_option("-o,--output", r.output, "result directory (default: results/<run>)");
    run_cmd->add_option("--set", r.sets, "key.path=value: change the configuration (repeatable)")
        ->allow_extra_args(false);
    run_cmd
        ->add_option("--fail-if", r.fail_if,
                     "exit with 1 when true, e.g. 'energy.total_pj > 1e9' (repeatable)")
        ->allow_extra_args(false);
    run_cmd->add_option("--threads", r.threads, "processes that share the samples")
        ->check(CLI::Range(1, 1024));
    run_cmd->add_option("--seed", r.seed, "replaces input.seed and map.seed")
        ->check(whole_number(0, kAnySeed));
    run_cmd->add_flag("--json", r.json, "print stats.json on stdout instead of the summary");
    run_cmd->add_flag("-q,--quiet", r.quiet, "no progress");
    run_cmd->add_option("--vcd", r.vcd, "write a waveform, FILE or FILE.vcd (use with --set input.limit=1)");
    run_cmd->add_option("--vcd-signals", r.vcd_signals, "names with * and ?, comma-separated");
    run_cmd->add_option("--engine", r.engine, "systemc, or plain: the same model without SystemC")
        ->check(CLI::IsMember({"systemc", "plain"}));
    run_cmd->add_option("--shuffle", r.shuffle,
                        "evaluate each cycle's components in a random order (seed; a self-check)");
    run_cmd->callback([&] { code = run(r); });

    MapOptions m;
    auto* map_cmd =
        versioned(app.add_subcommand("map", "compile only; print passes, cores and how full they are"));
    map_cmd->add_option("RUN.yaml", m.file, "run file")->required();
    map_cmd->add_option("--set", m.sets, "key.path=value")->allow_extra_args(false);
    map_cmd->add_flag("--dump", m.dump, "print what each pass did");
    map_cmd->callback([&] { code = map(m); });

    NocOptions n;
    auto* noc_cmd = versioned(app.add_subcommand(
        "noc", "drive a network-on-chip alone with traffic; report latency, load, energy"));
    noc_cmd->add_option("NOC.yaml", n.file, "network file: noc, traffic, measure; docs/how-to/network-alone.md")->required();
    noc_cmd->add_option("-o,--output", n.output,
                        "result directory: report, CSV tables, heat map (default: none)");
    noc_cmd->add_option("--set", n.sets, "key.path=value: change the configuration (repeatable)")
        ->allow_extra_args(false);
    noc_cmd
        ->add_option("--fail-if", n.fail_if,
                     "exit with 1 when true, e.g. 'latency.packet.p99 > 100' (repeatable)")
        ->allow_extra_args(false);
    noc_cmd->add_option("--threads", n.threads, "seeds that run at a time; does not change the report")
        ->check(CLI::Range(1, 1024));
    noc_cmd->add_option("--seed", n.seed, "replaces measure.seeds by one seed")
        ->check(whole_number(0, kAnySeed));
    noc_cmd->add_flag("--sweep-load", n.sweep_load, "walk the load to saturation and print the curve");
    noc_cmd->add_flag("--json", n.json, "print the report as JSON");
    noc_cmd->add_flag("-q,--quiet", n.quiet, "no progress");
    noc_cmd->callback([&] { code = noc(n); });

    CimOptions c;
    auto* cim_cmd = versioned(app.add_subcommand(
        "cim", "run one compute-in-memory array alone; print values, cycles, conversions, clips, energy"));
    cim_cmd->add_option("ARRAY.yaml", c.file, "array file")->required();
    cim_cmd->add_option("--weights", c.weights, "integers [rows, outputs], .npy")->required();
    cim_cmd->add_option("--inputs", c.inputs, "zeros and ones [vectors, rows], .npy")->required();
    cim_cmd->add_option("-o,--output", c.output, "result directory (default: none)");
    cim_cmd->add_option("--set", c.sets, "key.path=value: change the configuration (repeatable)")
        ->allow_extra_args(false);
    cim_cmd->add_option("--seed", c.seed, "of cells, converters and reads");
    cim_cmd->add_flag("--json", c.json, "print a list with one object per vector");
    cim_cmd->callback([&] { code = cim(c); });

    TrainOptions t;
    auto* train_cmd = versioned(app.add_subcommand(
        "train", "train a network, functionally or on a chip that trains; report accuracy, cycles, energy"));
    train_cmd->add_option("TRAIN.yaml", t.file, "training file; docs/how-to/train.md")->required();
    train_cmd->add_option("-o,--output", t.output, "result directory (default: results/<file>)");
    train_cmd->add_option("--set", t.sets, "key.path=value: change the configuration (repeatable)")
        ->allow_extra_args(false);
    train_cmd->add_option("--fail-if", t.fail_if, "exit with 1 when true, e.g. 'accuracy < 0.9' (repeatable)")
        ->allow_extra_args(false);
    train_cmd
        ->add_option(
            "--fidelity", t.fidelity,
            "functional: no cycles; cycle: the chip executes every step (default when there is one); "
            "estimate: SATA_Sim's formula, nothing is executed")
        ->check(CLI::IsMember({"functional", "cycle", "estimate"}));
    train_cmd->add_option("--steps", t.steps, "so many steps only; figures of an epoch are extrapolated")
        ->check(whole_number(1, 1'000'000'000));
    train_cmd
        ->add_option("--seed", t.seed, "replaces every seed of the file: of data, weights, rounding, sltt_k")
        ->check(whole_number(0, kAnySeed));
    train_cmd->add_flag("--resume", t.resume, "continue from the last checkpoint");
    train_cmd->add_flag("--json", t.json, "print stats.json on stdout instead of the summary");
    train_cmd->add_flag("-q,--quiet", t.quiet, "no progress");
    train_cmd->callback([&] { code = train(t); });

    std::string inspect_file;
    bool repair = false;
    auto* inspect_cmd =
        versioned(app.add_subcommand("inspect", "show the nodes, shapes and edges of a .nir file"));
    inspect_cmd->add_option("FILE.nir", inspect_file, "network")->required();
    inspect_cmd->add_flag("--repair", repair, "mend unique near-matches of misspelt node names");
    inspect_cmd->callback([&] { code = inspect(inspect_file, repair); });

    std::string validate_file;
    std::vector<std::string> validate_sets;
    auto* validate_cmd =
        versioned(app.add_subcommand("validate", "check a run, train, chip, noc, energy or sweep file"));
    validate_cmd->add_option("FILE.yaml", validate_file, "file")->required();
    validate_cmd->add_option("--set", validate_sets, "key.path=value (run and noc files)")
        ->allow_extra_args(false);
    validate_cmd->callback([&] { code = validate(validate_file, validate_sets); });

    std::string schema_of;
    auto* schema_cmd = versioned(app.add_subcommand("schema", "print the JSON schema of a kind of file"));
    schema_cmd->add_option("KIND", schema_of, "chip, run, train, energy, noc or cim")
        ->required()
        ->check(CLI::IsMember({"chip", "run", "train", "energy", "noc", "cim"}));
    schema_cmd->callback([&] { code = schema(schema_of); });

    SweepCommand s;
    s.program = own_path();
    auto* sweep_cmd =
        versioned(app.add_subcommand("sweep", "run every point of a sweep file; finished points are kept"));
    sweep_cmd->add_option("SWEEP.yaml", s.file, "sweep file")->required();
    sweep_cmd->add_option("-o,--output", s.output, "result directory (default: results/<sweep>)");
    sweep_cmd->add_option("-j,--jobs", s.jobs, "points at a time")->check(CLI::Range(1, 1024));
    sweep_cmd->add_flag("-q,--quiet", s.quiet, "no progress");
    sweep_cmd->callback([&] { code = sweep(s); });

    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& e) {
        const int status = app.exit(e);
        return status == 0 ? 0 : static_cast<int>(ExitCode::Usage);
    } catch (const Error& e) {
        fmt::print(stderr, "spikeloom: {}\n", e.what());
        return static_cast<int>(e.code());
    } catch (const std::bad_alloc&) {
        fmt::print(stderr, "spikeloom: out of memory\n");
        return static_cast<int>(ExitCode::SimulationFault);
    } catch (const std::exception& e) {
        fmt::print(stderr, "spikeloom: internal error (please report): {}\n", e.what());
        return static_cast<int>(ExitCode::Internal);
    }
    return code;
}

}  // namespace loom::app
