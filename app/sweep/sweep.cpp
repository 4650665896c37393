// SPDX-License-Identifier: Apache-2.0
#include "app/sweep/sweep.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <map>

#include "app/content_hash.hpp"
#include "app/progress.hpp"
#include "app/run/run_spec.hpp"
#include "app/sweep/sweep_table.hpp"
#include "app/train/train_spec.hpp"
#include "base/error.hpp"
#include "base/config/writer.hpp"
#include "base/version.hpp"
#include "traces/file_bytes.hpp"

namespace loom::app {
namespace fs = std::filesystem;
namespace {

std::string last_line(std::string text) {
    while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.pop_back();
    const auto at = text.rfind('\n');
    return at == std::string::npos ? text : text.substr(at + 1);
}

std::string last_line_of_file(const std::string& path) {
    std::error_code ec;
    if (!fs::exists(path, ec)) return "";
    const std::vector<std::uint8_t> bytes = traces::file_bytes(path);
    return last_line({bytes.begin(), bytes.end()});
}

/// A point's name: a hash of everything that its result depends on.
std::string point_name(const SweepSpec& sweep, const std::vector<std::string>& sets) {
    if (sweep.command == "train") {
        const LoadedTrain train = load_train(sweep.base, sets);
        return hash_text(std::string(kVersion) + '\n' + config::emit(train_node(train, hash_file)))
            .substr(0, 16);
    }
    const LoadedRun run = load_run(sweep.base, sets);
    return hash_text(std::string(kVersion) + '\n' + resolved_yaml(run, "/") + hash_file(run.network_path) +
                     hash_file(run.input_path))
        .substr(0, 16);
}

pid_t start(const SweepPoint& p, const SweepSpec& sweep, const SweepOptions& options) {
    std::vector<std::string> args{options.program, sweep.command, sweep.base, "-o", p.directory};
    if (sweep.command == "train") args.push_back("--resume");  // what an interrupted sweep has begun
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

}  // namespace

std::size_t run_sweep(const SweepSpec& sweep, const SweepOptions& options) {
    std::error_code ec;
    fs::create_directories(options.directory, ec);
    if (ec) throw IoError(options.directory + ": cannot be written: " + ec.message());
    std::vector<SweepPoint> points;
    for (const auto& values : sweep.points()) {
        SweepPoint p;
        p.values = values;
        for (std::size_t i = 0; i < values.size(); ++i)
            p.sets.push_back(sweep.axes[i].first + "=" + sweep.set_value(i, values[i]));
        try {
            p.directory = options.directory + "/" + point_name(sweep, p.sets);
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
            SweepPoint& p = points[next];
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
        SweepPoint& p = points[it->second];
        if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
            p.error = last_line_of_file(p.directory + ".log");
            if (p.error.empty()) p.error = "the process ended abnormally";
        } else {
            fs::remove(p.directory + ".log", ec);
        }
        running.erase(it);
        progress.update(++done, 0);
    }
    progress.finish();
    for (SweepPoint& p : points) {
        if (p.error.empty() && !fs::exists(p.directory + "/stats.json")) p.error = "no result";
    }
    write_table(sweep, points, options.directory);
    return static_cast<std::size_t>(
        std::count_if(points.begin(), points.end(), [](const SweepPoint& p) { return !p.error.empty(); }));
}

}  // namespace loom::app
