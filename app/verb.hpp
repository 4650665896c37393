// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace loom::app {

/// One option or argument of a verb, as data: the command line, its help and its completion are made of
/// these.
struct Option {
    /// Where the text goes: true for a flag, the text itself, one more text of several, or a whole number.
    using Value = std::variant<bool*, std::string*, std::vector<std::string>*, unsigned*, std::uint64_t*,
                               std::optional<std::uint64_t>*>;

    std::string names;  ///< "-o,--output"; without a dash an argument that must be given: "RUN.yaml"
    Value value;
    std::string help;
    std::vector<std::string> choices = {};  ///< texts that are valid; none: all are
    std::uint64_t least = 0;                ///< smallest number that is valid
    std::uint64_t most = std::numeric_limits<std::uint64_t>::max();
    bool required = false;  ///< arguments are in any case

    bool is_argument() const { return names.front() != '-'; }
};

/// One word of `spikeloom WORD ...`: what it is called, what can be said after it, and what it does.
struct Verb {
    std::string name;
    std::string help;
    std::vector<Option> options;
    std::function<int()>
        run;  ///< Returns the exit code or throws loom::Error. Reads what `options` were set to.
};

/// A verb whose options are the members of `Options`.
template <class Options>
Verb make_verb(std::string name, std::string help, std::vector<Option> (*list)(Options&),
               int (*run)(const Options&)) {
    auto options = std::make_shared<Options>();
    return {std::move(name), std::move(help), list(*options), [options, run] { return run(*options); }};
}

// ---- options that several verbs have -----------------------------------------------------------

Option set_option(std::vector<std::string>& sets);
/// `example`: a condition on the verb's report.
Option fail_if_option(std::vector<std::string>& conditions, const std::string& example);
Option quiet_option(bool& quiet);
inline constexpr const char* kQuietNames = "-q,--quiet";

/// "results/<name of the file>": where results of a file go unless -o says otherwise.
std::string default_output(const std::string& file);

/// All verbs, in the order of the help.
std::vector<Verb> all_verbs();

}  // namespace loom::app
