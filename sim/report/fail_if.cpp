// SPDX-License-Identifier: Apache-2.0
#include "sim/report/fail_if.hpp"

#include <cstdlib>
#include <regex>

#include "base/error.hpp"
#include "base/nearest.hpp"

namespace loom::stats {

FailIf::FailIf(const std::string& text) : text_(text) {
    static const std::regex form(R"(\s*([A-Za-z_][\w.\[\]+-]*)\s*(>=|<=|==|!=|>|<)\s*(\S+)\s*)");
    std::smatch m;
    const auto fail = [&](const std::string& what) {
        throw Error(ExitCode::Usage, "--fail-if '" + text + "': " + what);
    };
    if (!std::regex_match(text, m, form)) fail("expected 'path op number', e.g. 'energy.total_pj > 1e9'");
    path_ = m[1];
    op_ = m[2];
    const std::string number = m[3];
    char* end = nullptr;
    bound_ = std::strtod(number.c_str(), &end);
    if (end != number.c_str() + number.size()) fail("'" + number + "' is not a number");
}

double FailIf::value(const nlohmann::ordered_json& stats) const {
    const nlohmann::ordered_json* at = &stats;
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
    if (!at->is_number()) fail("'" + path_ + "' is not a number in this report");
    return at->get<double>();
}

bool FailIf::fails(const nlohmann::ordered_json& stats) const {
    const double v = value(stats);
    if (op_ == ">") return v > bound_;
    if (op_ == ">=") return v >= bound_;
    if (op_ == "<") return v < bound_;
    if (op_ == "<=") return v <= bound_;
    if (op_ == "==") return v == bound_;
    return v != bound_;
}

}  // namespace loom::stats
