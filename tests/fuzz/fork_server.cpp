// SPDX-License-Identifier: Apache-2.0
// Runs the program many times without starting it: a child of its own for every case (scripts/fuzz).
// A line of the input is a case: seconds, the file that takes what the child prints, the arguments, and the directory
// to run in, with tabs between. A line of the output is what became of it: "exit N", "signal N", or "late" after those seconds.
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <string>
#include <vector>

#include "app/program.hpp"

namespace {

std::vector<std::string> split(const std::string& line) {
    std::vector<std::string> words;
    std::size_t begin = 0;
    while (true) {
        const std::size_t end = line.find('\t', begin);
        words.push_back(line.substr(begin, end - begin));
        if (end == std::string::npos) return words;
        begin = end + 1;
    }
}

[[noreturn]] void run_case(std::vector<std::string> words) {
    if (chdir(words.back().c_str()) != 0) _exit(98);
    words.pop_back();
    const int out = open(words[1].c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0644);
    if (out < 0 || dup2(out, STDOUT_FILENO) < 0 || dup2(out, STDERR_FILENO) < 0) _exit(99);
    alarm(static_cast<unsigned>(std::stoul(words[0])));
    words.erase(words.begin(), words.begin() + 2);
    words.insert(words.begin(), "spikeloom");
    std::vector<char*> argv;
    for (std::string& word : words) argv.push_back(word.data());
    argv.push_back(nullptr);
    loom::app::Extensions extensions;
    const int code = loom::app::run_program(static_cast<int>(words.size()), argv.data(), extensions);
    std::fflush(nullptr);
    _exit(code);
}

}  // namespace

int main() {
    for (std::string line; std::getline(std::cin, line);) {
        const std::vector<std::string> words = split(line);
        if (words.size() < 4) return 2;
        const pid_t child = fork();
        if (child < 0) return 3;
        if (child == 0) run_case(words);
        int status = 0;
        waitpid(child, &status, 0);
        if (WIFEXITED(status))
            fmt::print("exit {}\n", WEXITSTATUS(status));
        else if (WTERMSIG(status) == SIGALRM)
            fmt::print("late\n");
        else
            fmt::print("signal {}\n", WTERMSIG(status));
        std::fflush(stdout);
    }
    return 0;
}
