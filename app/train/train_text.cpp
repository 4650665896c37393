// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>

#include "app/train/train_report.hpp"
#include "base/json/figures.hpp"
#include "sim/report/report.hpp"

namespace loom::app {
namespace {

std::string energy_or_none(const Json& pj) {
    return pj.is_null() ? "none" : stats::human_energy(pj.get<double>());
}


std::string head(const Json& s) {
    const std::string chip = s["chip"].is_null() ? "" : " on " + s["chip"].get<std::string>();
    return fmt::format("{} steps of {} samples, {} timesteps, {} ({}){}\n", s["steps"].get<std::uint64_t>(),
                       s["batch"].get<std::uint64_t>(), s["timesteps"].get<std::uint64_t>(),
                       s["algorithm"].get<std::string>(), s["fidelity"].get<std::string>(), chip);
}

/// The first, the last and some epochs between.
std::string epochs(const Json& s) {
    std::string out = "  epoch   steps        loss  accuracy   test loss  test accuracy\n";
    const Json& list = s["epochs"];
    const std::size_t every = std::max<std::size_t>(1, (list.size() + 9) / 10);
    for (std::size_t i = 0; i < list.size(); ++i) {
        const Json& e = list[i];
        if (i % every != 0 && i + 1 != list.size()) continue;
        out += fmt::format("  {:>5}  {:>6}  {:>10.6f}  {:>8}", e["epoch"].get<std::uint64_t>(),
                           e["steps"].get<std::uint64_t>(), e["loss"].get<double>(),
                           percent_text(e["accuracy"], "{:.2f}%"));
        if (e.contains("test_accuracy"))
            out += fmt::format("  {:>10.6f}  {:>9} ({}/{})", e["test_loss"].get<double>(),
                               percent_text(e["test_accuracy"], "{:.2f}%"), e["test_correct"].get<std::uint64_t>(),
                               e["test_samples"].get<std::uint64_t>());
        out += "\n";
    }
    return out;
}

std::string density(const Json& row, const char* key) {
    return row.contains(key) ? figure_text(row[key], "{:.4f}") : std::string("-");
}

std::string sparsity(const Json& s) {
    std::string out = fmt::format(
        "  shares that are not zero ({} step{})\n  {:<16} {:>8} {:>8} {:>8} {:>10}\n",
        s["sparsity"]["steps"].get<std::uint64_t>(), s["sparsity"]["steps"].get<std::uint64_t>() == 1 ? ", the last" : "s",
        "layer", "input", "spikes", "error", "derivative");
    for (const Json& row : s["sparsity"]["layers"])
        out += fmt::format("  {:<16} {:>8} {:>8} {:>8} {:>10}\n", row["name"].get<std::string>(),
                           density(row, "input_density"), density(row, "spike_rate"),
                           density(row, "error_density"), density(row, "derivative_density"));
    return out;
}

std::string formats(const Json& s) {
    std::string list;
    for (const auto& [role, n] : s["formats"]["saturated"].items())
        list += fmt::format("{}{} {} of {}", list.empty() ? "" : ", ", role, n.get<std::uint64_t>(),
                            s["formats"]["rounded"][role].get<std::uint64_t>());
    double worst = 0;
    bool defined = true;
    for (const Json& e : s["formats"]["gradient_error"]) {
        defined = defined && !e["relative"].is_null();
        if (defined) worst = std::max(worst, e["relative"].get<double>());
    }
    return fmt::format(
        "  values beyond the range of their format: {}\n  gradients of the last minibatch differ from "
        "float32's by up to {} (relative)\n",
        list, figure_text(defined ? Json(worst) : Json(), "{:.2g}"));
}

/// How the batch was cut, and what else was considered.
std::string blocks(const Json& s) {
    const std::uint64_t block = s["batch_block"].get<std::uint64_t>();
    if (block == 0) return "";  // engines that take one sample after the other
    std::string out =
        fmt::format("  {} of {} samples at a time: {}\n", block, s["batch"].get<std::uint64_t>(),
                    s["batch_block_reason"].get<std::string>());
    for (const Json& b : s["batch_blocks"])
        out += fmt::format("  {}{:>4} at a time: {:>12} cycles beside arithmetic, {:>12} DRAM bytes\n",
                           b["block"].get<std::uint64_t>() == block ? "* " : "  ", b["block"].get<std::uint64_t>(),
                           b["overhead_cycles"].get<std::uint64_t>(), b["dram_bytes"].get<std::uint64_t>());
    return out;
}

void phase_line(std::string& out, const std::string& name, const Json& p, double all) {
    const Json& e = p["energy"];
    const auto energy = [&](const char* key) { return stats::human_energy(e.at(key).get<double>()); };
    out += fmt::format("  {:<16} {:>12} {:>7} {:>11} {:>11} {:>11} {:>11} {:>11} {:>7}\n", name,
                       p["cycles"].get<std::uint64_t>(), percent_text(p["utilisation"], "{:.1f}%"),
                       energy("compute_pj"), energy("pad_pj"), energy("buffer_pj"), energy("dram_pj"),
                       stats::human_energy(p["energy_pj"].get<double>()),
                       percent_text(quotient(p["energy_pj"].get<double>(), all), "{:.1f}%"));
}

std::string phases(const Json& s) {
    const double all = s["energy"]["dynamic_pj"].get<double>();
    std::string out =
        fmt::format("  {:<16} {:>12} {:>7} {:>11} {:>11} {:>11} {:>11} {:>11} {:>7}\n", "phase", "cycles",
                    "in use", "compute", "registers", "buffers", "DRAM", "energy", "share");
    for (const auto& [name, p] : s["phases"].items()) phase_line(out, name, p, all);
    return out;
}

/// Arrays and buffers of a training engine; of a many-core chip the total alone.
std::string area(const Json& a) {
    if (a["total_mm2"].is_null()) return "  area: none, the price list has no area figures\n";
    std::string parts;
    for (const char* group : {"arrays", "buffers"}) {
        if (!a.contains(group)) continue;
        double mm2 = 0;
        for (const auto& [name, p] : a[group].items()) mm2 += p["total_mm2"].get<double>();
        parts += fmt::format("{} {} {:.3g}", parts.empty() ? ":" : ",", group, mm2);
    }
    const std::string node = a["technology_nm"].is_null()
                                 ? std::string()
                                 : fmt::format(" in {:g} nm", a["technology_nm"].get<double>());
    return fmt::format("  area {:.3g} mm2{} of the parts with a figure{} (stats.json: area.not_included)\n",
                       a["total_mm2"].get<double>(), node, parts);
}

std::string engine(const Json& s) {
    const Json& e = s["epoch"];
    std::string out = phases(s);
    out += fmt::format("  {} cycles, {}; energy {} ({} leakage): {} per step, {} per sample\n",
                       s["cycles"].get<std::uint64_t>(), stats::human_time(s["time_s"].get<double>()),
                       stats::human_energy(s["energy"]["total_pj"].get<double>()),
                       stats::human_energy(s["energy"]["leakage_pj"].get<double>()),
                       energy_or_none(s["energy"]["per_step_pj"]), energy_or_none(s["energy"]["per_sample_pj"]));
    out += fmt::format("  an epoch of {} steps{}: {:.0f} cycles, {}, {}\n", e["steps"].get<std::uint64_t>(),
                       e["extrapolated"].get<bool>()
                           ? fmt::format(", extrapolated from {}", e["simulated_steps"].get<std::uint64_t>())
                           : std::string(),
                       e["cycles"].get<double>(), stats::human_time(e["time_s"].get<double>()),
                       stats::human_energy(e["energy_pj"].get<double>()));
    if (s.contains("ann") && s["ann"].contains("does_not_fit"))
        out += fmt::format("  an ANN of this shape {}\n", s["ann"]["does_not_fit"].get<std::string>());
    else if (s.contains("ann"))
        out += fmt::format(
            "  a step of an ANN of this shape: {} cycles, {}; this takes {} x the cycles, {} x the "
            "energy\n",
            s["ann"]["cycles"].get<std::uint64_t>(), stats::human_energy(s["ann"]["energy_pj"].get<double>()),
            figure_text(s["ann"]["cycles_ratio"], "{:.2f}"), figure_text(s["ann"]["energy_ratio"], "{:.2f}"));
    return out + area(s["area"]);
}

}  // namespace

std::string train_summary(const Json& s) {
    std::string out = head(s) + epochs(s) + sparsity(s);
    if (s.contains("formats")) out += formats(s);
    if (s.contains("phases")) out += engine(s) + blocks(s);
    return out;
}

}  // namespace loom::app
