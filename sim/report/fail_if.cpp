// SPDX-License-Identifier: Apache-2.0
#include "sim/report/fail_if.hpp"

#include <algorithm>
#include <cstdlib>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "base/nearest.hpp"

namespace loom::stats {

namespace {

/// The text without spaces at its ends.
std::string_view trimmed(std::string_view text) {
    const auto first = text.find_first_not_of(" \t");
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

bool is_path(std::string_view text) {
    const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; };
    return !text.empty() && letter(text[0]) && std::all_of(text.begin(), text.end(), [&](char c) {
        return letter(c) || (c >= '0' && c <= '9') || std::string_view(".[]+-").find(c) != std::string_view::npos;
    });
}

}  // namespace

FailIf::FailIf(const std::string& text) : text_(text) {
    const auto fail = [&](const std::string& what) {
        throw Error(ExitCode::Usage, "--fail-if '" + text + "': " + what);
    };
    const std::string_view all = text;
    const auto at = std::min(all.find_first_of("<>=!"), all.size());
    const auto rest = std::min(all.find_first_not_of("<>=!", at), all.size());
    path_ = trimmed(all.substr(0, at));
    op_ = all.substr(at, rest - at);
    const std::string number(trimmed(all.substr(rest)));
    const std::vector<std::string> known{">=", "<=", "==", "!=", ">", "<"};
    if (!is_path(path_) || std::find(known.begin(), known.end(), op_) == known.end() || number.empty() ||
        number.find_first_of(" \t") != std::string::npos)
        fail("expected 'path op number', e.g. 'energy.total_pj > 1e9'");
    char* end = nullptr;
    bound_ = std::strtod(number.c_str(), &end);
    if (end != number.c_str() + number.size()) fail("'" + number + "' is not a number");
}

std::optional<double> FailIf::value(const Json& stats) const {
    const Json* at = &stats;
    const auto fail = [&](const std::string& what) {
        throw Error(ExitCode::Usage, "--fail-if '" + text_ + "': " + what);
    };
    std::size_t i = 0;
    while (i < path_.size()) {
        if (path_[i] == '[') {
            char* end = nullptr;
            const unsigned long k = std::strtoul(path_.c_str() + i + 1, &end, 10);
            if (*end != ']' || !at->is_array() || k >= at->size())
                fail("no element at '" + path_.substr(0, path_.find(']', i) + 1) + "'");
            at = &(*at)[k];
            i = static_cast<std::size_t>(end - path_.c_str()) + 1;
        } else {
            if (path_[i] == '.') ++i;
            const std::size_t end = std::min(path_.find_first_of(".[", i), path_.size());
            const std::string key = path_.substr(i, end - i);
            if (!at->is_object() || !at->contains(key)) {
                std::vector<std::string> known;
                if (at->is_object()) {
                    for (const auto& [k, v] : at->items()) known.push_back(k);
                }
                fail("the report has no '" + path_.substr(0, end) + "'" + suggestion(key, known));
            }
            at = &(*at)[key];
            i = end;
        }
    }
    if (at->is_null()) return std::nullopt;
    if (!at->is_number()) fail("'" + path_ + "' is not a number in this report");
    return at->get<double>();
}

bool FailIf::fails(const Json& stats) const {
    const std::optional<double> defined = value(stats);
    if (!defined) return true;
    const double v = *defined;
    if (op_ == ">") return v > bound_;
    if (op_ == ">=") return v >= bound_;
    if (op_ == "<") return v < bound_;
    if (op_ == "<=") return v <= bound_;
    if (op_ == "==") return v == bound_;
    return v != bound_;
}

}  // namespace loom::stats
