// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>
#include <string_view>
#include <vector>

namespace loom {

/// Edit distance where swapped neighbours count once (optimal string alignment).
std::size_t edit_distance(std::string_view a, std::string_view b, bool ignore_case);

/// "; did you mean 'x'?" for the candidate nearest in spelling, or "; expected one of ..." (at most
/// eight) when none is near.
std::string suggestion(std::string_view word, const std::vector<std::string>& candidates);

/// "unknown `word`; did you mean 'x'?", or with the list of the known ones when none is close.
std::string unknown_name(std::string_view word, const std::vector<std::string>& known);

/// 'text' in quotes, control characters replaced and long text cut: fit for a one-line message.
std::string quoted(std::string_view text);

}  // namespace loom
