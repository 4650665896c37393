// SPDX-License-Identifier: Apache-2.0
#include "app/result_dir.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>

#include "base/durable_file.hpp"
#include "base/error.hpp"
#include "base/input_file.hpp"
#include "base/log.hpp"

namespace loom::app {
namespace fs = std::filesystem;
namespace {

/// Differs from run to run: listed without a hash.
constexpr const char* kHostFile = "host.json";
/// Marks a directory of ours that is not yet, or no longer, a result.
constexpr const char* kUnfinished = ".spikeloom-unfinished";

std::string place_of(const std::string& path) {
    std::error_code ec;
    fs::path p = fs::absolute(path).lexically_normal();
    if (!p.has_filename()) p = p.parent_path();
    if (fs::is_symlink(p, ec) && fs::is_directory(p, ec)) p = fs::canonical(p, ec);
    return p.string();
}

[[noreturn]] void fail_at(const std::string& path, const std::string& reason) {
    throw IoError(fmt::format("{}: cannot be written: {}", path, reason));
}

/// The same file under a second name: a file of the user's is at no moment missing. Copied where links cannot be.
void link_or_copy(const fs::path& from, const fs::path& to) {
    using Options = fs::copy_options;
    std::error_code ec;
    fs::copy(from, to, Options::recursive | Options::copy_symlinks | Options::create_hard_links, ec);
    if (!ec) return;
    fs::remove_all(to, ec);
    ec.clear();
    fs::copy(from, to, Options::recursive | Options::copy_symlinks, ec);
    if (ec) fail_at(to.string(), ec.message());
}

/// The marker goes last: what a kill leaves of the directory is known to be ours.
void remove_unfinished(const std::string& directory) {
    std::error_code ignored;
    for (const fs::directory_entry& e : fs::directory_iterator(directory, ignored))
        if (e.path().filename() != kUnfinished) fs::remove_all(e.path(), ignored);
    fs::remove(directory + "/" + kUnfinished, ignored);
    fs::remove(directory, ignored);
}

}  // namespace

void check_result_place(const std::string& path, const std::string& verb) {
    std::error_code ec;
    const fs::path p(path);
    if (!fs::exists(fs::symlink_status(p, ec))) return;
    const std::optional<Json> manifest = read_manifest(path);
    if (!fs::is_directory(p, ec) || (!manifest && !fs::is_empty(p, ec)))
        throw IoError(path + ": exists and is not a result directory; choose another with -o");
    if (manifest && verb_of(*manifest) != verb)
        throw IoError(fmt::format("{}: holds a result of `{}`, which `{}` does not replace; choose another with -o",
                                  path, verb_of(*manifest), verb));
    struct stat own {};
    struct stat around {};
    if (stat(path.c_str(), &own) == 0 && stat(p.parent_path().c_str(), &around) == 0 &&
        own.st_dev != around.st_dev)
        throw IoError(path + ": is a mount point, which cannot be replaced as a whole; choose a folder in it with -o");
}

ResultDir::ResultDir(const std::string& path, std::string verb) : path_(place_of(path)), verb_(std::move(verb)) {
    const fs::path p(path_);
    check_result_place(path_, verb_);
    std::error_code ec;
    fs::create_directories(p.parent_path(), ec);
    if (ec) fail_at(path_, ec.message());
    lock_.emplace(path_);
    temporary_ = temporary_name(path_) + ".new";
    tidy_up();
    check_result_place(path_, verb_);
    earlier_ = read_manifest(path_);
    fs::create_directory(temporary_, ec);
    if (ec) fail_at(path_, ec.message());
    write(kUnfinished, "");
}

ResultDir::~ResultDir() {
    if (!keep_) remove_unfinished(temporary_);
}

/// What a process left that was killed. A finished result is never thrown away, whatever it was to become.
void ResultDir::tidy_up() const {
    for (const std::string& left : {temporary_, set_aside()}) {
        std::error_code ec;
        if (!fs::exists(fs::symlink_status(left, ec))) continue;
        const bool finished = read_manifest(left).has_value();
        if (!finished && !fs::is_empty(left, ec) && !fs::exists(left + "/" + kUnfinished, ec))
            throw IoError(left + ": is in the way, and was not written by spikeloom; move it away");
        if (!finished) {
            remove_unfinished(left);
        } else {
            const std::string to = fs::exists(path_, ec) ? free_name(path_ + ".kept") : path_;
            fs::rename(left, to, ec);
            log::note(fmt::format("{}: a finished result that was not put in place is now in {}", path_, to));
        }
        if (ec) fail_at(left, ec.message());
    }
}

std::string ResultDir::place(const std::string& file) {
    const fs::path p = fs::absolute(file).lexically_normal();
    if (place_of(p.parent_path().string()) != path_) return file;
    of_user_.insert(p.filename().string());
    return this->file(p.filename().string());
}

void ResultDir::write(const std::string& name, const std::string& text) const {
    write_text(file(name), text, path_ + "/" + name);
}

void ResultDir::write_manifest(const Json& facts) const {
    Json manifest = new_manifest(verb_);
    for (const Json::Member& m : facts.items()) manifest[m.key] = m.value;
    if (const std::vector<std::string> warnings = log::warnings(); !warnings.empty())
        manifest["warnings"] = warnings;
    std::set<std::string> names;
    for (const fs::directory_entry& e : fs::directory_iterator(temporary_))
        if (const std::string name = e.path().filename().string(); !of_user_.contains(name) && name != kUnfinished)
            names.insert(name);
    manifest["files"] = Json::object();
    for (const std::string& name : names) {
        sync_path(file(name));
        manifest["files"][name] = name == kHostFile ? Json() : Json(file_hash(file(name)));
    }
    if (const Json* hash = manifest["files"].find("stats.json")) manifest["sha1"]["stats"] = *hash;
    write(kManifest, manifest.dump(1) + "\n");
    sync_path(file(kManifest));
    fs::remove(file(kUnfinished));
}

/// Links everything that is not the earlier result's into the new one. The names in the old directory.
std::set<std::string> ResultDir::carry_over() const {
    std::set<std::string> carried;
    std::error_code ec;
    if (!earlier_ || !fs::exists(path_, ec)) return carried;
    for (const fs::directory_entry& e : fs::directory_iterator(path_)) {
        const std::string name = e.path().filename().string();
        if (is_as_written(*earlier_, path_, name)) continue;
        carried.insert(name);
        if (!fs::exists(fs::symlink_status(file(name), ec))) {
            link_or_copy(e.path(), file(name));
        } else if (!of_user_.contains(name)) {
            const std::string kept = free_name(file(name + ".kept"));
            link_or_copy(e.path(), kept);
            log::note(fmt::format("{}/{}: is not as it was written; it is kept as {}", path_, name,
                                  fs::path(kept).filename().string()));
        }
    }
    return carried;
}

void ResultDir::put_in_place(const std::set<std::string>& carried) const {
    const std::string folder = fs::path(path_).parent_path().string();
    sync_path(temporary_);
    std::error_code ec;
    const bool exchanged =
        fs::exists(path_, ec) &&
        renameat2(AT_FDCWD, temporary_.c_str(), AT_FDCWD, path_.c_str(), RENAME_EXCHANGE) == 0;
    const std::string old = exchanged ? temporary_ : set_aside();
    if (!exchanged) {  // nothing is there, or the file system cannot exchange
        if (fs::exists(path_, ec) && std::rename(path_.c_str(), old.c_str()) != 0)
            fail_at(path_, std::strerror(errno));
        if (std::rename(temporary_.c_str(), path_.c_str()) != 0) {
            const int reason = errno;
            if (fs::exists(old, ec)) std::rename(old.c_str(), path_.c_str());
            fail_at(path_, std::strerror(reason));
        }
    }
    sync_path(folder);
    if (!fs::exists(old, ec)) return;
    if (!keep_earlier_ || !earlier_) return remove_earlier(old, carried);
    const std::string kept = free_name(path_ + ".kept");
    fs::rename(old, kept);
    log::note(fmt::format("{}: what was there is kept in {}", path_, kept));
}

/// The marker first, so that nobody takes what is left of it for a result.
void ResultDir::remove_earlier(const std::string& old, const std::set<std::string>& carried) const {
    std::error_code ec;
    write_text(old + "/" + kUnfinished, "", old);
    fs::remove(fs::path(old) / kManifest, ec);
    for (const fs::directory_entry& e : fs::directory_iterator(old, ec)) {
        const std::string name = e.path().filename().string();
        const std::string late = path_ + "/" + name;  // came after carry_over()
        if (name == kUnfinished) continue;
        const bool is_ours = carried.contains(name) || (earlier_ && is_as_written(*earlier_, old, name));
        if (is_ours)
            fs::remove_all(e.path(), ec);
        else
            fs::rename(e.path(), free_name(late), ec);
    }
    fs::remove(fs::path(old) / kUnfinished, ec);
    fs::remove(old, ec);
}

void ResultDir::commit(const Json& facts) {
    write_manifest(facts);
    keep_ = true;
    try {
        check_result_place(path_, verb_);
        put_in_place(carry_over());
    } catch (const std::exception& e) {
        throw IoError(fmt::format("{}; the finished result is in {}", e.what(), temporary_));
    }
}

}  // namespace loom::app
