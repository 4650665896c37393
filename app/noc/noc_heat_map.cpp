// SPDX-License-Identifier: Apache-2.0
// Use of links and routers as a picture.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "app/noc/noc_report.hpp"

namespace loom::app {
namespace {

/// Blue to red over 0..1.
std::string colour(double x) {
    const double t = std::clamp(x, 0.0, 1.0);
    const auto mix = [&](double a, double b) { return static_cast<int>(std::lround(a + (b - a) * t)); };
    return fmt::format("#{:02x}{:02x}{:02x}", mix(222, 178), mix(235, 24), mix(247, 43));
}

}  // namespace

std::string heat_map_svg(const FabricUse& use) {
    // grids as they lie; 3-D ones layer beside layer; other graphs in rows
    const auto n = static_cast<std::uint32_t>(use.routers.size());
    const auto side = static_cast<std::uint32_t>(std::ceil(std::sqrt(static_cast<double>(n))));
    const std::uint32_t columns = use.grid.empty() ? side : use.grid[0];
    const std::uint32_t rows = use.grid.size() > 1 ? use.grid[1] : 1;
    const auto position = [&](std::uint32_t r) {
        const auto& at = use.routers[r].at;
        const std::uint32_t cells = columns * rows * (use.grid.size() > 2 ? use.grid[2] : 1);
        std::uint32_t x = r % side, y = r / side;
        if (!use.grid.empty() && r < cells) {
            x = at.x + at.z * (columns + 1);
            y = at.y;
        } else if (!use.grid.empty()) {
            x = (r - cells) % columns;
            y = rows + 1 + (r - cells) / columns;
        }
        return std::pair{40.0 * x + 30, 40.0 * y + 30};
    };
    double width = 0, height = 0;
    for (std::uint32_t r = 0; r < n; ++r) {
        width = std::max(width, position(r).first + 30);
        height = std::max(height, position(r).second + 30);
    }
    double peak = 0;
    for (const auto& r : use.routers) peak = std::max(peak, busiest_link(use, r));
    std::string out = fmt::format(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {0} {1}\" width=\"{0}\" height=\"{1}\" "
        "font-family=\"sans-serif\" font-size=\"8\">\n<rect width=\"100%\" height=\"100%\" "
        "fill=\"white\"/>\n",
        width, height + 20);
    for (std::uint32_t r = 0; r < n; ++r) {
        const auto [x1, y1] = position(r);
        for (const auto& p : use.routers[r].ports) {
            if (p.peer == noc::kNone) continue;
            const auto [x2, y2] = position(p.peer);
            const double u = utilisation(use, p.flits);
            const bool wraps = std::hypot(x2 - x1, y2 - y1) > 60;
            // both directions of a link beside each other
            const double ox = y1 == y2 ? 0 : (y2 > y1 ? -3 : 3), oy = x1 == x2 ? 0 : (x2 > x1 ? 3 : -3);
            out += fmt::format(
                "<line x1=\"{}\" y1=\"{}\" x2=\"{}\" y2=\"{}\" stroke=\"{}\" stroke-width=\"{}\"><title>{} "
                "{} : {:.4f} flits/cycle"
                "</title></line>\n",
                x1 + ox, y1 + oy, x2 + ox, y2 + oy, colour(peak <= 0 ? 0 : u / peak), wraps ? 1 : 4,
                use.routers[r].name, p.name, u);
        }
    }
    double most = 0;
    for (const auto& r : use.routers) most = std::max(most, r.occupancy);
    for (std::uint32_t r = 0; r < n; ++r) {
        const auto [x, y] = position(r);
        const auto& router = use.routers[r];
        out += fmt::format(
            "<rect x=\"{}\" y=\"{}\" width=\"18\" height=\"18\" rx=\"3\" fill=\"{}\" "
            "stroke=\"#555\"><title>router {}: {:.3f} flits "
            "buffered on average</title></rect>\n",
            x - 9, y - 9, colour(most <= 0 ? 0 : router.occupancy / most), router.name, router.occupancy);
    }
    out += fmt::format(
        "<text x=\"10\" y=\"{}\">links: flits per cycle, 0 (light) to {:.3g} (dark); routers: mean flits "
        "buffered, 0 to {:.2f}</text>\n</svg>\n",
        height + 10, peak, most);
    return out;
}

}  // namespace loom::app
