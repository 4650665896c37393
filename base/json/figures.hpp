// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>

#include "base/json/json.hpp"

namespace loom {

/// a / b; null when b is 0, since what is not defined is not 0.
Json quotient(double a, double b);
/// The same of counts.
Json quotient(std::uint64_t a, std::uint64_t b);
/// A figure in a text, in a format of fmt for one double ("{:.2f}"); "none" for what is not defined. Whole numbers may
/// do without a format.
std::string figure_text(const Json& figure, const char* format = nullptr);
/// A share in a text as percent, likewise: "{:.1f} %".
std::string percent_text(const Json& share, const char* format);
/// A figure that may be undefined: null for what is not finite.
Json finite_or_null(double x);
/// A figure in a column of a CSV file: empty for what is not defined.
std::string figure_csv(const Json& figure);
/// The path of a number in a report that is not finite; empty when there is none.
std::string find_not_finite(const Json& report);
/// Throws ModelError for a report with a number that is not finite: it must not be written.
void check_finite(const Json& report);

}  // namespace loom
