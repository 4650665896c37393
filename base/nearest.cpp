// SPDX-License-Identifier: Apache-2.0
#include "base/nearest.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cctype>

namespace loom {
namespace {

char lower(char c) {
    return static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
}

}  // namespace

std::size_t edit_distance(std::string_view a, std::string_view b, bool ignore_case) {
    std::vector<std::vector<std::size_t>> d(a.size() + 1, std::vector<std::size_t>(b.size() + 1));
    const auto same = [&](std::size_t i, std::size_t j) {
        return ignore_case ? lower(a[i]) == lower(b[j]) : a[i] == b[j];
    };
    for (std::size_t i = 0; i <= a.size(); ++i) {
        for (std::size_t j = 0; j <= b.size(); ++j) {
            if (i == 0 || j == 0) {
                d[i][j] = i + j;
                continue;
            }
            const std::size_t change = d[i - 1][j - 1] + (same(i - 1, j - 1) ? 0 : 1);
            d[i][j] = std::min({change, d[i - 1][j] + 1, d[i][j - 1] + 1});
            if (i > 1 && j > 1 && same(i - 1, j - 2) && same(i - 2, j - 1)) {
                d[i][j] = std::min(d[i][j], d[i - 2][j - 2] + 1);
            }
        }
    }
    return d[a.size()][b.size()];
}

std::string suggestion(std::string_view word, const std::vector<std::string>& candidates) {
    constexpr std::size_t longest_word = 64, most_listed = 8;
    if (candidates.empty()) return "";
    if (word.size() <= longest_word) {
        const std::string* best = nullptr;
        std::size_t best_distance = std::max<std::size_t>(2, word.size() / 3) + 1;
        for (const auto& c : candidates) {
            if (c.size() > longest_word) continue;
            const std::size_t d = edit_distance(word, c, true);
            if (d < best_distance) {
                best = &c;
                best_distance = d;
            }
        }
        if (best != nullptr) return fmt::format("; did you mean {}?", ::loom::quoted(*best));
    }
    std::vector<std::string> shown;
    for (const auto& c : candidates) {
        if (shown.size() == most_listed) break;
        shown.push_back(::loom::quoted(c));
    }
    return fmt::format("; expected one of {}{}", fmt::join(shown, ", "),
                       candidates.size() > most_listed ? ", ..." : "");
}

namespace {

/// Bytes of the UTF-8 character that `text` begins with; 0: it begins with none.
std::size_t character(std::string_view text) {
    const auto first = static_cast<unsigned char>(text[0]);
    if (first < 0x80) return std::iscntrl(first) != 0 ? 0 : 1;
    const std::size_t n = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
    if (first < 0xc2 || first > 0xf4 || n > text.size()) return 0;
    for (std::size_t i = 1; i < n; ++i)
        if ((static_cast<unsigned char>(text[i]) & 0xc0) != 0x80) return 0;
    return n;
}

}  // namespace

std::string quoted(std::string_view text) {
    constexpr std::size_t longest = 80;
    std::string out = "'";
    std::size_t at = 0;
    while (at < std::min(text.size(), longest)) {
        const std::size_t n = character(text.substr(at));
        out += n == 0 ? "?" : text.substr(at, n);
        at += std::max<std::size_t>(n, 1);
    }
    if (at < text.size()) out += "...";
    return out + "'";
}

std::string unknown_name(std::string_view word, const std::vector<std::string>& known) {
    std::string text = "unknown `" + std::string(word) + "`";
    const std::string near = suggestion(word, known);
    if (!near.empty()) return text + near;
    text += "; known: ";
    for (std::size_t i = 0; i < known.size(); ++i) text += (i == 0 ? "" : ", ") + known[i];
    return text;
}

}  // namespace loom
