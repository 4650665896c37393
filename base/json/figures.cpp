// SPDX-License-Identifier: Apache-2.0
#include "base/json/figures.hpp"

#include <fmt/format.h>

#include <cmath>

#include "base/error.hpp"

namespace loom {

Json quotient(double a, double b) {
    return b == 0 ? Json() : Json(a / b);
}

Json quotient(std::uint64_t a, std::uint64_t b) {
    return quotient(static_cast<double>(a), static_cast<double>(b));
}

std::string figure_text(const Json& figure, const char* format) {
    if (figure.is_null()) return "none";
    return format == nullptr ? figure.dump() : fmt::format(fmt::runtime(format), figure.get<double>());
}

std::string percent_text(const Json& share, const char* format) {
    return figure_text(share.is_null() ? share : Json(100 * share.get<double>()), format);
}

Json finite_or_null(double x) {
    return std::isfinite(x) ? Json(x) : Json();
}

std::string figure_csv(const Json& figure) {
    return figure.is_null() ? std::string() : figure.dump();
}

std::string find_not_finite(const Json& report) {
    const auto below = [](const std::string& name, const Json& value) {
        const std::string path = find_not_finite(value);
        const bool here = path.empty() && value.is_number() && !std::isfinite(value.get<double>());
        if (here) return name;
        return path.empty() ? path : name + (path[0] == '[' ? "" : ".") + path;
    };
    if (report.is_object()) {
        for (const auto& [key, value] : report.items())
            if (std::string path = below(key, value); !path.empty()) return path;
    } else if (report.is_array()) {
        for (std::size_t i = 0; i < report.size(); ++i)
            if (std::string path = below(fmt::format("[{}]", i), report[i]); !path.empty()) return path;
    }
    return "";
}

void check_finite(const Json& report) {
    const std::string path = find_not_finite(report);
    if (path.empty()) return;
    throw ModelError("the report's figure '" + path +
                     "' is not finite; no report is written. Are prices, weights and times what is meant?");
}

}  // namespace loom
