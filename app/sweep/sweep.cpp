// SPDX-License-Identifier: Apache-2.0
#include "app/sweep/sweep.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <map>

#include "app/manifest.hpp"
#include "app/path_lock.hpp"
#include "app/progress.hpp"
#include "app/run/run_spec.hpp"
#include "app/sweep/sweep_table.hpp"
#include "app/train/train_spec.hpp"
#include "base/error.hpp"
#include "base/input_file.hpp"
#include "base/log.hpp"
#include "base/sha1.hpp"

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
    return last_line(file_text(path));
}

/// Of everything that a point's result depends on beside the program.
std::string configuration_of_point(const SweepSpec& sweep, const std::vector<std::string>& sets) {
    if (sweep.command == "train") {
        const LoadedTrain train = load_train(sweep.base, sets);
        return configuration_hash(train, executes_cycles(train.spec, ""));
    }
    return configuration_hash(load_run(sweep.base, sets));
}

/// A result is believed when this program made it from this configuration and these input files, and it is as it was
/// written.
bool is_finished(const SweepPoint& p, const std::string& verb) {
    const std::optional<Json> m = read_manifest(p.directory);
    return m && verb_of(*m) == verb && is_of_this_program(*m) && configuration_of(*m) == p.configuration &&
           is_whole(*m, p.directory);
}

/// Why a process that ended well left nothing to believe.
std::string why_not_finished(const SweepPoint& p) {
    const std::optional<Json> m = read_manifest(p.directory);
    if (m && configuration_of(*m) != p.configuration)
        return "an input file changed while the sweep ran; run it again";
    return m ? "the result is not as it was written" : "no result";
}

std::vector<SweepPoint> points_of(const SweepSpec& sweep, const std::string& directory) {
    const Json program = new_manifest(sweep.command);
    std::vector<SweepPoint> points;
    for (const auto& values : sweep.points()) {
        SweepPoint p;
        p.values = values;
        for (std::size_t i = 0; i < values.size(); ++i)
            p.sets.push_back(sweep.axes[i].first + "=" + sweep.set_value(i, values[i]));
        try {
            p.configuration = configuration_of_point(sweep, p.sets);
            p.directory = directory + "/" + sha1_hex(program.dump() + p.configuration).substr(0, 16);
            p.cached = is_finished(p, sweep.command);
        } catch (const Error& e) {
            p.error = last_line(e.what());
        }
        points.push_back(std::move(p));
    }
    return points;
}

/// A directory whose manifest is damaged is nobody's: a point that is run again does not replace it.
void set_aside_damaged(const SweepPoint& p) {
    std::error_code ec;
    if (fs::is_directory(p.directory, ec) && !read_manifest(p.directory) && !fs::is_empty(p.directory, ec))
        fs::rename(p.directory, free_name(p.directory + ".damaged"), ec);
}

pid_t start(const SweepPoint& p, const SweepSpec& sweep, const SweepOptions& options) {
    std::vector<std::string> args{options.program, sweep.command, sweep.base, "-o", p.directory};
    if (sweep.command == "train") args.push_back("--resume");  // what an interrupted sweep has begun
    for (const std::string& s : p.sets) {
        args.push_back("--set");
        args.push_back(s);
    }
    set_aside_damaged(p);
    const std::string log = p.directory + ".log";
    const pid_t parent = getpid(), pid = fork();
    if (pid < 0) throw IoError("cannot start a process");
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() != parent) _exit(127);
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
    const PathLock lock(options.directory);
    claim_table(options.directory);
    std::vector<SweepPoint> points = points_of(sweep, options.directory);
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
            if (p.error.empty() && WIFEXITED(status))
                p.error = fmt::format("ended with code {}, and {}.log is empty", WEXITSTATUS(status), p.directory);
            if (p.error.empty()) p.error = "the process ended abnormally";
        } else {
            fs::remove(p.directory + ".log", ec);
        }
        running.erase(it);
        progress.update(++done, 0);
    }
    progress.finish();
    for (SweepPoint& p : points) {
        if (p.error.empty() && !is_finished(p, sweep.command)) p.error = why_not_finished(p);
    }
    write_table(sweep, points, options.directory);
    return static_cast<std::size_t>(
        std::count_if(points.begin(), points.end(), [](const SweepPoint& p) { return !p.error.empty(); }));
}

}  // namespace loom::app
