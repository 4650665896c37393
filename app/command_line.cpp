// SPDX-License-Identifier: Apache-2.0
#include "app/command_line.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstring>
#include <exception>
#include <iostream>
#include <new>
#include <span>
#include <system_error>

#include "app/verb.hpp"
#include "base/error.hpp"
#include "base/log.hpp"
#include "base/version.hpp"

namespace loom::app {
namespace {

constexpr const char* kFooter =
    "Exit codes: 0 ok, 1 check failed (--fail-if), 2 usage, 3 invalid input, 4 does not fit the chip,\n"
    "5 simulation fault, 6 input or output, 70 internal error.";

/// An option's value: digits only, in range.
CLI::Validator whole_number(std::uint64_t least, std::uint64_t most) {
    return {[least, most](std::string& text) -> std::string {
                std::uint64_t v = 0;
                const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), v);
                const bool whole = error == std::errc{} && end == text.data() + text.size();
                if (whole && v >= least && v <= most) return "";
                return fmt::format("expected a whole number from {} to {}, got '{}'", least, most, text);
            },
            ""};
}

/// Tells CLI11 of an option, by the type of the value.
struct Adder {
    CLI::App& command;
    const Option& option;

    void operator()(bool* flag) const { command.add_flag(option.names, *flag, option.help); }
    void operator()(std::string* text) const {
        CLI::Option* added = command.add_option(option.names, *text, option.help);
        if (!option.choices.empty()) added->check(CLI::IsMember(option.choices));
        if (option.is_argument() || option.required) added->required();
    }
    void operator()(std::vector<std::string>* texts) const {
        command.add_option(option.names, *texts, option.help)->allow_extra_args(false);
    }
    template <class Number>
    void operator()(Number* number) const {
        command.add_option(option.names, *number, option.help)
            ->check(whole_number(option.least, option.most));
    }
};

/// How much the program says of itself.
struct Saying {
    bool verbose = false;
    std::string level;

    std::vector<Option> options() {
        return {{"-v,--verbose", &verbose, "say what is done and how long it takes: --log-level info"},
                {"--log-level",
                 &level,
                 "what goes to stderr beside errors: a level and what is more important",
                 {"debug", "info", "note", "warning", "off"}}};
    }
    void apply(const Verb& verb) const {
        if (!level.empty()) {
            const auto choices = Saying().options().back().choices;
            const auto at = std::find(choices.begin(), choices.end(), level) - choices.begin();
            log::set_level(static_cast<log::Level>(at));
        } else if (verbose) {
            log::set_level(log::Level::Info);
        } else if (is_quiet(verb)) {
            log::set_level(log::Level::Off);
        }
    }

  private:
    static bool is_quiet(const Verb& verb) {
        return std::any_of(verb.options.begin(), verb.options.end(), [](const Option& o) {
            return o.names == kQuietNames && *std::get<bool*>(o.value);
        });
    }
};

/// The command line's grammar: `code` becomes the exit code of the verb that was said.
class Grammar {
  public:
    explicit Grammar(int& code) : app_{kSummary, "spikeloom"}, verbs_(all_verbs()) {
        dress(app_);
        app_.require_subcommand(1);
        for (const Verb& verb : verbs_) {
            CLI::App& command = *app_.add_subcommand(verb.name, verb.help);
            dress(command);
            add(command, verb.options);
            add(command, saying_.options());
            command.callback([this, &verb, &code] {
                saying_.apply(verb);
                code = verb.run();
            });
        }
    }
    CLI::App& app() { return app_; }

  private:
    static constexpr const char* kSummary =
        "Spikeloom: cycle-accurate simulation of spiking networks on neuromorphic chips";

    static void dress(CLI::App& command) {
        command.set_version_flag("--version", std::string("spikeloom ") + kVersion);
        command.footer(kFooter);
    }
    static void add(CLI::App& command, std::span<const Option> options) {
        for (const Option& option : options) std::visit(Adder{command, option}, option.value);
    }

    CLI::App app_;
    std::vector<Verb> verbs_;
    Saying saying_;
};

/// Exit code of what a command threw, which is told in one line.
int report(ExitCode code, const std::string& message) {
    log::show_warnings();
    log::raw("spikeloom: " + message + "\n");
    return static_cast<int>(code);
}

constexpr const char* kNoOutput = "standard output: cannot be written: ";

/// What is printed is kept in a buffer: whether it arrived shows at the end.
int with_output_written(int code) {
    if (code == static_cast<int>(ExitCode::Io)) return code;  // told already
    errno = 0;
    std::cout.flush();
    if (std::fflush(stdout) == 0 && std::ferror(stdout) == 0 && std::cout) return code;
    return report(ExitCode::Io, kNoOutput + std::string(errno == 0 ? "error of a write" : std::strerror(errno)));
}

int parse_and_run(int argc, char** argv) {
    int code = 0;
    Grammar grammar(code);
    try {
        grammar.app().parse(argc, argv);
    } catch (const CLI::ParseError& e) {
        const int status = grammar.app().exit(e);
        return status == 0 ? 0 : static_cast<int>(ExitCode::Usage);
    } catch (const Error& e) {
        return report(e.code(), e.what());
    } catch (const std::bad_alloc&) {
        return report(ExitCode::SimulationFault, "out of memory");
    } catch (const std::system_error& e) {
        return report(ExitCode::Io, std::ferror(stdout) != 0 ? kNoOutput + e.code().message() : e.what());
    } catch (const std::exception& e) {
        return report(ExitCode::Internal, std::string("internal error (please report): ") + e.what());
    }
    return code;
}

}  // namespace

int run_command_line(int argc, char** argv) {
    const int code = with_output_written(parse_and_run(argc, argv));
    log::show_warnings();
    return code;
}

}  // namespace loom::app
