// SPDX-License-Identifier: Apache-2.0
#include "sim/app/sweep.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>

#include "sim/app/content_hash.hpp"
#include "sim/app/progress.hpp"
#include "sim/app/result_dir.hpp"
#include "sim/app/run_spec.hpp"
#include "sim/base/error.hpp"
#include "sim/config/reader.hpp"
#include "sim/version.hpp"

namespace loom::app {
namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;
namespace {

constexpr std::array kColumns{"accuracy",
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

std::string csv_field(const std::string& text) {
    if (text.find_first_of(",\"\n") == std::string::npos) return text;
    std::string out = "\"";
    for (const char c : text) out += c == '"' ? std::string("\"\"") : std::string(1, c);
    return out + "\"";
}

std::string read_text(const std::string& path) {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

std::string last_line(std::string text) {
    while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.pop_back();
    const auto at = text.rfind('\n');
    return at == std::string::npos ? text : text.substr(at + 1);
}

struct Point {
    std::vector<std::string> values;
    std::vector<std::string> sets;
    std::string directory;
    std::string error;
    bool cached = false;
};

/// A point's name: a hash of everything that its result depends on.
std::string point_name(const LoadedRun& run) {
    return hash_text(std::string(kVersion) + '\n' + resolved_yaml(run, "/") + hash_file(run.network_path) +
                     hash_file(run.input_path))
        .substr(0, 16);
}

pid_t start(const Point& p, const SweepSpec& sweep, const SweepOptions& options) {
    std::vector<std::string> args{options.program, "run", sweep.run, "-o", p.directory};
    for (const std::string& s : p.sets) {
        args.push_back("--set");
        args.push_back(s);
    }
    const std::string log = p.directory + ".log";
    const pid_t pid = fork();
    if (pid < 0) throw IoError("cannot start a process");
    if (pid == 0) {
        const int fd = open(log.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0644);
        if (fd >= 0) {
            dup2(fd, STDOUT_FILENO);
            dup2(fd, STDERR_FILENO);
        }
        std::vector<char*> argv;
        for (std::string& a : args) argv.push_back(a.data());
        argv.push_back(nullptr);
        execv(options.program.c_str(), argv.data());
        _exit(127);
    }
    return pid;
}

Json column(const Json& stats, const std::string& path) {
    std::string pointer = "/" + path;
    std::replace(pointer.begin(), pointer.end(), '.', '/');
    const Json::json_pointer at(pointer);
    return stats.contains(at) ? stats.at(at) : Json();
}

void write_results(const SweepSpec& sweep, const std::vector<Point>& points, const std::string& directory) {
    std::string csv;
    for (const auto& [key, values] : sweep.axes) csv += csv_field(key) + ",";
    csv += "status,error";
    for (const char* c : kColumns) csv += fmt::format(",{}", c);
    csv += ",result\n";
    Json all = Json::array();
    for (const Point& p : points) {
        Json row;
        for (std::size_t i = 0; i < sweep.axes.size(); ++i) {
            row["axes"][sweep.axes[i].first] = p.values[i];
            csv += csv_field(p.values[i]) + ",";
        }
        Json stats;
        if (p.error.empty()) stats = Json::parse(read_text(p.directory + "/stats.json"), nullptr, false);
        row["status"] = p.error.empty() ? "ok" : "failed";
        if (!p.error.empty()) row["error"] = p.error;
        csv += fmt::format("{},{}", p.error.empty() ? "ok" : "failed", csv_field(p.error));
        for (const char* c : kColumns) {
            const Json value = p.error.empty() ? column(stats, c) : Json();
            csv += "," + (value.is_null() ? std::string() : value.dump());
            if (p.error.empty()) row[c] = value;
        }
        csv += "," + fs::path(p.directory).filename().string() + "\n";
        row["result"] = fs::path(p.directory).filename().string();
        all.push_back(std::move(row));
    }
    write_file_atomically(directory + "/results.csv", csv);
    write_file_atomically(directory + "/results.json", all.dump(1) + "\n");
}

}  // namespace

std::vector<std::vector<std::string>> SweepSpec::points() const {
    std::vector<std::vector<std::string>> out;
    if (mode == "zip") {
        for (std::size_t i = 0; i < axes.front().second.size(); ++i) {
            out.emplace_back();
            for (const auto& [key, values] : axes) out.back().push_back(values[i]);
        }
        return out;
    }
    out.emplace_back();
    for (const auto& [key, values] : axes) {
        std::vector<std::vector<std::string>> longer;
        for (const auto& point : out) {
            for (const std::string& v : values) {
                longer.push_back(point);
                longer.back().push_back(v);
            }
        }
        out = std::move(longer);
    }
    return out;
}

std::string SweepSpec::set_value(std::size_t axis, const std::string& value) const {
    const std::string& key = axes[axis].first;
    const bool names_a_file = key == "file" || key.ends_with(".file");
    if (!names_a_file || value.empty()) return value;
    return fs::absolute(fs::path(folder) / value).lexically_normal().string();  // an absolute one stays
}

SweepSpec load_sweep(const std::string& path) {
    const config::Node root = config::load(path);
    const auto fail = [](const config::Location& at, const std::string& what) -> void {
        throw ConfigError(at.text() + ": " + what);
    };
    if (!root.is_map()) fail(root.at, "expected a map with run, mode and axes");
    static constexpr std::array<std::string_view, 3> keys{"run", "mode", "axes"};
    for (const auto& e : root.map) {
        if (std::find(keys.begin(), keys.end(), e.key) != keys.end()) continue;
        const std::string near = config::nearest_spelling(e.key, keys);
        fail(e.at, e.key + ": unknown key" +
                       (near.empty() ? "; known: run, mode, axes" : "; did you mean '" + near + "'?"));
    }
    SweepSpec sweep;
    const config::Node* run = root.find("run");
    if (run == nullptr || !run->is_scalar())
        fail(root.at, "run: required key is missing (path of a run file)");
    sweep.folder = fs::path(path).parent_path().string();
    sweep.run = (fs::path(path).parent_path() / run->scalar).lexically_normal().string();
    if (const auto* mode = root.find("mode")) {
        sweep.mode = mode->scalar;
        if (sweep.mode != "product" && sweep.mode != "zip") fail(mode->at, "mode: expected product or zip");
    }
    const config::Node* axes = root.find("axes");
    if (axes == nullptr || !axes->is_map() || axes->map.empty())
        fail(root.at, "axes: expected a map of key paths to lists");
    for (const auto& e : axes->map) {
        if (!e.value.is_sequence() || e.value.sequence.empty())
            fail(e.at, "axes." + e.key + ": expected a list of values");
        sweep.axes.emplace_back(e.key, std::vector<std::string>{});
        for (const auto& v : e.value.sequence) {
            std::string text = v.is_scalar() ? v.scalar : config::emit(v);
            while (!text.empty() && text.back() == '\n') text.pop_back();
            sweep.axes.back().second.push_back(text);
        }
        if (sweep.mode == "zip" && sweep.axes.back().second.size() != sweep.axes.front().second.size()) {
            fail(e.at,
                 fmt::format("axes.{}: {} values, but axes.{} has {}; mode zip needs lists of one length",
                             e.key, sweep.axes.back().second.size(), sweep.axes.front().first,
                             sweep.axes.front().second.size()));
        }
    }
    return sweep;
}

std::size_t run_sweep(const SweepSpec& sweep, const SweepOptions& options) {
    std::error_code ec;
    fs::create_directories(options.directory, ec);
    if (ec) throw IoError(options.directory + ": cannot be written: " + ec.message());
    std::vector<Point> points;
    for (const auto& values : sweep.points()) {
        Point p;
        p.values = values;
        for (std::size_t i = 0; i < values.size(); ++i)
            p.sets.push_back(sweep.axes[i].first + "=" + sweep.set_value(i, values[i]));
        try {
            p.directory = options.directory + "/" + point_name(load_run(sweep.run, p.sets));
            p.cached = fs::exists(p.directory + "/stats.json");
        } catch (const Error& e) {
            p.error = last_line(e.what());
        }
        points.push_back(std::move(p));
    }
    Progress progress("sweep", points.size(), options.quiet);
    std::map<pid_t, std::size_t> running;
    std::size_t next = 0, done = 0;
    while (next < points.size() || !running.empty()) {
        while (next < points.size() && running.size() < options.jobs) {
            Point& p = points[next];
            const bool twin = std::any_of(running.begin(), running.end(), [&](const auto& r) {
                return points[r.second].directory == p.directory;
            });
            if (p.error.empty() && !p.cached && !twin) {
                running.emplace(start(p, sweep, options), next);
            } else {
                ++done;
            }
            ++next;
        }
        if (running.empty()) break;
        int status = 0;
        const pid_t pid = waitpid(-1, &status, 0);
        const auto it = running.find(pid);
        if (it == running.end()) continue;
        Point& p = points[it->second];
        if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
            p.error = last_line(read_text(p.directory + ".log"));
            if (p.error.empty()) p.error = "the process ended abnormally";
        } else {
            fs::remove(p.directory + ".log", ec);
        }
        running.erase(it);
        progress.update(++done, 0);
    }
    progress.finish();
    for (Point& p : points) {
        if (p.error.empty() && !fs::exists(p.directory + "/stats.json")) p.error = "no result";
    }
    write_results(sweep, points, options.directory);
    return static_cast<std::size_t>(
        std::count_if(points.begin(), points.end(), [](const Point& p) { return !p.error.empty(); }));
}

}  // namespace loom::app
