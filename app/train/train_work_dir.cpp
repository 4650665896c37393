// SPDX-License-Identifier: Apache-2.0
#include "app/train/train_work_dir.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>

#include "app/result_dir.hpp"
#include "base/error.hpp"
#include "base/log.hpp"

namespace loom::app {
namespace fs = std::filesystem;
namespace {

/// Whether the path is still the directory that is open: its last owner may have removed it meanwhile.
bool is_at(int open, const std::string& path) {
    struct stat a {};
    struct stat b {};
    return fstat(open, &a) == 0 && stat(path.c_str(), &b) == 0 && a.st_ino == b.st_ino &&
           a.st_dev == b.st_dev;
}

}  // namespace

TrainWorkDir::TrainWorkDir(const std::string& output, bool resume) {
    const ResultDir probe(output);  // complains early
    path_ = probe.path() + ".training";
    lock();
    std::error_code ec;
    if (resume || fs::is_empty(path_, ec)) return;
    fs::remove_all(path_ + ".old", ec);
    fs::rename(path_, path_ + ".old", ec);
    if (ec) throw IoError(path_ + ": cannot be written: " + ec.message());
    log::note(
        fmt::format("an unfinished training was moved to {}.old; --resume would have continued it", path_));
    unlock();
    lock();
}

TrainWorkDir::~TrainWorkDir() {
    unlock();
}

void TrainWorkDir::lock() {
    for (;;) {
        std::error_code ec;
        fs::create_directories(path_, ec);
        lock_ = ec ? -1 : open(path_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (lock_ < 0 && !ec && errno == ENOENT) continue;  // just removed by its last owner
        if (lock_ < 0)
            throw IoError(path_ + ": cannot be written: " + (ec ? ec.message() : std::strerror(errno)));
        if (flock(lock_, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
            unlock();
            throw IoError(path_ + ": another process trains there; wait for it, or choose another with -o");
        }  // file systems without locks: none
        if (is_at(lock_, path_)) return;
        unlock();
    }
}

void TrainWorkDir::unlock() {
    if (lock_ >= 0) close(lock_);
    lock_ = -1;
}

bool TrainWorkDir::has_checkpoint() const {
    std::error_code ignored;
    return fs::exists(checkpoint(), ignored);
}

void TrainWorkDir::take_over(const std::string& output) const {
    std::error_code ec;
    for (const fs::directory_entry& e : fs::directory_iterator(path_, ec)) fs::remove_all(e.path(), ec);
    ec.clear();
    if (fs::exists(output + "/dump.h5", ec)) fs::copy_file(output + "/dump.h5", dump_before(), ec);
    if (ec) throw IoError(dump_before() + ": cannot be written: " + ec.message());
}

void TrainWorkDir::discard() const {
    std::error_code ignored;
    fs::remove(checkpoint(), ignored);  // first: the rest is worth nothing without it
    fs::remove_all(path_, ignored);
}

}  // namespace loom::app
