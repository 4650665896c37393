// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "base/hdf5/hdf5_file.hpp"
#include "base/nearest.hpp"
#include "traces/nirdata.hpp"

namespace loom::traces {
namespace {

constexpr double kMaxCount = 2147483648.0;
constexpr std::size_t kMaxSteps = std::size_t{1} << 24;
constexpr std::size_t kMaxGrid = std::size_t{1} << 31;

/// The timestep of a time: a hair below a whole number of steps is that number. Times that were stored as
/// float32 have that much of a hair.
double step_of(double time, double dt) {
    const double steps = time / dt;
    const bool single = static_cast<double>(static_cast<float>(time)) == time;
    return std::floor(steps + std::max(1e-9, single ? steps * 0x1p-23 : 0.0));
}

/// A step that the file names must be the one that the network runs with.
void check_dt(const hdf5::Group& signal, double dt) {
    const double own = signal.attribute("dt", dt);
    if (!(own > 0) || std::isinf(own)) signal.fail("attribute 'dt' must be a positive number of seconds");
    if (std::abs(own - dt) <= 1e-6 * dt) return;
    signal.fail(
        fmt::format("attribute 'dt' is {:.9g} s, but a timestep of the run, profile.dt, is {:.9g} s; set the "
                    "latter to the former, or write the data for the latter",
                    own, dt));
}

/// `idx` and `time` of a signal, [sample, event]; events of index -1 are none.
struct Events {
    hdf5::Numbers idx, time;
    std::vector<double> value;  ///< empty: all are 1
    std::size_t neurons = 0, steps = 0;

    std::size_t samples() const { return idx.shape[0]; }
    std::size_t per_sample() const { return idx.shape[1]; }
};

Events read_events(const hdf5::Group& signal, double dt) {
    if (!signal.has("idx") || !signal.has("time")) signal.fail("neither 'data' nor 'idx' and 'time'");
    Events e{signal.numbers("idx"), signal.numbers("time"), {}};
    if (e.idx.shape != e.time.shape || e.idx.shape.size() != 2)
        signal.fail("'idx' and 'time' must both be [sample, event]");
    if (signal.has("value")) {
        hdf5::Numbers value = signal.numbers("value");
        if (value.shape != e.idx.shape) signal.fail("value", "must have the shape of 'idx', [sample, event]");
        e.value = std::move(value.data);
    }
    double largest = -1, last = -1;
    for (std::size_t i = 0; i < e.idx.data.size(); ++i) {
        const double idx = e.idx.data[i];
        if (idx < 0) continue;
        const double step = step_of(e.time.data[i], dt);
        if (!(idx < kMaxCount) || idx != std::floor(idx))
            signal.fail("idx", "expected whole numbers below 2^31");
        if (!(e.time.data[i] >= 0) || !(step < kMaxCount))
            signal.fail("time", "expected finite times from 0 on, below 2^31 timesteps");
        largest = std::max(largest, idx);
        last = std::max(last, step);
    }
    const double neurons = signal.attribute("n_neurons", largest + 1);
    const double end = step_of(signal.attribute("t_max", 0.0), dt);
    if (!(neurons >= 0 && neurons <= kMaxCount) || !(end >= 0 && end <= kMaxCount) || !(largest < neurons))
        signal.fail("event indices or times are out of range");
    e.neurons = static_cast<std::size_t>(neurons);
    e.steps = static_cast<std::size_t>(std::max(last + 1, end));
    if (e.steps > kMaxSteps)
        signal.fail(fmt::format("times reach {} timesteps of {:.9g} s, at most 2^24; are they in seconds?",
                                e.steps, dt));
    if (e.steps * e.neurons > kMaxGrid || (e.samples() != 0 && e.steps * e.neurons > kMaxGrid / e.samples()))
        signal.fail(
            fmt::format("the events span too large a grid: {} samples, {} timesteps of {:.9g} s, {} neurons; "
                        "at most 2^31 values",
                        e.samples(), e.steps, dt, e.neurons));
    return e;
}

/// As NIR's to_time_gridded: an event is what its neuron has in that timestep.
Array grid_of(const hdf5::Group& signal, const Events& e, double dt, std::vector<std::string>& notes) {
    std::vector<double> grid(e.samples() * e.steps * e.neurons, 0.0);
    std::size_t covered = 0;
    for (std::size_t i = 0; i < e.idx.data.size(); ++i) {
        if (e.idx.data[i] < 0) continue;
        const auto step = static_cast<std::size_t>(step_of(e.time.data[i], dt));
        double& cell =
            grid[(i / e.per_sample() * e.steps + step) * e.neurons + static_cast<std::size_t>(e.idx.data[i])];
        if (cell != 0) ++covered;
        cell = e.value.empty() ? 1.0 : e.value[i];
    }
    if (covered != 0)
        notes.push_back(
            fmt::format("{}: {} of the events come in a timestep of {:.9g} s in which their neuron has "
                        "one already; the last one counts, as in NIRData",
                        signal.where(), covered, dt));
    return Array::of({e.samples(), e.steps, e.neurons}, grid);
}

hdf5::Group open_signal(const hdf5::Group& root, const std::string& node, const std::string& key) {
    if (!root.has("nodes")) root.fail("not a NIRData file: no group 'nodes'");
    const hdf5::Group nodes = root.group("nodes", "nodes");
    std::string name = node;
    std::replace(name.begin(), name.end(), '/', '.');
    if (!nodes.has(name)) nodes.fail("no node " + loom::quoted(node) + suggestion(name, nodes.keys()));
    const hdf5::Group observables =
        nodes.group(name, "node '" + node + "'").group("observables", "node '" + node + "'");
    if (!observables.has(key))
        observables.fail("no observable " + loom::quoted(key) + suggestion(key, observables.keys()));
    return observables.group(key, "node '" + node + "', " + key);
}

}  // namespace

Array read_nir_data(const std::string& path, const std::string& node, double dt,
                    std::vector<std::string>& notes, const std::string& key) {
    const hdf5::Group signal = open_signal(hdf5::open(path), node, key);
    check_dt(signal, dt);
    if (!signal.has("data")) return grid_of(signal, read_events(signal, dt), dt, notes);
    const hdf5::Numbers data = signal.numbers("data");
    if (data.shape.size() != 3) signal.fail("data", "expected [sample, step, neuron]");
    return Array::of(data.shape, data.data);
}

}  // namespace loom::traces
