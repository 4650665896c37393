// SPDX-License-Identifier: Apache-2.0
#include "app/sweep/sweep_table.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include "base/json/json.hpp"
#include <span>

#include "app/manifest.hpp"
#include "base/durable_file.hpp"
#include "base/error.hpp"
#include "base/input_file.hpp"
#include "base/log.hpp"
#include "base/sha1.hpp"

namespace loom::app {
namespace fs = std::filesystem;

namespace {

constexpr const char* kRunColumns[] = {"accuracy",
                                       "samples",
                                       "cycles.total",
                                       "cycles.per_sample_mean",
                                       "time.simulated_s",
                                       "energy.total_pj",
                                       "energy.compute_pj",
                                       "energy.memory_pj",
                                       "energy.noc_pj",
                                       "energy.control_pj",
                                       "energy.leakage_pj",
                                       "ops.ac",
                                       "ops.mac",
                                       "ops.ann_mac",
                                       "estimate.paper_pj",
                                       "estimate.ratio",
                                       "noc.packets",
                                       "noc.flit_hops",
                                       "cores_used",
                                       "area.total_mm2",
                                       "undecided",
                                       "lost.weights.zeroed",
                                       "lost.weights.largest_error",
                                       "lost.weights.mean_error",
                                       "lost.parameters.zeroed",
                                       "lost.parameters.clipped",
                                       "lost.saturations.total",
                                       "lost.input_rounded",
                                       "lost.packets_dropped",
                                       "devices.accuracy_low",
                                       "devices.accuracy_high",
                                       "devices.cycles_per_sample_mean",
                                       "devices.cycles_per_sample_low",
                                       "devices.cycles_per_sample_high",
                                       "devices.time_per_sample_s_mean",
                                       "devices.time_per_sample_s_low",
                                       "devices.time_per_sample_s_high",
                                       "devices.energy_per_sample_pj_mean",
                                       "devices.energy_per_sample_pj_low",
                                       "devices.energy_per_sample_pj_high"};
constexpr const char* kTrainColumns[] = {"accuracy",
                                         "loss",
                                         "steps",
                                         "timesteps",
                                         "batch",
                                         "cycles",
                                         "time_s",
                                         "energy.total_pj",
                                         "energy.per_sample_pj",
                                         "energy.levels.compute_pj",
                                         "energy.levels.pad_pj",
                                         "energy.levels.buffer_pj",
                                         "energy.levels.dram_pj",
                                         "energy.levels.network_pj",
                                         "energy.leakage_pj",
                                         "phases.forward.cycles",
                                         "phases.forward.energy_pj",
                                         "phases.backward.cycles",
                                         "phases.backward.energy_pj",
                                         "phases.weight_gradient.cycles",
                                         "phases.weight_gradient.energy_pj",
                                         "phases.weight_update.cycles",
                                         "phases.weight_update.energy_pj",
                                         "epoch.cycles",
                                         "epoch.time_s",
                                         "epoch.energy_pj",
                                         "ann.cycles_ratio",
                                         "ann.energy_ratio",
                                         "area.total_mm2",
                                         "estimate.total_mac"};

std::span<const char* const> columns_of(const std::string& command) {
    if (command == "train") return kTrainColumns;
    return kRunColumns;
}

std::string csv_field(const std::string& text) {
    if (text.find_first_of(",\"\n") == std::string::npos) return text;
    std::string out = "\"";
    for (const char c : text) out += c == '"' ? std::string("\"\"") : std::string(1, c);
    return out + "\"";
}

/// What stands at a path such as "energy.total_pj"; null where nothing does.
Json column(const Json& stats, std::string_view path) {
    const Json* at = &stats;
    while (at != nullptr) {
        const std::size_t dot = path.find('.');
        at = at->find(path.substr(0, dot));
        if (dot == std::string_view::npos) break;
        path.remove_prefix(dot + 1);
    }
    return at != nullptr ? *at : Json();
}

/// Warnings of a point's process, in one field.
std::string warnings_of(const std::string& directory) {
    const std::optional<Json> manifest = read_manifest(directory);
    const Json* warnings = manifest ? manifest->find("warnings") : nullptr;
    std::string text;
    for (const Json& w : warnings != nullptr ? warnings->elements() : Json::Array{})
        text += (text.empty() ? "" : "; ") + w.get<std::string>();
    return text;
}

constexpr std::array<const char*, 2> kTables{"results.csv", "results.json"};

/// hashes: of the tables; null while a sweep runs.
void write_sweep_manifest(const std::string& directory, const std::array<Json, 2>& hashes) {
    Json manifest = new_manifest("sweep");
    for (std::size_t i = 0; i < kTables.size(); ++i) manifest["files"][kTables[i]] = hashes[i];
    write_file_atomically(directory + "/" + kManifest, manifest.dump(1) + "\n");
}

}  // namespace

void claim_table(const std::string& directory) {
    const std::optional<Json> manifest = read_manifest(directory);
    std::error_code ec;
    if ((manifest && verb_of(*manifest) != "sweep") || (!manifest && fs::exists(directory + "/" + kManifest, ec)))
        throw IoError(directory + ": holds a result that is not of `sweep`; choose another with -o");
    for (const char* table : kTables) {
        const std::string path = directory + "/" + table;
        if (!fs::exists(path, ec) || (manifest && is_as_written(*manifest, directory, table))) continue;
        if (!manifest) throw IoError(path + ": exists and is not of a sweep; choose another directory with -o");
        const std::string kept = free_name(path + ".kept");
        fs::rename(path, kept, ec);
        if (ec) throw IoError(path + ": cannot be written: " + ec.message());
        log::note(fmt::format("{}: is not as it was written; it is kept as {}", path, kept));
    }
    write_sweep_manifest(directory, {});
}

void write_table(const SweepSpec& sweep, const std::vector<SweepPoint>& points,
                 const std::string& directory) {
    const auto columns = columns_of(sweep.command);
    std::string csv;
    for (const auto& [key, values] : sweep.axes) csv += csv_field(key) + ",";
    csv += "status,error";
    for (const char* c : columns) csv += fmt::format(",{}", c);
    csv += ",warnings,result\n";
    Json all = Json::array();
    std::size_t warned = 0;
    for (const SweepPoint& p : points) {
        Json row;
        for (std::size_t i = 0; i < sweep.axes.size(); ++i) {
            row["axes"][sweep.axes[i].first] = p.values[i];
            csv += csv_field(p.values[i]) + ",";
        }
        Json stats;
        std::string warnings;
        if (p.error.empty()) {
            stats = Json::try_parse(file_text(p.directory + "/stats.json")).value_or(Json());
            warnings = warnings_of(p.directory);
            warned += !warnings.empty();
        }
        row["status"] = p.error.empty() ? "ok" : "failed";
        if (!p.error.empty()) row["error"] = p.error;
        csv += fmt::format("{},{}", p.error.empty() ? "ok" : "failed", csv_field(p.error));
        for (const char* c : columns) {
            const Json value = p.error.empty() ? column(stats, c) : Json();
            csv += "," + (value.is_null() ? std::string() : value.dump());
            if (p.error.empty()) row[c] = value;
        }
        csv += "," + csv_field(warnings) + "," + fs::path(p.directory).filename().string() + "\n";
        if (!warnings.empty()) row["warnings"] = warnings;
        row["result"] = fs::path(p.directory).filename().string();
        all.push_back(std::move(row));
    }
    const std::string json = all.dump(1) + "\n";
    write_file_atomically(directory + "/" + kTables[0], csv);
    write_file_atomically(directory + "/" + kTables[1], json);
    write_sweep_manifest(directory, {Json(sha1_hex(csv)), Json(sha1_hex(json))});
    if (warned != 0)
        log::warning(fmt::format("{} of {} points have warnings ({}/{})", warned, points.size(), directory, kTables[0]));
}

}  // namespace loom::app
