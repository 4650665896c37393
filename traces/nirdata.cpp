// SPDX-License-Identifier: Apache-2.0
#include "traces/nirdata.hpp"

#include <fmt/format.h>
#include <hdf5.h>

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "base/error.hpp"
#include "base/nearest.hpp"
#include "base/hdf5/hdf5_file.hpp"

namespace loom::traces {
namespace {

/// Closes an HDF5 handle of any kind.
class Handle {
  public:
    Handle(hid_t id, herr_t (*close)(hid_t)) : id_(id), close_(close) {}
    ~Handle() {
        if (id_ >= 0) close_(id_);
    }
    Handle(Handle&& o) noexcept : id_(std::exchange(o.id_, -1)), close_(o.close_) {}
    Handle(const Handle&) = delete;
    Handle& operator=(const Handle&) = delete;
    operator hid_t() const { return id_; }

  private:
    hid_t id_;
    herr_t (*close_)(hid_t);
};

constexpr hsize_t kChunkNeurons = 16384;
constexpr double kMaxCount = 2147483648.0;

}  // namespace

struct NirDataWriter::Impl {
    struct Signal {
        Handle dataset;
        std::size_t neurons;
    };
    std::string path;
    std::size_t samples, steps;
    double dt;
    hid_t file = -1;
    std::vector<Signal> signals;

    hid_t need(hid_t id) const {
        if (id < 0) throw IoError(path + ": cannot be written (HDF5)");
        return id;
    }
    void need_ok(herr_t status) const {
        if (status < 0) throw IoError(path + ": cannot be written (HDF5)");
    }
    Handle group(hid_t parent, const std::string& name) const {
        if (H5Lexists(parent, name.c_str(), H5P_DEFAULT) > 0) {
            return Handle(need(H5Gopen2(parent, name.c_str(), H5P_DEFAULT)), H5Gclose);
        }
        const Handle plist(H5Pcreate(H5P_GROUP_CREATE), H5Pclose);
        H5Pset_obj_track_times(plist, 0);
        return Handle(need(H5Gcreate2(parent, name.c_str(), H5P_DEFAULT, plist, H5P_DEFAULT)), H5Gclose);
    }
    void attribute(hid_t object, const char* name, const std::string& value) const {
        const Handle type(H5Tcopy(H5T_C_S1), H5Tclose);
        H5Tset_size(type, value.size());
        H5Tset_cset(type, H5T_CSET_UTF8);
        const Handle space(H5Screate(H5S_SCALAR), H5Sclose);
        const Handle a(need(H5Acreate2(object, name, type, space, H5P_DEFAULT, H5P_DEFAULT)), H5Aclose);
        need_ok(H5Awrite(a, type, value.data()));
    }
    void write(std::size_t signal, std::size_t sample, hid_t type, const void* data,
               std::size_t count) const {
        const Signal& s = signals.at(signal);
        if (count != steps * s.neurons || sample >= samples)
            throw InternalError("a recorded sample of the wrong size");
        const hsize_t start[3] = {sample, 0, 0}, block[3] = {1, steps, s.neurons};
        const Handle space(H5Dget_space(s.dataset), H5Sclose);
        need_ok(H5Sselect_hyperslab(space, H5S_SELECT_SET, start, nullptr, block, nullptr));
        const Handle memory(H5Screate_simple(3, block, nullptr), H5Sclose);
        need_ok(H5Dwrite(s.dataset, type, memory, space, H5P_DEFAULT, data));
    }
};

NirDataWriter::NirDataWriter(const std::string& path, std::size_t samples, std::size_t steps, double dt)
    : impl_(new Impl{path, samples, steps, dt, -1, {}}) {
    H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);
    const Handle plist(H5Pcreate(H5P_FILE_CREATE), H5Pclose);
    H5Pset_obj_track_times(plist, 0);
    impl_->file = impl_->need(H5Fcreate(path.c_str(), H5F_ACC_TRUNC, plist, H5P_DEFAULT));
    const Handle root(H5Gopen2(impl_->file, "/", H5P_DEFAULT), H5Gclose);
    impl_->attribute(root, "__type__", "NIRGraphData");
}

NirDataWriter::~NirDataWriter() {
    impl_->signals.clear();
    if (impl_->file >= 0) H5Fclose(impl_->file);
}

std::size_t NirDataWriter::add(const std::string& layer, const std::string& key, std::size_t neurons,
                               Kind kind) {
    // a nested layer "a/b" must not become a nested group
    std::string name = layer;
    std::replace(name.begin(), name.end(), '/', '.');
    const Handle nodes = impl_->group(impl_->file, "nodes");
    const bool is_new = H5Lexists(nodes, name.c_str(), H5P_DEFAULT) <= 0;
    const Handle node = impl_->group(nodes, name);
    if (is_new) impl_->attribute(node, "__type__", "NIRNodeData");
    const Handle observables = impl_->group(node, "observables");
    const Handle group = impl_->group(observables, key);
    impl_->attribute(group, "__type__", "TimeGriddedData");
    const hsize_t dims[3] = {impl_->samples, impl_->steps, neurons};
    const hsize_t chunk[3] = {1, std::max<hsize_t>(1, impl_->steps),
                              std::clamp<hsize_t>(neurons, 1, kChunkNeurons)};
    const Handle space(impl_->need(H5Screate_simple(3, dims, nullptr)), H5Sclose);
    const Handle plist(H5Pcreate(H5P_DATASET_CREATE), H5Pclose);
    H5Pset_obj_track_times(plist, 0);
    if (impl_->samples * impl_->steps * neurons != 0) {
        H5Pset_chunk(plist, 3, chunk);
        H5Pset_deflate(plist, 4);
    }
    const hid_t type = kind == Kind::Spikes       ? H5T_STD_U8LE
                       : kind == Kind::WideSpikes ? H5T_STD_I32LE
                                                  : H5T_IEEE_F64LE;
    impl_->signals.push_back(
        {Handle(impl_->need(H5Dcreate2(group, "data", type, space, H5P_DEFAULT, plist, H5P_DEFAULT)),
                H5Dclose),
         neurons});
    const Handle scalar(H5Screate(H5S_SCALAR), H5Sclose);
    const Handle a(impl_->need(H5Acreate2(group, "dt", H5T_IEEE_F64LE, scalar, H5P_DEFAULT, H5P_DEFAULT)),
                   H5Aclose);
    impl_->need_ok(H5Awrite(a, H5T_NATIVE_DOUBLE, &impl_->dt));
    return impl_->signals.size() - 1;
}

void NirDataWriter::append(std::size_t signal, std::size_t sample, std::span<const std::uint8_t> v) {
    impl_->write(signal, sample, H5T_NATIVE_UINT8, v.data(), v.size());
}
void NirDataWriter::append(std::size_t signal, std::size_t sample, std::span<const std::int32_t> v) {
    impl_->write(signal, sample, H5T_NATIVE_INT32, v.data(), v.size());
}
void NirDataWriter::append(std::size_t signal, std::size_t sample, std::span<const double> v) {
    impl_->write(signal, sample, H5T_NATIVE_DOUBLE, v.data(), v.size());
}

void NirDataWriter::close() {
    impl_->signals.clear();
    const herr_t status = H5Fclose(std::exchange(impl_->file, -1));
    impl_->need_ok(status);
}

Array read_nir_data(const std::string& path, const std::string& node, const std::string& key) {
    const hdf5::Group root = hdf5::open(path);
    if (!root.has("nodes")) root.fail("not a NIRData file: no group 'nodes'");
    const hdf5::Group nodes = root.group("nodes", "nodes");
    std::string name = node;
    std::replace(name.begin(), name.end(), '/', '.');
    if (!nodes.has(name)) nodes.fail("no node " + loom::quoted(node) + suggestion(name, nodes.keys()));
    const hdf5::Group observables =
        nodes.group(name, "node '" + node + "'").group("observables", "node '" + node + "'");
    if (!observables.has(key))
        observables.fail("no observable " + loom::quoted(key) + suggestion(key, observables.keys()));
    const hdf5::Group signal = observables.group(key, "node '" + node + "', " + key);
    if (signal.has("data")) {
        const hdf5::Numbers data = signal.numbers("data");
        if (data.shape.size() != 3) signal.fail("data", "expected [sample, step, neuron]");
        return Array::of(data.shape, data.data);
    }
    if (!signal.has("idx") || !signal.has("time")) signal.fail("neither 'data' nor 'idx' and 'time'");
    const hdf5::Numbers idx = signal.numbers("idx"), time = signal.numbers("time");
    if (idx.shape != time.shape || idx.shape.size() != 2)
        signal.fail("'idx' and 'time' must both be [sample, event]");
    const double dt = signal.attribute("dt", 1.0);
    if (!(dt > 0) || std::isinf(dt)) signal.fail("attribute 'dt' must be a positive number of seconds");
    double largest = -1, last = -1;
    for (std::size_t i = 0; i < idx.data.size(); ++i) {
        if (idx.data[i] < 0) continue;
        const double step = std::floor(time.data[i] / dt + 1e-9);
        if (!(idx.data[i] < kMaxCount) || idx.data[i] != std::floor(idx.data[i]))
            signal.fail("idx", "expected whole numbers below 2^31");
        if (!(time.data[i] >= 0) || !(step < kMaxCount))
            signal.fail("time", "expected finite times from 0 on, below 2^31 timesteps");
        largest = std::max(largest, idx.data[i]);
        last = std::max(last, step);
    }
    const double n_neurons = signal.attribute("n_neurons", largest + 1);
    const double t_end = std::floor(signal.attribute("t_max", 0.0) / dt + 0.5);
    if (!(n_neurons >= 0 && n_neurons <= kMaxCount) || !(t_end >= 0 && t_end <= kMaxCount) ||
        !(largest < n_neurons)) {
        signal.fail("event indices or times are out of range");
    }
    const auto neurons = static_cast<std::size_t>(n_neurons);
    const auto steps = static_cast<std::size_t>(std::max(last + 1, t_end));
    const std::size_t samples = idx.shape[0], events = idx.shape[1];
    constexpr std::size_t kMaxGrid = std::size_t{1} << 31;
    if (steps * neurons > kMaxGrid || (samples != 0 && steps * neurons > kMaxGrid / samples))
        signal.fail("the events span too large a grid");
    std::vector<double> grid(samples * steps * neurons, 0.0);
    const std::vector<double> value =
        signal.has("value") ? signal.numbers("value").data : std::vector<double>();
    for (std::size_t i = 0; i < idx.data.size(); ++i) {
        if (idx.data[i] < 0) continue;
        const auto step = static_cast<std::size_t>(std::floor(time.data[i] / dt + 1e-9));
        grid[(i / events * steps + step) * neurons + static_cast<std::size_t>(idx.data[i])] +=
            value.size() == idx.data.size() ? value[i] : 1.0;
    }
    return Array::of({samples, steps, neurons}, grid);
}

}  // namespace loom::traces
