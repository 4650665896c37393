// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

/// One function per sub-command; each returns an exit code or throws loom::Error.
namespace loom::app {

struct RunOptions {
    std::string file;
    std::string output;  ///< empty: results/<name of the run file>
    std::vector<std::string> sets;
    std::vector<std::string> fail_if;
    std::optional<std::uint64_t> seed;
    unsigned threads = 1;
    bool json = false, quiet = false;
    std::string vcd, vcd_signals = "*";
    std::string engine = "systemc";  ///< systemc or plain
    std::uint64_t shuffle = 0;
};
int run(const RunOptions& options);

struct MapOptions {
    std::string file;
    std::vector<std::string> sets;
    bool dump = false;
};
int map(const MapOptions& options);

struct NocOptions {
    std::string file;
    std::string output;  ///< empty: no files
    std::vector<std::string> sets;
    std::vector<std::string> fail_if;
    std::optional<std::uint64_t> seed;
    unsigned threads = 1;
    bool json = false, quiet = false, sweep_load = false;
};
int noc(const NocOptions& options);

struct CimOptions {
    std::string file, weights, inputs;
    std::string output;  ///< empty: no files
    std::vector<std::string> sets;
    std::uint64_t seed = 1;
    bool json = false;
};
int cim(const CimOptions& options);

struct TrainOptions {
    std::string file;
    std::string output;  ///< empty: results/<name of the file>
    std::vector<std::string> sets;
    std::vector<std::string> fail_if;
    std::string fidelity;  ///< functional, cycle; empty: cycle when there is a chip
    std::optional<std::uint64_t> seed, steps;
    bool json = false, quiet = false, resume = false;
};
int train(const TrainOptions& options);

int inspect(const std::string& file, bool repair);
int validate(const std::string& file, const std::vector<std::string>& sets);
int schema(const std::string& what);

struct SweepCommand {
    std::string file, output, program;
    unsigned jobs = 1;
    bool quiet = false;
};
int sweep(const SweepCommand& options);

}  // namespace loom::app
