// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <atomic>
#include <exception>
#include <filesystem>
#include <future>
#include <mutex>

#include "app/config_file.hpp"
#include "app/failed_checks.hpp"
#include "app/noc/noc_report.hpp"
#include "app/noc/noc_spec.hpp"
#include "app/progress.hpp"
#include "app/result_dir.hpp"
#include "app/verb.hpp"
#include "base/config/writer.hpp"
#include "base/error.hpp"
#include "base/input_file.hpp"
#include "base/log.hpp"
#include "base/json/figures.hpp"
#include "base/version.hpp"
#include "noc/traffic/experiment.hpp"

namespace loom::app {
namespace {

struct Outcome {
    noc::Summary summary;
    FabricUse use;  ///< by the first seed
};

/// All seeds at one rate, on up to `threads` threads. What fails first in the order of seeds is thrown.
Outcome run_seeds(const NocRunSpec& spec, const std::vector<noc::TracePacket>* trace, unsigned threads,
                  bool quiet) {
    const arch::ChipSpec chip = spec.chip();
    const auto& seeds = spec.measure.seeds;
    std::vector<noc::RunResult> results(seeds.size());
    std::vector<std::exception_ptr> failed(seeds.size());
    Outcome outcome;
    const std::uint64_t per_seed = trace != nullptr
                                       ? (trace->empty() ? 1 : trace->back().cycle + 1)
                                       : (spec.measure.warmup + spec.measure.samples) * spec.measure.sample;
    Progress progress("network", per_seed * seeds.size(), quiet);
    std::mutex mutex;
    std::atomic<std::size_t> next{0}, finished{0};
    const auto run = [&](std::size_t i) {
        results[i] = noc::run_traffic(
            chip, spec.traffic, spec.measure, seeds[i], trace,
            [&](const noc::RunView& view) {
                if (i != 0) return;
                outcome.use = use_of(view);
                for (std::uint32_t s = 0; s < view.network.n_sets(); ++s)
                    outcome.use.sets.push_back(view.network.set_links(s));
            },
            [&](std::uint64_t now) {
                const std::lock_guard lock(mutex);
                progress.update(
                    std::min(per_seed * seeds.size(), finished * per_seed + std::min(now, per_seed)), 0);
            });
    };
    const auto work = [&] {
        for (std::size_t i = next++; i < seeds.size(); i = next++) {
            try {
                run(i);
            } catch (...) {
                failed[i] = std::current_exception();
            }
            ++finished;
        }
    };
    std::vector<std::future<void>> pool;
    for (unsigned t = 1; t < std::min<std::size_t>(threads, seeds.size()); ++t)
        pool.push_back(std::async(std::launch::async, work));
    work();
    for (auto& f : pool) f.get();
    progress.finish();
    for (const auto& f : failed) {
        if (f != nullptr) std::rethrow_exception(f);
    }
    outcome.summary = noc::summarise(std::move(results));
    return outcome;
}

/// From light load up: ever larger steps while stable, then bisection to 1 % of the saturation rate (or to
/// kLeastRate, for networks that are never stable).
constexpr double kLeastRate = 1e-5;

Json sweep_load(NocRunSpec spec, unsigned threads, bool quiet) {
    Json curve = Json::array();
    const auto at = [&](double rate) {
        spec.traffic.rate = rate;
        const Outcome o = run_seeds(spec, nullptr, threads, true);
        const noc::Summary& s = o.summary;
        const Json latency = latency_json(s);
        curve.push_back({{"rate", rate},
                         {"offered_flit_rate", s.offered_flit_rate},
                         {"accepted_flit_rate", s.accepted_flit_rate},
                         {"packet_mean", latency["packet"]["mean"]},
                         {"packet_p50", latency["packet"]["p50"]},
                         {"packet_p95", latency["packet"]["p95"]},
                         {"packet_p99", latency["packet"]["p99"]},
                         {"network_mean", latency["network"]["mean"]},
                         {"zero_load", latency["zero_load"]},
                         {"stable", s.stable}});
        if (!quiet) {
            log::raw(fmt::format("rate {:.4f}: accepted {:.4f}, mean latency {}{}\n", rate,
                       s.accepted_flit_rate, figure_text(latency["packet"]["mean"], "{:.2f}"), s.stable ? "" : "  not stable"));
        }
        return s.stable && s.packet.count() != 0;  // of nothing nothing can be said
    };
    double low = 0, high = 0;
    for (double rate = 0.01; high == 0; rate = rate < 0.05 ? 0.05 : std::min(1.0, rate + 0.05)) {
        if (at(rate)) {
            low = rate;
            if (rate >= 1) break;
        } else {
            high = rate;
        }
    }
    while (high > kLeastRate && high - low > 0.01 * high) {
        const double rate = (low + high) / 2;
        (at(rate) ? low : high) = rate;
    }
    std::sort(curve.elements().begin(), curve.elements().end(), [](const Json& a, const Json& b) { return a["rate"].get<double>() < b["rate"].get<double>(); });
    const Json zero = curve[0]["zero_load"];
    const auto knee = [&](double factor) {
        Json best;
        for (const auto& p : curve) {
            if (!p["stable"].get<bool>() || p["packet_mean"].is_null() || zero.is_null()) continue;
            if (p["packet_mean"].get<double>() <= factor * zero.get<double>()) best = p["rate"];
        }
        return best;
    };
    double throughput = 0;
    for (const auto& p : curve) throughput = std::max(throughput, p["accepted_flit_rate"].get<double>());
    const Json saturation = low == 0 ? Json() : Json(low);  // none: no rate that was tried is stable
    return {{"saturation_rate", saturation}, {"throughput", throughput}, {"zero_load", zero},
            {"knee_2x", knee(2)},     {"knee_3x", knee(3)},       {"curve", curve}};
}

std::string curve_text(const Json& sweep) {
    std::string out =
        fmt::format("{:>8} {:>10} {:>10} {:>8} {:>10}\n", "rate", "accepted", "latency", "p99", "network");
    double most = 1;
    for (const auto& p : sweep["curve"]) {
        if (p["stable"].get<bool>() && !p["packet_mean"].is_null()) most = std::max(most, p["packet_mean"].get<double>());
    }
    for (const auto& p : sweep["curve"]) {
        const double bar = p["packet_mean"].is_null() ? 0 : 40 * p["packet_mean"].get<double>() / most;
        out += fmt::format("{:>8.4f} {:>10.4f} {:>10} {:>8} {:>10} {}\n", p["rate"].get<double>(),
                           p["accepted_flit_rate"].get<double>(), figure_text(p["packet_mean"], "{:.2f}"),
                           figure_text(p["packet_p99"]), figure_text(p["network_mean"], "{:.2f}"),
                           p["stable"].get<bool>() ? std::string(static_cast<std::size_t>(bar), '#') : "not stable");
    }
    out += fmt::format(
        "stable up to {} flits per node and cycle; accepts up to {:.4f}; twice the zero-load latency of {} at {}\n",
        figure_text(sweep["saturation_rate"], "{:.4f}"), sweep["throughput"].get<double>(),
        figure_text(sweep["zero_load"], "{:.2f}"), figure_text(sweep["knee_2x"], "{:.4f}"));
    return out;
}

/// As fmt writes a double.
std::string csv_number(const Json& figure) {
    return figure.is_null() ? std::string() : fmt::format("{}", figure.get<double>());
}

std::string curve_csv(const Json& sweep) {
    std::string out =
        "rate,offered_flit_rate,accepted_flit_rate,packet_mean,packet_p50,packet_p95,packet_p99,network_mean,"
        "zero_load,stable\n";
    for (const auto& p : sweep["curve"]) {
        out += fmt::format("{},{},{},{},{},{},{},{},{},{}\n", p["rate"].get<double>(),
                           p["offered_flit_rate"].get<double>(), p["accepted_flit_rate"].get<double>(),
                           csv_number(p["packet_mean"]), figure_csv(p["packet_p50"]),
                           figure_csv(p["packet_p95"]), figure_csv(p["packet_p99"]),
                           csv_number(p["network_mean"]), csv_number(p["zero_load"]),
                           p["stable"].get<bool>() ? 1 : 0);
    }
    return out;
}

/// What every endpoint accepted in the measured windows of all seeds.
std::string nodes_csv(const noc::Summary& s) {
    std::string out = "node,flits,flits_per_cycle\n";
    std::uint64_t cycles = 0;
    for (const auto& r : s.runs) cycles += r.measured_cycles;
    for (std::size_t n = 0; n < s.runs[0].accepted_flits.size(); ++n) {
        std::uint64_t flits = 0;
        for (const auto& r : s.runs) flits += r.accepted_flits[n];
        const Json rate = quotient(flits, cycles);
        out += fmt::format("{},{},{}\n", n, flits, rate.is_null() ? "" : figure_text(rate, "{:.6f}"));
    }
    return out;
}

/// What is the same for runs and sweeps: the configuration, the report, and what proves both.
void finish(ResultDir& directory, const LoadedNoc& run, const Json& j, const std::string& text) {
    NocRunSpec resolved = run.spec;
    if (!run.trace_path.empty())
        resolved.traffic.file = std::filesystem::relative(run.trace_path, directory.path()).string();
    directory.write("config.resolved.yaml", config::emit(config::to_node(resolved)));
    directory.write("stats.json", j.dump(1) + "\n");
    directory.write("summary.txt", text);
    Json manifest{{"schema_version", j.value("schema_version", 1)}};
    manifest["seeds"] = run.spec.measure.seeds;
    if (!run.trace_path.empty()) manifest["sha1"]["trace"] = input_hash(run.trace_path);
    directory.commit(manifest);
}

struct NocOptions {
    std::string file;
    std::string output;  ///< empty: no files
    std::vector<std::string> sets;
    std::vector<std::string> fail_if;
    std::optional<std::uint64_t> seed;
    unsigned threads = 1;
    bool json = false, quiet = false, sweep_load = false;
};

std::vector<Option> options(NocOptions& o) {
    return {{"NOC.yaml", &o.file, "network file: noc, traffic, measure; docs/how-to/network-alone.md"},
            {"-o,--output", &o.output, "result directory: report, CSV tables, heat map (default: none)"},
            set_option(o.sets),
            fail_if_option(o.fail_if, "latency.packet.p99 > 100"),
            {.names = "--threads",
             .value = &o.threads,
             .help = "seeds that run at a time; does not change the report",
             .least = 1,
             .most = 1024},
            {"--seed", &o.seed, "replaces measure.seeds by one seed"},
            {"--sweep-load", &o.sweep_load, "walk the load to saturation and print the curve"},
            {"--json", &o.json, "print the report as JSON"},
            quiet_option(o.quiet)};
}

int noc(const NocOptions& o) {
    const std::vector<stats::FailIf> checks(o.fail_if.begin(), o.fail_if.end());
    LoadedNoc run = load_noc(o.file, o.sets);
    if (o.seed) run.spec.measure.seeds = {*o.seed};
    const auto* trace = run.trace_or_null();
    if (trace != nullptr) {
        if (o.sweep_load) throw Error(ExitCode::Usage, "--sweep-load: a trace has no rate");
        run.spec.measure.seeds.resize(1);  // nothing is drawn
    }
    std::optional<ResultDir> directory;
    if (!o.output.empty()) directory.emplace(o.output, "noc");
    Json j;
    std::string text;
    with_places(run.root, [&] {
        if (o.sweep_load) {
            NocRunSpec full = run.spec;
            full.traffic.rate = 1;
            noc::check_run(full.chip(), full.traffic, full.measure, nullptr);
            j = sweep_load(run.spec, o.threads, o.quiet);
            text = curve_text(j);
            if (directory) directory->write("curve.csv", curve_csv(j));
            return;
        }
        const Outcome outcome = run_seeds(run.spec, trace, o.threads, o.quiet);
        j = noc_json(outcome.summary, run.spec.chip(), outcome.use);
        text = noc_text(j, outcome.use);
        if (!directory) return;
        directory->write("links.csv", links_csv(outcome.use, run.spec.chip()));
        directory->write("routers.csv", routers_csv(outcome.use));
        directory->write("nodes.csv", nodes_csv(outcome.summary));
        directory->write("latency.csv", histogram_csv(outcome.summary));
        directory->write("heatmap.svg", heat_map_svg(outcome.use));
        directory->write("energy.yaml", noc_energy_yaml(outcome.summary, run.spec.chip()));
    });
    check_finite(j);
    if (directory) finish(*directory, run, j, text);
    if (o.json) {
        fmt::print("{}\n", j.dump(1));
    } else {
        fmt::print("{}", text);
        if (directory) fmt::print("full report: {}\n", directory->path());
    }
    return failed_checks(checks, j);
}

}  // namespace

Verb noc_verb() {
    return make_verb<NocOptions>(
        "noc", "drive a network-on-chip alone with traffic; report latency, load, energy", options, noc);
}

}  // namespace loom::app
