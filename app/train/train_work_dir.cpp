// SPDX-License-Identifier: Apache-2.0
#include "app/train/train_work_dir.hpp"

#include <fmt/format.h>

#include <filesystem>

#include "app/manifest.hpp"
#include "base/error.hpp"
#include "base/log.hpp"

namespace loom::app {
namespace fs = std::filesystem;
namespace {

/// What a training writes, also under the names of files that are not finished: checkpoint.h5, step12.h5, before.h5.
bool is_of_training(std::string name) {
    if (name.starts_with('.') && name.ends_with(".tmp")) name = name.substr(1, name.size() - 5);
    if (name == "checkpoint.h5" || name == "before.h5") return true;
    if (!name.starts_with("step") || !name.ends_with(".h5") || name.size() == 7) return false;
    return name.substr(4, name.size() - 7).find_first_not_of("0123456789") == std::string::npos;
}

}  // namespace

TrainWorkDir::TrainWorkDir(const std::string& output, bool resume) : path_(output + ".training") {
    make();
    std::error_code ec;
    if (resume || fs::is_empty(path_, ec)) return;
    const std::string aside = free_name(path_ + ".old");
    fs::rename(path_, aside, ec);
    if (ec) throw IoError(path_ + ": cannot be written: " + ec.message());
    log::note(
        fmt::format("an unfinished training was moved to {}; --resume would have continued it", aside));
    make();
}

void TrainWorkDir::make() const {
    std::error_code ec;
    fs::create_directories(path_, ec);
    if (ec) throw IoError(path_ + ": cannot be written: " + ec.message());
}

bool TrainWorkDir::has_checkpoint() const {
    std::error_code ignored;
    return fs::exists(checkpoint(), ignored);
}

void TrainWorkDir::take_over(const std::string& output) const {
    discard();
    make();
    std::error_code ec;
    if (fs::exists(output + "/dump.h5", ec)) fs::copy_file(output + "/dump.h5", dump_before(), ec);
    if (ec) throw IoError(dump_before() + ": cannot be written: " + ec.message());
}

void TrainWorkDir::discard() const {
    std::error_code ignored;
    fs::remove(checkpoint(), ignored);  // first: the rest is worth nothing without it
    for (const fs::directory_entry& e : fs::directory_iterator(path_, ignored))
        if (is_of_training(e.path().filename().string())) fs::remove(e.path(), ignored);
    fs::remove(path_, ignored);  // unless someone else put something there
}

}  // namespace loom::app
