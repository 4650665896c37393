// SPDX-License-Identifier: Apache-2.0
#include "app/result_dir.hpp"

#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "base/error.hpp"

namespace loom::app {
namespace fs = std::filesystem;
namespace {

void write_text(const std::string& path, const std::string& text) {
    std::ofstream out(path, std::ios::binary);
    out << text;
    out.flush();
    if (!out) throw IoError(path + ": cannot be written: " + std::strerror(errno));
}

/// What killed processes left beside `path`: their temporary directories go; results that one had put aside
/// (.old) come back when nothing took their place.
void tidy_up(const fs::path& path) {
    const std::string prefix = "." + path.filename().string() + ".tmp.";
    std::error_code ec;
    for (const fs::directory_entry& e : fs::directory_iterator(path.parent_path(), ec)) {
        const std::string name = e.path().filename().string();
        if (!name.starts_with(prefix)) continue;
        std::string_view rest = std::string_view(name).substr(prefix.size());
        const bool old = rest.ends_with(".old");
        if (old) rest.remove_suffix(4);
        pid_t owner = 0;
        const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), owner);
        if (error != std::errc{} || end != rest.data() + rest.size() || owner <= 0) continue;
        if (owner == getpid() || kill(owner, 0) == 0 || errno != ESRCH) continue;
        if (old && !fs::exists(path, ec))
            fs::rename(e.path(), path, ec);
        else
            fs::remove_all(e.path(), ec);
    }
}

}  // namespace

ResultDir::ResultDir(const std::string& path) : path_(fs::absolute(path).lexically_normal().string()) {
    while (path_.size() > 1 && path_.back() == '/') path_.pop_back();
    std::error_code ec;
    const fs::path p(path_);
    if (fs::exists(p, ec) &&
        !(fs::is_directory(p, ec) && (fs::is_empty(p, ec) || fs::exists(p / "manifest.json", ec)))) {
        throw IoError(path_ + ": exists and is not a result directory; choose another with -o");
    }
    fs::create_directories(p.parent_path(), ec);
    tidy_up(p);
    temporary_ =
        (p.parent_path() / ("." + p.filename().string() + ".tmp." + std::to_string(getpid()))).string();
    fs::remove_all(temporary_, ec);
    ec.clear();
    fs::create_directory(temporary_, ec);
    if (ec) throw IoError(path_ + ": cannot be written: " + ec.message());
}

ResultDir::~ResultDir() {
    if (committed_) return;
    std::error_code ec;
    fs::remove_all(temporary_, ec);
}

void ResultDir::write(const std::string& name, const std::string& text) const {
    write_text(file(name), text);
}

void ResultDir::commit() {
    std::error_code ec;
    const std::string old = temporary_ + ".old";
    if (fs::exists(path_, ec)) fs::rename(path_, old, ec);
    if (!ec) fs::rename(temporary_, path_, ec);
    if (ec) throw IoError(path_ + ": cannot be written: " + ec.message());
    committed_ = true;
    fs::remove_all(old, ec);
}

void write_file_atomically(const std::string& path, const std::string& text) {
    const std::string temporary = path + ".tmp." + std::to_string(getpid());
    write_text(temporary, text);
    std::error_code ec;
    fs::rename(temporary, path, ec);
    if (ec) throw IoError(path + ": cannot be written: " + ec.message());
}

}  // namespace loom::app
