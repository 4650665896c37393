// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <cmath>
#include <cstdio>
#include <map>
#include <optional>

#include "app/cim/cim_file.hpp"
#include "app/cim/cim_report.hpp"
#include "app/config_file.hpp"
#include "app/result_dir.hpp"
#include "app/verb.hpp"
#include "arch/cim_prices.hpp"
#include "base/json/figures.hpp"
#include "base/config/writer.hpp"
#include "base/counter_math.hpp"
#include "base/error.hpp"
#include "base/input_file.hpp"
#include "base/log.hpp"
#include "cores/cim/array.hpp"
#include "traces/npy.hpp"

namespace loom::app {
namespace {


using Rows = std::vector<std::uint32_t>;

traces::Array read_matrix(const std::string& path, const char* what) {
    traces::Array a = traces::read_npy(path);
    if (a.shape().size() != 2 || a.shape()[0] == 0 || a.shape()[1] == 0) {
        throw InputError(fmt::format("{}: expected {}, got shape {}", path, what, a.shape_text()));
    }
    return a;
}

cores::CimWeights read_weights(const std::string& path) {
    const traces::Array a = read_matrix(path, "integer weights [rows, outputs]");
    cores::CimWeights w{a.shape()[0], a.shape()[1], {}};
    w.values.reserve(a.size());
    for (std::size_t i = 0; i < a.size(); ++i) {
        const double x = a.at(i);
        if (x != std::floor(x) || std::abs(x) > 1e9) {
            throw InputError(fmt::format("{}: weights[{}, {}] = {} is no integer of a weight's size", path,
                                         i / w.outputs, i % w.outputs, x));
        }
        w.values.push_back(static_cast<std::int32_t>(x));
    }
    return w;
}

/// Active rows of each vector.
std::vector<Rows> read_inputs(const std::string& path, std::size_t rows) {
    const traces::Array a = read_matrix(path, "binary inputs [vectors, rows]");
    if (a.shape()[1] != rows) {
        throw InputError(fmt::format("{}: inputs have {} rows (shape {}), the weights {}", path, a.shape()[1],
                                     a.shape_text(), rows));
    }
    std::vector<Rows> vectors(a.shape()[0]);
    for (std::size_t i = 0; i < a.size(); ++i) {
        const double x = a.at(i);
        if (x != 0 && x != 1) {
            throw InputError(
                fmt::format("{}: inputs[{}, {}] = {}: must be 0 or 1", path, i / rows, i % rows, x));
        }
        if (x == 1) vectors[i / rows].push_back(static_cast<std::uint32_t>(i % rows));
    }
    return vectors;
}

/// Each vector through empty stages.
std::vector<CimVector> run_alone(cores::CimArray& array, const std::vector<Rows>& vectors) {
    std::vector<CimVector> out;
    out.reserve(vectors.size());
    for (std::size_t i = 0; i < vectors.size(); ++i) {
        array.clear_counters();
        array.reset_stages();
        array.evaluate(vectors[i], i);
        const cores::CimTimes t = array.schedule(0);
        CimVector& v = out.emplace_back();
        v.cycles = array.sweep(t.done);
        v.groups = t.sets;
        v.values.assign(array.values().begin(), array.values().end());
        v.counters = array.counters();
    }
    return out;
}

/// Cycles for all vectors one after another, as soon as a spike register is free.
std::uint64_t run_together(cores::CimArray& array, const std::vector<Rows>& vectors) {
    array.reset_stages();
    Cycle next = 0, end = 0;
    for (std::size_t i = 0; i < vectors.size(); ++i) {
        array.evaluate(vectors[i], i);
        const cores::CimTimes t = array.schedule(next);
        next = t.fetched;
        end = std::max(end, array.sweep(t.done));
    }
    return end;
}

/// Time and energy of programming the matrix into erased cells.
Json load_report(const CimFile& file, const cores::CimWeights& w, const cores::CimContext& context,
                 const arch::EnergySpec& prices) {
    cores::CimArray array(file.spec, w, context);
    array.erase();
    array.clear_counters();
    const Cycle cycles = array.write(w, 0);
    const cores::CimCounters& c = array.counters();
    double pj = 0;
    for (const auto& [name, part] : cim_energy(c, prices)) pj += part;
    return {{"cycles", cycles},
            {"time_s", static_cast<double>(cycles) * array.shape().period_ps * 1e-12},
            {"energy_pj", pj},
            {"pulses", c.write_pulses},
            {"verify_reads", c.verify_reads},
            {"cells_written", c.cells_written},
            {"unverified", c.unverified},
            {"worn_cells", c.worn_cells}};
}

Json stats_of(const CimFile& file, const cores::CimShape& shape, const std::vector<CimVector>& vectors,
              std::uint64_t together, const Json& load, const arch::EnergySpec& prices) {
    CimVector sum;
    for (const CimVector& v : vectors) {
        sum.counters = sum_of(sum.counters, v.counters);
        sum.cycles += v.cycles;
        sum.groups += v.groups;
    }
    Json j{{"schema_version", 1}, {"name", file.name}, {"vectors", vectors.size()}};
    j["array"] = {{"rows", shape.rows},
                  {"outputs", shape.outputs},
                  {"columns", shape.columns},
                  {"row_blocks", shape.row_blocks},
                  {"column_blocks", shape.column_blocks},
                  {"arrays", shape.arrays()},
                  {"utilisation", shape.utilisation(file.spec)},
                  {"converters", shape.arrays() * shape.adcs},
                  {"conversion_steps", shape.mux_steps},
                  {"period_ns", shape.period_ps * 1e-3}};
    const Json total = cim_json(sum, file, shape, prices);
    for (const char* key :
         {"cycles", "conversions", "groups", "clips", "psum_overflows", "energy_pj", "energy", "counters"}) {
        j[key] = total[key];
    }
    j["cycles_back_to_back"] = together;
    j["load"] = load;
    double area = 0;
    j["area_um2"] = Json::object();
    for (const auto& [part, um2] : cim_area(file, shape)) {
        j["area_um2"][part] = um2;
        area += um2;
    }
    j["area_um2"]["total"] = area;
    return j;
}

std::string text_of(const Json& j, const std::vector<CimVector>& vectors) {
    const Json& a = j["array"];
    std::string out = fmt::format(
        "{}: {} x {} weights in {} columns, {} arrays ({} row blocks, {} column blocks), {:.1f} % used\n",
        j["name"].get<std::string>(), a["rows"].get<std::uint64_t>(), a["outputs"].get<std::uint64_t>(),
        a["columns"].get<std::uint64_t>(), a["arrays"].get<std::uint64_t>(),
        a["row_blocks"].get<std::uint64_t>(), a["column_blocks"].get<std::uint64_t>(),
        100 * a["utilisation"].get<double>());
    out += fmt::format("{:>7} {:>7} {:>8} {:>12} {:>7}  values\n", "vector", "groups", "cycles",
                       "conversions", "clips");
    constexpr std::size_t kShown = 16;
    for (std::size_t i = 0; i < std::min(kShown, vectors.size()); ++i) {
        const CimVector& v = vectors[i];
        out += fmt::format("{:>7} {:>7} {:>8} {:>12} {:>7} ", i, v.groups, v.cycles, v.counters.conversions,
                           v.counters.clips);
        for (std::size_t k = 0; k < std::min(kShown, v.values.size()); ++k)
            out += fmt::format(" {:.6g}", v.values[k]);
        out += v.values.size() > kShown ? " ...\n" : "\n";
    }
    if (vectors.size() > kShown) out += fmt::format("    ... {} more\n", vectors.size() - kShown);
    const auto per_vector = [&](double pj) {
        return figure_text(quotient(pj, static_cast<double>(vectors.size())), "{:.4g}");
    };
    out += fmt::format("cycles      {} alone, {} back to back, {:.3g} ns each\n",
                       j["cycles"].get<std::uint64_t>(), j["cycles_back_to_back"].get<std::uint64_t>(),
                       a["period_ns"].get<double>());
    out += fmt::format("conversions {}, clipped codes {}, partial sums beyond their width {}\n",
                       j["conversions"].get<std::uint64_t>(), j["clips"].get<std::uint64_t>(),
                       j["psum_overflows"].get<std::uint64_t>());
    out += fmt::format("energy      {} pJ per vector\n", per_vector(j["energy_pj"]));
    for (const auto& [part, pj] : j["energy"].items()) {
        out += fmt::format("  {:<20}{:>12} pJ {:>6} %\n", part, per_vector(pj),
                           figure_text(quotient(100 * pj.get<double>(), j["energy_pj"].get<double>()), "{:.1f}"));
    }
    const Json& load = j["load"];
    out += fmt::format(
        "programming {:.4g} s, {:.4g} pJ, {} pulses, {} verify reads, {} cells not within tolerance\n",
        load["time_s"].get<double>(), load["energy_pj"].get<double>(), load["pulses"].get<std::uint64_t>(),
        load["verify_reads"].get<std::uint64_t>(), load["unverified"].get<std::uint64_t>());
    out += "area       ";
    for (const auto& [part, um2] : j["area_um2"].items()) {
        out += fmt::format(" {} {:.4g} um2{}", part, um2.get<double>(), part == "total" ? "\n" : ",");
    }
    return out;
}

struct CimOptions {
    std::string file, weights, inputs;
    std::string output;  ///< empty: no files
    std::vector<std::string> sets;
    std::uint64_t seed = 1;
    bool json = false;
};

std::vector<Option> options(CimOptions& o) {
    return {{"ARRAY.yaml", &o.file, "array file"},
            {.names = "--weights",
             .value = &o.weights,
             .help = "integers [rows, outputs], .npy",
             .required = true},
            {.names = "--inputs",
             .value = &o.inputs,
             .help = "zeros and ones [vectors, rows], .npy",
             .required = true},
            {"-o,--output", &o.output, "result directory (default: none)"},
            set_option(o.sets),
            {"--seed", &o.seed, "of cells, converters and reads"},
            {"--json", &o.json, "print a list with one object per vector"}};
}

int cim(const CimOptions& o) {
    const LoadedCim run = load_cim(o.file, o.sets);
    const CimFile& file = run.file;
    const cores::CimWeights weights = read_weights(o.weights);
    const std::vector<Rows> inputs = read_inputs(o.inputs, weights.rows);
    const cores::CimContext context{.seed = o.seed, .period_ps = 0};
    std::optional<cores::CimArray> array;
    std::vector<CimVector> vectors;
    arch::EnergySpec prices;
    std::optional<ResultDir> directory;
    if (!o.output.empty()) directory.emplace(o.output, "cim");
    Json list = Json::array(), stats;
    with_places(run.root, [&] {
        array.emplace(file.spec, weights, context);
        const cores::CimShape& shape = array->shape();
        prices = arch::with_cim_prices(file.energy, file.spec, shape.period_ps,
                                       static_cast<double>(shape.t_pulse) * shape.period_ps);
        array->calibrate(inputs);
        vectors = run_alone(*array, inputs);
        for (const CimVector& v : vectors) list.push_back(cim_json(v, file, shape, prices));
        if (o.json && !directory) return;
        stats = stats_of(file, shape, vectors, run_together(*array, inputs),
                         load_report(file, weights, context, prices), prices);
    });
    std::uint64_t clips = 0;
    for (const CimVector& v : vectors) clips += v.counters.clips + v.counters.psum_overflows;
    if (clips != 0) {
        log::warning(
            fmt::format("{} codes or partial sums were beyond their range (clips, psum_overflows)", clips));
    }
    check_finite(list);
    check_finite(stats);
    if (directory) {
        directory->write("vectors.json", list.dump(1) + "\n");
        directory->write("stats.json", stats.dump(1) + "\n");
        directory->write("summary.txt", text_of(stats, vectors));
        directory->write("config.resolved.yaml", config::emit(config::to_node(file)));
        directory->commit(
            {{"seed", o.seed},
             {"sha1", {{"weights", input_hash(o.weights)}, {"inputs", input_hash(o.inputs)}}}});
    }
    if (o.json) {
        fmt::print("{}\n", list.dump(1));
    } else {
        fmt::print("{}", text_of(stats, vectors));
        if (directory) fmt::print("full report: {}\n", directory->path());
    }
    return 0;
}

}  // namespace

Verb cim_verb() {
    return make_verb<CimOptions>(
        "cim", "run one compute-in-memory array alone; print values, cycles, conversions, clips, energy",
        options, cim);
}

}  // namespace loom::app
