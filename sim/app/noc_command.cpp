// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <atomic>
#include <filesystem>
#include <future>
#include <mutex>

#include "noc/catalogue.hpp"
#include "noc/traffic/experiment.hpp"
#include "sim/app/commands.hpp"
#include "sim/app/content_hash.hpp"
#include "sim/app/noc_report.hpp"
#include "sim/app/noc_spec.hpp"
#include "sim/app/progress.hpp"
#include "sim/app/result_dir.hpp"
#include "sim/app/run_spec.hpp"
#include "sim/base/error.hpp"
#include "sim/config/writer.hpp"
#include "sim/stats/fail_if.hpp"
#include "sim/version.hpp"

namespace loom::app {
namespace {

using Json = nlohmann::ordered_json;

struct Outcome {
    noc::Summary summary;
    FabricUse use;  ///< of the first seed
};

/// All seeds at one rate, on up to `threads` threads.
Outcome run_seeds(const NocRunSpec& spec, const std::vector<noc::TracePacket>* trace, unsigned threads,
                  bool quiet) {
    const arch::ChipSpec chip = spec.chip();
    const auto& seeds = spec.measure.seeds;
    std::vector<noc::RunResult> results(seeds.size());
    Outcome outcome;
    const std::uint64_t per_seed = (spec.measure.warmup + spec.measure.samples) * spec.measure.sample;
    Progress progress("network", per_seed * seeds.size(), quiet);
    std::mutex mutex;
    std::atomic<std::size_t> next{0}, finished{0};
    const auto work = [&] {
        for (std::size_t i = next++; i < seeds.size(); i = next++) {
            results[i] = noc::run_traffic(
                chip, spec.traffic, spec.measure, seeds[i], trace,
                [&](const noc::RunView& view) {
                    if (i != 0) return;
                    outcome.use = use_of(view);
                    for (std::uint32_t s = 0; s < view.network.n_sets(); ++s)
                        outcome.use.sets.push_back(view.network.set_links(s));
                },
                [&](std::uint64_t now, std::uint64_t of) {
                    const std::lock_guard lock(mutex);
                    progress.update(
                        std::min(per_seed * seeds.size(), finished * per_seed + std::min(now, of)), 0);
                });
            ++finished;
        }
    };
    std::vector<std::future<void>> pool;
    for (unsigned t = 1; t < std::min<std::size_t>(threads, seeds.size()); ++t)
        pool.push_back(std::async(std::launch::async, work));
    work();
    for (auto& f : pool) f.get();
    progress.finish();
    outcome.summary = noc::summarise(std::move(results));
    return outcome;
}

/// From light load up: ever larger steps while stable, then bisection to 1 % of the saturation rate.
Json sweep_load(NocRunSpec spec, unsigned threads, bool quiet) {
    Json curve = Json::array();
    const auto at = [&](double rate) {
        spec.traffic.rate = rate;
        const Outcome o = run_seeds(spec, nullptr, threads, true);
        const noc::Summary& s = o.summary;
        curve.push_back({{"rate", rate},
                         {"offered_flit_rate", s.offered_flit_rate},
                         {"accepted_flit_rate", s.accepted_flit_rate},
                         {"packet_mean", s.packet_mean},
                         {"packet_p99", s.packet.quantile(0.99)},
                         {"network_mean", s.network_mean},
                         {"zero_load", s.zero_load},
                         {"stable", s.stable}});
        if (!quiet) {
            fmt::print(stderr, "rate {:.4f}: accepted {:.4f}, mean latency {:.2f}{}\n", rate,
                       s.accepted_flit_rate, s.packet_mean, s.stable ? "" : "  not stable");
        }
        return s.stable;
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
    while (high != 0 && high - low > 0.01 * high) {
        const double rate = (low + high) / 2;
        (at(rate) ? low : high) = rate;
    }
    std::sort(curve.begin(), curve.end(), [](const Json& a, const Json& b) { return a["rate"] < b["rate"]; });
    const double zero = curve[0]["zero_load"];
    const auto knee = [&](double factor) {
        double best = 0;
        for (const auto& p : curve) {
            if (p["stable"].get<bool>() && p["packet_mean"].get<double>() <= factor * zero) best = p["rate"];
        }
        return best;
    };
    double throughput = 0;
    for (const auto& p : curve) throughput = std::max(throughput, p["accepted_flit_rate"].get<double>());
    return {{"saturation_rate", low}, {"throughput", throughput}, {"zero_load", zero},
            {"knee_2x", knee(2)},     {"knee_3x", knee(3)},       {"curve", curve}};
}

std::string curve_text(const Json& sweep) {
    std::string out =
        fmt::format("{:>8} {:>10} {:>10} {:>8} {:>10}\n", "rate", "accepted", "latency", "p99", "network");
    double most = 1;
    for (const auto& p : sweep["curve"]) {
        if (p["stable"].get<bool>()) most = std::max(most, p["packet_mean"].get<double>());
    }
    for (const auto& p : sweep["curve"]) {
        const bool stable = p["stable"];
        const double latency = p["packet_mean"];
        out += fmt::format(
            "{:>8.4f} {:>10.4f} {:>10.2f} {:>8} {:>10.2f} {}\n", p["rate"].get<double>(),
            p["accepted_flit_rate"].get<double>(), latency, p["packet_p99"].get<std::uint64_t>(),
            p["network_mean"].get<double>(),
            stable ? std::string(static_cast<std::size_t>(40 * latency / most), '#') : "not stable");
    }
    out += fmt::format(
        "stable up to {:.4f} flits per node and cycle; accepts up to {:.4f}; twice the zero-load latency of "
        "{:.2f} at {:.4f}\n",
        sweep["saturation_rate"].get<double>(), sweep["throughput"].get<double>(),
        sweep["zero_load"].get<double>(), sweep["knee_2x"].get<double>());
    return out;
}

std::string curve_csv(const Json& sweep) {
    std::string out =
        "rate,offered_flit_rate,accepted_flit_rate,packet_mean,packet_p99,network_mean,zero_load,stable\n";
    for (const auto& p : sweep["curve"]) {
        out += fmt::format("{},{},{},{},{},{},{},{}\n", p["rate"].get<double>(),
                           p["offered_flit_rate"].get<double>(), p["accepted_flit_rate"].get<double>(),
                           p["packet_mean"].get<double>(), p["packet_p99"].get<std::uint64_t>(),
                           p["network_mean"].get<double>(), p["zero_load"].get<double>(),
                           p["stable"].get<bool>() ? 1 : 0);
    }
    return out;
}

}  // namespace

int noc(const NocOptions& o) {
    std::vector<stats::FailIf> checks(o.fail_if.begin(), o.fail_if.end());
    LoadedNoc run = load_noc(o.file, o.sets);
    if (o.seed) run.spec.measure.seeds = {*o.seed};
    std::vector<noc::TracePacket> trace;
    const bool from_trace = !run.trace_path.empty();
    if (from_trace) {
        const auto network = noc::make_network(run.spec.chip());
        trace = noc::read_trace(run.trace_path, network->topology().n_endpoints());
        run.spec.measure.seeds.resize(1);
    }
    if (o.sweep_load && from_trace) throw Error(ExitCode::Usage, "--sweep-load: a trace has no rate");
    std::optional<ResultDir> directory;
    if (!o.output.empty()) directory.emplace(o.output);
    Json j;
    std::string text;
    if (o.sweep_load) {
        j = sweep_load(run.spec, o.threads, o.quiet);
        text = curve_text(j);
        if (directory) directory->write("curve.csv", curve_csv(j));
    } else {
        Outcome outcome;
        with_places(run.root, [&] {
            outcome = run_seeds(run.spec, from_trace ? &trace : nullptr, o.threads, o.quiet);
        });
        j = noc_json(outcome.summary, run.spec.chip(), outcome.use);
        text = noc_text(j, outcome.use);
        if (directory) {
            directory->write("links.csv", links_csv(outcome.use, run.spec.chip()));
            directory->write("routers.csv", routers_csv(outcome.use));
            directory->write("latency.csv", histogram_csv(outcome.summary));
            directory->write("heatmap.svg", heat_map_svg(outcome.use));
            directory->write("energy.yaml", noc_energy_yaml(outcome.summary, run.spec.chip()));
        }
    }
    if (directory) {
        NocRunSpec resolved = run.spec;
        if (from_trace)
            resolved.traffic.file = std::filesystem::relative(run.trace_path, directory->path()).string();
        directory->write("config.resolved.yaml", config::emit(config::to_node(resolved)));
        directory->write("stats.json", j.dump(1) + "\n");
        directory->write("summary.txt", text);
        Json manifest{{"program", "spikeloom"},
                      {"version", kVersion},
                      {"sha1", {{"stats", hash_text(j.dump(1) + "\n")}}}};
        directory->write("manifest.json", manifest.dump(1) + "\n");
        directory->commit();
    }
    if (o.json) {
        fmt::print("{}\n", j.dump(1));
    } else {
        fmt::print("{}", text);
        if (directory) fmt::print("full report: {}\n", directory->path());
    }
    int code = 0;
    for (const stats::FailIf& check : checks) {
        if (!check.fails(j)) continue;
        fmt::print(stderr, "spikeloom: check failed: {} (is {})\n", check.text(), check.value(j));
        code = static_cast<int>(ExitCode::CheckFailed);
    }
    return code;
}

}  // namespace loom::app
