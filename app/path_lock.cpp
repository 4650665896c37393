// SPDX-License-Identifier: Apache-2.0
#include "app/path_lock.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <thread>

#include "base/error.hpp"
#include "base/input_file.hpp"
#include "base/json/json.hpp"

namespace loom::app {
namespace fs = std::filesystem;
namespace {

constexpr std::chrono::milliseconds kLockPause{20}, kLockPatience{2000};

std::string host_name() {
    std::array<char, 256> name{};
    gethostname(name.data(), name.size() - 1);
    return name.data();
}

/// Of the running kernel: containers of one machine share it, and it is another after a restart.
std::string boot_id() {
    std::string id = file_text("/proc/sys/kernel/random/boot_id");
    while (!id.empty() && id.back() == '\n') id.pop_back();
    return id;
}

/// Process numbers mean something among processes of one name space only.
std::string pid_namespace() {
    std::error_code ignored;
    return fs::read_symlink("/proc/self/ns/pid", ignored).string();
}

Json this_process() {
    return {{"spikeloom", "lock"},
            {"host", host_name()},
            {"boot", boot_id()},
            {"pid_namespace", pid_namespace()},
            {"pid", static_cast<std::int64_t>(getpid())}};
}

bool is_dead(const Json& owner, bool locked_by_system) {
    const Json here = this_process();
    if (owner["boot"] != here["boot"]) return owner["host"] == here["host"];  // the machine was started anew
    if (locked_by_system) return true;
    return owner["pid_namespace"] == here["pid_namespace"] &&
           kill(static_cast<pid_t>(owner["pid"].get<std::int64_t>()), 0) != 0 && errno == ESRCH;
}

/// Whether that is what this_process() makes.
bool is_lock(const Json& owner) {
    const Json here = this_process();
    for (const Json::Member& m : here.items()) {
        const Json* found = owner.find(m.key);
        if (found == nullptr || found->is_whole() != m.value.is_whole() ||
            found->is_string() != m.value.is_string())
            return false;
    }
    return true;
}

std::string whose(const Json& owner) {
    return fmt::format("process {} on {}", owner["pid"].get<std::int64_t>(), owner["host"].get<std::string>());
}

/// Whether the path is still the file that is open: its last owner may have removed it meanwhile.
bool is_at(int open, const std::string& path) {
    struct stat a {};
    struct stat b {};
    return fstat(open, &a) == 0 && stat(path.c_str(), &b) == 0 && a.st_ino == b.st_ino &&
           a.st_dev == b.st_dev;
}

}  // namespace

PathLock::PathLock(const std::string& place) : place_(place) {
    fs::path p = fs::absolute(place).lexically_normal();
    if (!p.has_filename()) p = p.parent_path();
    file_ = (p.parent_path() / ("." + p.filename().string() + ".lock")).string();
    const auto start = std::chrono::steady_clock::now();
    for (std::string owner; !create();) {
        owner = clear();
        if (owner.empty()) continue;
        if (std::chrono::steady_clock::now() - start > kLockPatience)
            throw IoError(fmt::format("{}: {} is writing there; wait for it, or choose another with -o ({})", place_,
                                      owner, file_));
        std::this_thread::sleep_for(kLockPause);
    }
}

PathLock::~PathLock() {
    if (is_at(open_, file_)) unlink(file_.c_str());
    close(open_);
}

void PathLock::hold(int file) {
    const std::string text = this_process().dump() + "\n";
    if (write(file, text.data(), text.size()) != static_cast<ssize_t>(text.size())) {
        const int reason = errno;
        if (is_at(file, file_)) unlink(file_.c_str());
        close(file);
        throw IoError(fmt::format("{}: cannot be written: {}", file_, std::strerror(reason)));
    }
    open_ = file;
}

bool PathLock::create() {
    const std::string folder = fs::path(file_).parent_path().string();
    // A file without a name first: it appears locked and with its contents.
    if (const int file = open(folder.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0644); file >= 0) {
        flock(file, LOCK_EX | LOCK_NB);
        hold(file);
        const std::string name = fmt::format("/proc/self/fd/{}", file);
        fsync(file);
        if (linkat(AT_FDCWD, name.c_str(), AT_FDCWD, file_.c_str(), AT_SYMLINK_FOLLOW) == 0) return true;
        const bool is_there = errno == EEXIST;
        open_ = -1;
        close(file);
        if (is_there) return false;
    }
    const int file = open(file_.c_str(), O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0644);
    if (file < 0 && errno == EEXIST) return false;
    if (file < 0) throw IoError(fmt::format("{}: cannot be written: {}", place_, std::strerror(errno)));
    flock(file, LOCK_EX | LOCK_NB);
    hold(file);
    return true;
}

std::string PathLock::clear() {
    const int file = open(file_.c_str(), O_RDWR | O_CLOEXEC);
    if (file < 0 && errno == ENOENT) return "";
    if (file < 0) throw IoError(fmt::format("{}: cannot be opened: {}", file_, std::strerror(errno)));
    const bool locked = flock(file, LOCK_EX | LOCK_NB) == 0;
    const bool lives = !locked && errno == EWOULDBLOCK;
    const std::optional<Json> owner = Json::try_parse(file_text(fmt::format("/proc/self/fd/{}", file)));
    const bool known = owner && is_lock(*owner);
    const bool dead = known && !lives && is_at(file, file_) && is_dead(*owner, locked);
    if (dead) unlink(file_.c_str());  // while it is locked: nobody else takes it for that of a dead process
    close(file);
    if (dead) return "";
    if (!known) return "another process (or what is left of one; then remove the file in brackets)";
    if (lives || (*owner)["boot"] == Json(boot_id())) return whose(*owner);
    return whose(*owner) + " (if it is gone, remove the file in brackets)";
}

}  // namespace loom::app
