// SPDX-License-Identifier: Apache-2.0
#include "base/config/shipped.hpp"

#include <array>
#include <cstdlib>
#include <filesystem>

namespace loom::config {
namespace fs = std::filesystem;

std::string shipped_folder() {
    std::error_code ec;
    const fs::path bin = fs::read_symlink("/proc/self/exe", ec).parent_path();
    const char* chosen = std::getenv("SPIKELOOM_SHARE");
    const std::array<fs::path, 3> places{chosen == nullptr ? fs::path() : fs::path(chosen),
                                         bin.parent_path() / "share" / "spikeloom",
                                         bin / "share" / "spikeloom"};
    for (const fs::path& place : places)
        if (!place.empty() && fs::is_directory(place / "configs", ec)) return place.string();
    return "";
}

std::string path_from(const std::string& folder, const std::string& written) {
    const fs::path p(written);
    if (p.is_absolute()) return written;
    const fs::path near = (fs::path(folder) / p).lexically_normal();
    std::error_code ec;
    if (!fs::exists(near, ec) && written.starts_with("configs/")) {
        const fs::path shipped = fs::path(shipped_folder()) / p;
        if (fs::exists(shipped, ec)) return shipped.lexically_normal().string();
    }
    return near.string();
}

}  // namespace loom::config
